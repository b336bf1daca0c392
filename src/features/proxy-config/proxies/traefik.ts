import { OperatorError } from '../../../kernel/operator-error.ts'
import { aliasesOf, headersOf, untrueOf } from '../headers.ts'
import { hostsOf, type PrintSnippet, type ProxySetup, portalsOf, verifyPattern } from '../setup.ts'

/**
 * Traefik 3: what all apps share and an app, both for its file provider; what the static configuration needs for them; and
 * the app as labels for Docker. The middlewares are in the file alone: a label cannot name a header with a dot in it.
 *
 * @throws OperatorError when Vestibule listens on a unix socket: forwardAuth has an address
 */
export const traefik: PrintSnippet = (setup) => {
  if (setup.verifyUpstream.startsWith('unix:'))
    throw new OperatorError(
      'Traefik cannot ask over a unix socket',
      'let server.address be a port, and name it with --upstream',
    )
  return [
    { name: 'vestibule.yml', text: shared(setup) },
    { name: 'app.yml', text: app(setup) },
    { name: 'traefik.yml', text: staticPart(setup) },
    { name: 'docker-labels.yml', text: labels(setup) },
  ]
}

/** The portal, and the one middleware that an app names. */
function shared(setup: ProxySetup): string {
  const { verifyUpstream } = setup
  const headers = headersOf(setup)
  const removed = [
    ...headers.flatMap((header) => [header, ...aliasesOf(header)]),
    // Traefik itself says these three, and takes a client's away.
    ...untrueOf(['X-Forwarded-Server', 'X-Forwarded-Port', 'X-Real-IP'], ['_', '.']),
  ]
  return `# Vestibule, for Traefik 3: what all apps share. A file of its file provider, /etc/traefik/dynamic/vestibule.yml.
# An app names one middleware of it: vestibule (from labels: vestibule@file).

http:
${portal(setup)}  middlewares:
    # In this order and no other.
    vestibule:
      chain: { middlewares: [vestibule-client, vestibule-question] }

    # The question. Only a 2xx opens; any other answer (the way to the portal, 401, 403) goes to the client as it is, and
    # without an answer it is 500. Traefik itself says what is asked about, whatever the client sent.
    vestibule-question:
      forwardAuth:
        address: "http://${verifyUpstream}/api/authz/forward-auth"
        trustForwardHeader: false
        # Taken from the answer alone.
        authResponseHeaders: [${headers.map(yaml).join(', ')}]
        # Traefik cannot take single cookies away, so the app sees ${setup.cookieNames.join(' and ')}. For an app that
        # needs no cookie of its own, add "Cookie" to the list above: then it sees none at all.

    # What only Vestibule may say does not come from a client, in no spelling that an app could take for it: PHP and its kin
    # read Remote_User, Remote.User and Remote!User as Remote-User. The others could tell an app of another path,
    # method or place than what was asked about.
    vestibule-client:
      headers:
        customRequestHeaders:
          # An upgrade can only be one to a websocket: any other (h2c) would be a tunnel, and no request inside it is asked
          # about. Of a request without "Connection: Upgrade" Traefik drops this header.
          "Upgrade": "websocket"
${removed.map((header) => `          ${yaml(header)}: ""`).join('\n')}
`
}

function app(setup: ProxySetup): string {
  return `# An app, beside vestibule.yml. A further one: a copy with its own names, Host and url. Where Docker tells Traefik about the
# app, docker-labels.yml says the same, and this file is not needed.

http:
  routers:
    app:
      rule: ${yaml(hostRule(hostsOf(setup)))}
${entry(setup)}      middlewares: [vestibule]
      service: app
  services:
    app:
      loadBalancer:
        servers: [{ url: "http://${setup.appUpstream}" }]
`
}

const hostRule = (hosts: readonly string[]): string =>
  hosts.map((host) => `Host(\`${host}\`)`).join(' || ')

const entryPoint = ({ tls }: ProxySetup): string => (tls ? 'websecure' : 'web')

const entry = (setup: ProxySetup): string =>
  `      entryPoints: [${entryPoint(setup)}]\n${setup.tls ? '      tls: {}\n' : ''}`

function portal(setup: ProxySetup): string {
  const hosts = portalsOf(setup)
  if (hosts.length === 0) return ''
  return `  routers:
    # The portal, where people sign in. Only proxies ask the endpoints that are left out.
    vestibule:
      rule: ${yaml(`(${hostRule(hosts)}) && !PathRegexp(\`^${verifyPattern(setup)}(/|$)\`)`)}
${entry(setup)}      service: vestibule
  services:
    vestibule:
      loadBalancer:
        servers: [{ url: "http://${setup.verifyUpstream}" }]
`
}

function staticPart(setup: ProxySetup): string {
  const listen = setup.listen.includes(':') ? setup.listen : `:${setup.listen}`
  return `# What vestibule.yml and app.yml need in Traefik's static configuration.

entryPoints:
  ${entryPoint(setup)}:
    address: ${yaml(listen)}
    # With Traefik 3.7.12 and newer (3.6.20 and newer know underscoreHeadersStrategy alone): no header of a client may have a
    # name that some app takes for another one's. vestibule.yml names those that we know of; this is all of them.
    #http: { aliasHeadersStrategy: delete }

providers:
  file: { directory: /etc/traefik/dynamic }
`
}

/** The app of app.yml as labels, for an app that Docker tells Traefik about. */
function labels(setup: ProxySetup): string {
  const router = 'traefik.http.routers.app'
  const port = setup.appUpstream.split(':').at(-1) ?? ''
  const pairs = [
    ['traefik.enable', 'true'],
    [`${router}.rule`, hostRule(hostsOf(setup))],
    [`${router}.entrypoints`, entryPoint(setup)],
    ...(setup.tls ? [[`${router}.tls`, 'true']] : []),
    [`${router}.middlewares`, 'vestibule@file'],
    ['traefik.http.services.app.loadbalancer.server.port', port],
  ]
  return `# In place of app.yml, when Docker tells Traefik about the app. Vestibule's part of it is one label, the middleware; it stays
# in vestibule.yml. Without that file there is no vestibule@file, and Traefik answers 404: closed.
services:
  app:
    labels:
${pairs.map(([key = '', value = '']) => `      ${key}: ${yaml(value)}`).join('\n')}
`
}

/** JSON is YAML. */
const yaml = (text: string): string => JSON.stringify(text)
