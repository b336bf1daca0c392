import { Refusal } from '../../../kernel/refusal.ts'
import { aliasesOf, headersOf, untrueOf } from '../headers.ts'
import { hostsOf, type PrintSnippet, type ProxySetup, portalsOf, verifyPattern } from '../setup.ts'

/**
 * Traefik 3: a file for its file provider, what the static configuration needs for it, and labels for Docker. The
 * middlewares are in the file alone: a label cannot name a header with a dot in it.
 *
 * @throws Refusal when Vestibule listens on a unix socket: forwardAuth has an address
 */
export const traefik: PrintSnippet = (setup) => {
  const { verifyUpstream } = setup
  const hosts = hostRule(hostsOf(setup))
  const portals = portalsOf(setup)
  if (verifyUpstream.startsWith('unix:'))
    throw new Refusal(
      'Traefik cannot ask over a unix socket',
      'let server.address be a port, and name it with --upstream',
    )
  const headers = headersOf(setup)
  const removed = [
    ...headers.flatMap((header) => [header, ...aliasesOf(header)]),
    // Traefik itself says these three, and takes a client's away.
    ...untrueOf(['X-Forwarded-Server', 'X-Forwarded-Port', 'X-Real-IP'], ['_', '.']),
  ]
  const dynamic = `# Vestibule in front of one app, for Traefik 3: a file of its file provider, for example /etc/traefik/dynamic/vestibule.yml.
# traefik.yml beside it has what the static configuration needs.

http:
  routers:
    # Two for one app: a websocket keeps its upgrade. Any other (h2c) would be a tunnel through which nobody asks again.
    app:
      rule: ${yaml(hosts)}
${entry(setup)}      middlewares: [vestibule-no-upgrade, vestibule]
      service: app
    app-websocket:
      rule: ${yaml(`(${hosts}) && ${WEBSOCKET}`)}
${entry(setup)}      middlewares: [vestibule-websocket, vestibule]
      service: app
${portals.length === 0 ? '' : portalRouter(setup, portals)}
  services:
    # Your app.
    app:
      loadBalancer:
        servers: [{ url: "http://${setup.appUpstream}" }]
${portals.length === 0 ? '' : `    vestibule:\n      loadBalancer:\n        servers: [{ url: "http://${verifyUpstream}" }]\n`}
  middlewares:
    # In this order and no other.
    vestibule:
      chain: { middlewares: [vestibule-client, vestibule-question] }

    # The question. Only a 2xx opens; any other answer (the way to the portal, 401, 403) goes to the client as it is, and
    # without an answer it is 500. Traefik itself says what is asked about, whatever the client sent.
    vestibule-question:
      forwardAuth:
        address: "http://${verifyUpstream}/api/authz/forward-auth"
        trustForwardHeader: false
        # Taken from the answer, and from nobody else.
        authResponseHeaders: [${headers.map(yaml).join(', ')}]
        # Traefik cannot take single cookies away, so the app sees ${setup.cookieNames.join(' and ')}. For an app that
        # needs no cookie of its own, add "Cookie" to the list above: then it sees none at all.

    vestibule-no-upgrade:
      headers: { customRequestHeaders: { Upgrade: "" } }
    vestibule-websocket:
      headers: { customRequestHeaders: { Upgrade: "websocket" } }

    # What only Vestibule may say does not come from a client, in no spelling that an app could take for it: PHP and its kin
    # read Remote_User, Remote.User and Remote!User as Remote-User. The others could tell an app of another path,
    # method or place than what was asked about.
    vestibule-client:
      headers:
        customRequestHeaders:
${removed.map((header) => `          ${yaml(header)}: ""`).join('\n')}
`
  return [
    { name: 'vestibule.yml', text: dynamic },
    { name: 'traefik.yml', text: staticPart(setup) },
    { name: 'docker-labels.yml', text: labels(setup) },
  ]
}

const WEBSOCKET = 'HeaderRegexp(`Upgrade`, `(?i)^websocket$`)'

const hostRule = (hosts: readonly string[]): string =>
  hosts.map((host) => `Host(\`${host}\`)`).join(' || ')

const entryPoint = ({ tls }: ProxySetup): string => (tls ? 'websecure' : 'web')

const entry = (setup: ProxySetup): string =>
  `      entryPoints: [${entryPoint(setup)}]\n${setup.tls ? '      tls: {}\n' : ''}`

const portalRouter = (
  setup: ProxySetup,
  hosts: readonly string[],
): string => `    # The portal, where people sign in. Only proxies ask the endpoints that are left out.
    vestibule:
      rule: ${yaml(`(${hostRule(hosts)}) && !PathRegexp(\`^${verifyPattern(setup)}(/|$)\`)`)}
${entry(setup)}      service: vestibule
`

function staticPart(setup: ProxySetup): string {
  const listen = setup.listen.includes(':') ? setup.listen : `:${setup.listen}`
  return `# What vestibule.yml needs in Traefik's static configuration.

entryPoints:
  ${entryPoint(setup)}:
    address: ${yaml(listen)}
    # With Traefik 3.7.12 and newer (3.6.20 and newer know underscoreHeadersStrategy alone): no header of a client may have a
    # name that some app takes for another one's. vestibule.yml names those that we know of; this is all of them.
    #http: { aliasHeadersStrategy: delete }

providers:
  file: { filename: /etc/traefik/dynamic/vestibule.yml }
`
}

/** Labels for an app that Docker tells Traefik about. */
function labels(setup: ProxySetup): string {
  const router = (name: string, rule: string, first: string) => {
    const start = `traefik.http.routers.${name}`
    return [
      [`${start}.rule`, rule],
      [`${start}.entrypoints`, entryPoint(setup)],
      ...(setup.tls ? [[`${start}.tls`, 'true']] : []),
      [`${start}.middlewares`, `${first}@file,vestibule@file`],
    ]
  }
  const hosts = hostRule(hostsOf(setup))
  const port = setup.appUpstream.split(':').at(-1) ?? ''
  const pairs = [
    ['traefik.enable', 'true'],
    ...router('app', hosts, 'vestibule-no-upgrade'),
    ...router('app-websocket', `(${hosts}) && ${WEBSOCKET}`, 'vestibule-websocket'),
    ['traefik.http.services.app.loadbalancer.server.port', port],
  ]
  return `# In place of the routers and the service of vestibule.yml, when Docker tells Traefik about the app. The middlewares stay in
# the file. Without the file there is no vestibule@file, and Traefik answers 404: closed.
services:
  app:
    labels:
${pairs.map(([key = '', value = '']) => `      ${key}: ${yaml(value)}`).join('\n')}
`
}

/** JSON is YAML. */
const yaml = (text: string): string => JSON.stringify(text)
