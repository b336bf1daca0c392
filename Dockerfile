# docker build -t vestibule . && docker run -p 127.0.0.1:9091:9091 -v ./config.yml:/config/config.yml:ro -v vestibule:/data vestibule
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY .ci/node .ci/node
RUN npm ci --omit=optional
COPY . .
RUN npm run build && npm ci --omit=dev

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production \
    VESTIBULE_CONFIG=/config/config.yml \
    VESTIBULE_DATA_DIRECTORY=/data
RUN install -d -o node -g node -m 0700 /data
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/package.json ./
COPY --from=build /src/dist ./dist
USER node
VOLUME /data
EXPOSE 9091
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["node", "dist/main.js", "healthcheck"]
ENTRYPOINT ["node", "--disable-proto=delete", "dist/main.js"]
CMD ["serve"]
