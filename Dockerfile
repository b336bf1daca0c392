# docker build -t vestibule . && docker run --name vestibule -p 127.0.0.1:9091:9091 -v vestibule:/data vestibule
# With a configuration: -v ./config:/config:ro (docs/guides/image.md)
ARG BASE=node:24-bookworm-slim
FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY .ci/node .ci/node
RUN npm ci
COPY . .
RUN npm run build
# What is compiled here is not compiled at each start.
RUN node .ci/warm.ts
RUN npm ci --omit=dev

FROM ${BASE}
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/bin ./bin
COPY --from=build /app/dist ./dist
COPY --from=build /app/deploy/image/config.yml ./default/config.yml
# The example of a configuration names /var/lib/vestibule and /var/log/vestibule.
RUN install -d -o node -g node -m 0700 /data /var/log/vestibule \
 && install -d /config \
 && ln -s /data /var/lib/vestibule \
 && ln -s /app/bin/container.cjs /usr/local/bin/vestibule
ENV NODE_ENV=production \
    VESTIBULE_DEFAULT_CONFIG=/app/default/config.yml \
    VESTIBULE_DATA_DIRECTORY=/data \
    VESTIBULE_LOG_KEEP_STDOUT=true
WORKDIR /config
VOLUME /data
EXPOSE 9091
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --start-interval=500ms CMD ["vestibule", "healthcheck"]
ENTRYPOINT ["node", "--disable-proto=delete", "/app/bin/container.cjs"]
CMD ["serve"]
