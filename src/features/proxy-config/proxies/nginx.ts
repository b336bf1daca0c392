import {
  certificateName,
  type PrintSnippet,
  type ProxyDomain,
  type ProxySetup,
  servedDomains,
} from '../setup.ts'
import {
  headerDirectives,
  httpDirectives,
  NAMES,
  portalDirectives,
  questionDirectives,
  serverDirectives,
} from './nginx-directives.ts'

/**
 * What nginx needs: what all apps share, two files that each app's server block includes, and such a server block. Includes
 * without a folder are looked up beside nginx.conf.
 */
export const nginx: PrintSnippet = (setup) => [
  { name: 'vestibule-http.conf', text: shared(setup) },
  {
    name: SERVER_FILE,
    text: `# Goes to /etc/nginx/, and is included in the server block of every app that Vestibule protects.

${serverDirectives('vestibule')}`,
  },
  {
    name: LOCATION_FILE,
    text: `# Goes to /etc/nginx/, and is included in every location that Vestibule protects. A location inside another one, or one with a
# proxy_set_header of its own, takes its own include: nginx inherits these lines only where there is none.

${questionDirectives(setup)}

${headerDirectives(setup)}
`,
  },
  {
    name: 'app.conf',
    text: `# An app. Goes to /etc/nginx/conf.d/. For a further app: a copy with its own server_name and proxy_pass; in a server block that
# you have, the two includes.
${apps(setup, INCLUDES)}`,
  },
]

/** The same as one text for nginx's http { }, for a container that takes one file. */
export const nginxInOne = (setup: ProxySetup): string =>
  `${shared(setup)}${apps(setup, { server: serverDirectives('vestibule').trimEnd(), location: `${questionDirectives(setup)}\n\n${headerDirectives(setup)}` })}`

const SERVER_FILE = 'vestibule-server.conf'
const LOCATION_FILE = 'vestibule-location.conf'
const INCLUDES: Included = {
  server: `    include ${SERVER_FILE};`,
  location: `        include ${LOCATION_FILE};`,
}

/** The lines that a server block and a location take. */
interface Included {
  readonly server: string
  readonly location: string
}

const shared = (
  setup: ProxySetup,
): string => `# Vestibule, for nginx: what all apps share. Goes inside http { }, once, for example as /etc/nginx/conf.d/vestibule-http.conf.

upstream vestibule {
    server ${setup.verifyUpstream};
    keepalive 32;
}

${httpDirectives(setup)}
# A host that no server block names is no app's. Without this block nginx would hand it to the first. If you have a
# default_server of your own here, one without an app in it, leave this one out.
server {
    listen ${listen(setup)} default_server;
    server_name _;
${certificate(setup, servedDomains(setup)[0])}    # nginx reads the address before it knows the host: this one counts for all.
    large_client_header_buffers 8 32k;
${NAMES}
    return 421;
}
${setup.domains.map((domain) => portal(setup, domain)).join('')}`

const apps = (setup: ProxySetup, included: Included): string =>
  setup.domains.map((domain) => app(setup, domain, included)).join('')

const listen = ({ listen: address, tls }: ProxySetup): string => (tls ? `${address} ssl` : address)

function certificate(setup: ProxySetup, domain: ProxyDomain | undefined): string {
  if (!setup.tls || domain === undefined) return ''
  const name = certificateName(setup, domain)
  return `    # Yours.
    ssl_certificate /etc/ssl/certs/${name}.pem;
    ssl_certificate_key /etc/ssl/private/${name}.key;
`
}

const app = (setup: ProxySetup, domain: ProxyDomain, { server, location }: Included): string =>
  domain.hosts.length === 0
    ? ''
    : `
server {
    listen ${listen(setup)};
    server_name ${domain.hosts.join(' ')};
${certificate(setup, domain)}${server}

    location / {
${location}

        # Your app.
        proxy_pass http://${setup.appUpstream};
    }
}
`

const portal = (setup: ProxySetup, domain: ProxyDomain): string =>
  domain.portalHost === undefined
    ? ''
    : `
# The portal, where people sign in.
server {
    listen ${listen(setup)};
    server_name ${domain.portalHost};
${certificate(setup, domain)}${portalDirectives(setup, '        proxy_pass http://vestibule;')}}
`
