import { OperatorError } from '../../../kernel/operator-error.ts'
import { aliasesOf, headersOf, untrueOf } from '../headers.ts'
import {
  type PrintSnippet,
  type ProxyDomain,
  type ProxySetup,
  portalsOf,
  servedDomains,
  verifyPaths,
} from '../setup.ts'
import { cookieMaps, REFUSED } from './nginx-directives.ts'

/**
 * ingress-nginx 1.9 and newer. Snippets in annotations are off there by default, with reason: what they would do is done for
 * all hosts, in the controller's ConfigMap, and an Ingress takes annotations alone.
 *
 * @throws OperatorError when Vestibule listens on a unix socket: auth-url has an address
 */
export const ingressNginx: PrintSnippet = (setup) => {
  if (setup.verifyUpstream.startsWith('unix:'))
    throw new OperatorError(
      'ingress-nginx cannot ask over a unix socket',
      'let server.address be a port, and name it with --upstream',
    )
  return [
    { name: 'controller.yml', text: controller(setup) },
    { name: 'app.yml', text: documents(setup, app) },
    ...(portalsOf(setup).length === 0
      ? []
      : [{ name: 'portal.yml', text: documents(setup, portal) }]),
  ]
}

/** One Ingress for each domain: each has a portal and a certificate of its own. */
const documents = (
  setup: ProxySetup,
  print: (setup: ProxySetup, domain: ProxyDomain) => string | undefined,
): string => setup.domains.flatMap((domain) => print(setup, domain) ?? []).join('---\n')

/** A name that no other domain's has. */
const named = (setup: ProxySetup, name: string, { domain }: ProxyDomain): string =>
  servedDomains(setup).length > 1 ? `${name}-${domain.replaceAll('.', '-')}` : name

const controller = (setup: ProxySetup): string => {
  // nginx lets no name with an underscore through: what is left are other spellings of names that have one.
  const aliases = headersOf(setup).flatMap((header) =>
    aliasesOf(header, ['_']).filter((alias) => !alias.includes('_')),
  )
  // The controller itself says two of them.
  const removed = [...untrueOf(['X-Forwarded-Port', 'X-Real-IP'], []), ...aliases]
    .map((header) => `  ${header}: ""`)
    .join('\n')
  return `# For the controller: merge the first into the ConfigMap that it has (Helm: controller.config), once for all apps. A user who
# may write this may read all traffic; keep "allow-snippet-annotations" as it is, false.
apiVersion: v1
kind: ConfigMap
metadata:
  name: ingress-nginx-controller
  namespace: ingress-nginx
data:
  # The controller asks about the Host header. Where a request line names another host, nginx goes by that one: such requests
  # are refused, or one app could be asked about and another one reached. So is an upgrade to anything but a websocket (h2c):
  # that would be a tunnel, and no request inside it is asked about.
  server-snippet: |
    if ($vestibule_other_host) { return 421; }
    if ($vestibule_tunnel) { return 400; }
${REFUSED}
  http-snippet: |
    map "$host $http_host" $vestibule_other_host {
        default 1;
        "~*^(\\S+) \\1(:[0-9]+)?$" 0;
    }
    map $http_upgrade $vestibule_tunnel {
        default 1;
        "" 0;
        "~*^websocket$" 0;
    }
    # No app sees the session cookie; the portal needs it. A second cookie of that name is an attack: then an app sees no
    # cookie at all.
${indented(cookieMaps(setup.cookieNames, '$vestibule_app_cookie'), 4)}
    map $host $vestibule_cookie {
        default $vestibule_app_cookie;
${portalNames(setup)
  .map((host) => `        "${host}" $http_cookie;`)
  .join('\n')}
    }
  proxy-set-headers: ingress-nginx/vestibule-headers
  # Addresses of 8 KiB and more, and the cookies of many apps.
  large-client-header-buffers: 8 32k
  # No client's Remote.User or Remote_User: PHP and its kin read them as Remote-User.
  ignore-invalid-headers: "true"
  enable-underscores-in-headers: "false"
  # Only where another proxy of yours stands in front is this true, and then with proxy-real-ip-cidr: what a client says of
  # where it comes from would be believed.
  use-forwarded-headers: "false"
  # Never add custom-http-errors with 401 or 403: where the page behind them answers 200, the door is open (CVE-2026-24513).
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: vestibule-headers
  namespace: ingress-nginx
data:
  Cookie: $vestibule_cookie
  # These could tell an app of another path, method or place than what was asked about.
${removed}
`
}

