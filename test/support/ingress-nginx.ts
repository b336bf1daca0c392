import { existsSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { proxies } from '../../src/features/proxy-config/index.ts'
import { noNginx, startNginx } from './nginx.ts'
import type { ProxyUnderTest } from './proxy-proofs.ts'

const ConfigMap = z.object({
  metadata: z.object({ name: z.string() }),
  data: z.record(z.string(), z.string()),
})
const Ingress = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
  spec: z.object({
    rules: z.array(
      z.object({
        host: z.string(),
        http: z.object({
          paths: z.array(
            z.object({
              path: z.string(),
              backend: z.object({ service: z.object({ name: z.string() }) }),
            }),
          ),
        }),
      }),
    ),
  }),
})

/** What Debian has of the module that the controller's nginx escapes addresses with, and the one that this one needs. */
const MODULES = ['ndk_http_module', 'ngx_http_set_misc_module'].map(
  (name) => `/usr/lib/nginx/modules/${name}.so`,
)
const PREFIX = 'nginx.ingress.kubernetes.io/'
const SIGN_IN = 'the controller sends every client to the portal with 302, programs too'

/** The real nginx, with the directives that the controller makes of our ConfigMaps and annotations. */
export const ingressNginxUnderTest: ProxyUnderTest = {
  name: 'ingress-nginx',
  missing: noNginx ?? (MODULES.every(existsSync) ? undefined : 'set-misc is not installed'),
  cannot: {
    'post-303': SIGN_IN,
    script: SIGN_IN,
    basic: SIGN_IN,
    forbidden: 'nginx’s own page says 403; error_page is nothing that an annotation may set',
    endpoints: '503 in place of 404: they lead to a service that does not exist',
  },
  async start(t, setup) {
    const files = Object.fromEntries(
      proxies['ingress-nginx'](setup).map(({ name, text }) => [name, text]),
    )
    const maps = parseAllDocuments(files['controller.yml'] ?? '').map((document) =>
      ConfigMap.parse(document.toJS()),
    )
    const data = (name: string) => maps.find(({ metadata }) => metadata.name === name)?.data ?? {}
    const controller = data('ingress-nginx-controller')
    const sent = Object.entries(data('vestibule-headers'))
      .map(([name, value]) => `proxy_set_header ${name} "${value}";`)
      .join('\n')
    const server = (document: unknown, service: (name: string) => string | undefined): string => {
      const { metadata, spec } = Ingress.parse(document)
      const annotation = (name: string) => metadata.annotations[PREFIX + name]
      const buffers = `proxy_buffer_size ${annotation('proxy-buffer-size')};
proxy_buffers ${annotation('proxy-buffers-number')} ${annotation('proxy-buffer-size')};
proxy_busy_buffers_size ${annotation('proxy-busy-buffers-size')};`
      const url = annotation('auth-url')
      const signIn = annotation('auth-signin')
      const question =
        url === undefined
          ? ''
          : `location = /_external-auth {
internal;
proxy_pass_request_body off;
proxy_set_header Content-Length "";
proxy_set_header X-Forwarded-Proto "";
proxy_set_header Host ${new URL(url).hostname};
proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
proxy_set_header X-Original-Method $request_method;
proxy_set_header X-Sent-From "nginx-ingress-controller";
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Auth-Request-Redirect $request_uri;
${buffers}
proxy_http_version 1.1;
proxy_pass_request_headers on;
set $target ${url};
proxy_pass $target;
}
location @sign_in {
internal;
add_header Set-Cookie $auth_cookie;
return 302 ${signIn}&rd=$scheme://$http_host$escaped_request_uri;
}`
      const protection =
        url === undefined
          ? ''
          : `auth_request /_external-auth;
auth_request_set $auth_cookie $upstream_http_set_cookie;
add_header Set-Cookie $auth_cookie;
${(annotation('auth-response-headers') ?? '')
  .split(',')
  .map(
    (
      name,
      index,
    ) => `auth_request_set $authHeader${index} $upstream_http_${name.toLowerCase().replaceAll('-', '_')};
proxy_set_header '${name}' $authHeader${index};`,
  )
  .join('\n')}
set_escape_uri $escaped_request_uri $request_uri;
error_page 401 = @sign_in;`
      return spec.rules
        .map(
          ({ host, http }) => `server {
listen ${setup.listen};
server_name ${host};
${controller['server-snippet']}
${question}
${http.paths
  .map(({ path, backend }) => {
    const upstream = service(backend.service.name)
    return `location ${path === '/' ? '/' : `${path}/`} {
${
  upstream === undefined
    ? 'return 503;'
    : `${protection}
proxy_set_header Host $http_host;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $connection_upgrade;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-Port $server_port;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Scheme $scheme;
proxy_set_header X-Scheme $scheme;
proxy_set_header X-Original-Forwarded-For $http_x_forwarded_for;
proxy_set_header Proxy "";
${sent}
${buffers}
proxy_http_version 1.1;
proxy_pass http://${upstream};`
}
}
${path === '/' ? '' : `location = ${path} { return 503; }`}`
  })
  .join('\n')}
}`,
        )
        .join('\n')
    }
    const servers = (file: string, service: (name: string) => string | undefined): string =>
      parseAllDocuments(files[file] ?? '')
        .map((document) => server(document.toJS(), service))
        .join('\n')
    await startNginx(
      t,
      `ignore_invalid_headers ${controller['ignore-invalid-headers'] === 'true' ? 'on' : 'off'};
underscores_in_headers ${controller['enable-underscores-in-headers'] === 'true' ? 'on' : 'off'};
large_client_header_buffers ${controller['large-client-header-buffers']};
uninitialized_variable_warn off;
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
${controller['http-snippet']}
server {
listen ${setup.listen} default_server;
server_name _;
${controller['server-snippet']}
location / { return 404; }
}
${servers('app.yml', () => setup.appUpstream)}
${servers('portal.yml', (name) => (name === serviceName(setup.verifyUpstream) ? setup.verifyUpstream : undefined))}`,
      Number(setup.listen.split(':').at(-1)),
      MODULES,
    )
  },
}

const serviceName = (endpoint: string): string => endpoint.split(/[.:]/)[0] ?? ''