/** Every portal there is: what counts for all hosts of the controller must take the cookie from none of them. */
const portalNames = ({ domains }: ProxySetup): readonly string[] => [
  ...new Set(domains.flatMap(({ portalUrl }) => (portalUrl ? new URL(portalUrl).hostname : []))),
]

const app = (setup: ProxySetup, domain: ProxyDomain): string | undefined =>
  domain.hosts.length === 0
    ? undefined
    : `# An app behind Vestibule. Without the controller's part (controller.yml) the app would see the session cookie.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${named(setup, 'app', domain)}
  namespace: default
  annotations:
    # The question. Only a 2xx opens; without an answer it is 500.
    nginx.ingress.kubernetes.io/auth-url: http://${setup.verifyUpstream}/api/authz/auth-request
    # The identity, from the answer alone.
    nginx.ingress.kubernetes.io/auth-response-headers: ${headersOf(setup).join(',')}
${signIn(domain)}    # Room for the way to the portal, which repeats a long address.
    nginx.ingress.kubernetes.io/proxy-buffer-size: 128k
    nginx.ingress.kubernetes.io/proxy-buffers-number: "4"
    nginx.ingress.kubernetes.io/proxy-busy-buffers-size: 128k
spec:
  ingressClassName: nginx
${tls(setup, domain.hosts, named(setup, 'app-tls', domain))}  rules:
${domain.hosts.map((host) => rule(host, serviceOf(setup.appUpstream))).join('')}`

/** For anonymous requests: the controller adds rd, the address that was asked for. */
const signIn = ({ portalUrl }: ProxyDomain): string =>
  portalUrl === undefined
    ? ''
    : `    # Where people sign in. The controller sends everybody there, scripts too, and adds the address that was asked for.
    nginx.ingress.kubernetes.io/auth-signin: ${portalUrl}?rm=$request_method
`

const portal = (setup: ProxySetup, domain: ProxyDomain): string | undefined =>
  domain.portalHost === undefined
    ? undefined
    : `# The portal, where people sign in. Only proxies ask the verify endpoints, and not through here: they lead to a service that
# does not exist, which is 503.
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${named(setup, 'vestibule', domain)}
  namespace: default
  annotations:
    nginx.ingress.kubernetes.io/proxy-buffer-size: 64k
    nginx.ingress.kubernetes.io/proxy-buffers-number: "4"
    nginx.ingress.kubernetes.io/proxy-busy-buffers-size: 64k
spec:
  ingressClassName: nginx
${tls(setup, [domain.portalHost], named(setup, 'vestibule-tls', domain))}  rules:
    - host: ${domain.portalHost}
      http:
        paths:
${verifyPaths(setup)
  .map((path) => pathTo(path, { name: 'vestibule-nowhere', port: '80' }))
  .join('')}${pathTo('/', serviceOf(setup.verifyUpstream))}`

const rule = (host: string, service: Service): string => `    - host: ${host}
      http:
        paths:
${pathTo('/', service)}`

interface Service {
  readonly name: string
  readonly port: string
}

/** An Ingress names a service of its own namespace: the first part of the name. */
function serviceOf(endpoint: string): Service {
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(endpoint) ?? []
  return { name: host.split('.')[0] ?? '', port }
}

const pathTo = (path: string, { name, port }: Service): string => `          - path: ${path}
            pathType: Prefix
            backend: { service: { name: ${JSON.stringify(name)}, port: { number: ${port} } } }
`

const tls = ({ tls: isTls }: ProxySetup, hosts: readonly string[], secret: string): string =>
  isTls
    ? `  # Yours.
  tls: [{ hosts: [${hosts.join(', ')}], secretName: ${secret} }]
`
    : ''

const indented = (text: string, depth: number): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => ' '.repeat(depth) + line)
    .join('\n')
