import { hostsOf, type PrintSnippet, type ProxySetup, portalsOf } from '../setup.ts'
import {
  headerDirectives,
  httpDirectives,
  portalDirectives,
  questionDirectives,
  serverDirectives,
} from './nginx-directives.ts'

/**
 * SWAG (linuxserver.io): the pieces of nginx's snippet as files for its folders, in the manner of those that it brings for
 * others. Its proxy.conf says many of the same headers, and nginx would send both: ours takes its place.
 */
export const swag: PrintSnippet = (setup) => {
  const portals = portalsOf(setup)
  const ask = `        include /config/nginx/resolver.conf;
        set $vestibule_upstream ${upstream(setup.verifyUpstream)};
`
  return [
    {
      name: 'vestibule-http.conf',
      text: `# Goes to /config/nginx/site-confs/ of SWAG. What the other files of Vestibule share; once, whatever the number of apps.

${httpDirectives(setup)}`,
    },
    {
      name: 'vestibule-server.conf',
      text: `# Goes to /config/nginx/ of SWAG, and is included in the server block of every app that Vestibule protects.

${serverDirectives('$vestibule_upstream', ask)}`,
    },
    {
      name: 'vestibule-location.conf',
      text: `# Goes to /config/nginx/ of SWAG, and is included in every location that Vestibule protects, in place of proxy.conf: both say
# where a request comes from, and an app that is told twice may believe either.

${questionDirectives(setup)}

${headerDirectives(setup)}

        # What proxy.conf says beside headers. Without them nothing is open, and a slow app is given up early.
        proxy_connect_timeout 240;
        proxy_send_timeout 240;
        proxy_read_timeout 240;
`,
    },
    {
      name: 'app.subdomain.conf',
      text: `# An example, for /config/nginx/proxy-confs/ of SWAG. In the file that you have for an app, it takes the two includes of
# Vestibule, and no proxy.conf beside the second.

server {
${listen(setup)}    server_name ${hostsOf(setup).join(' ')};
${certificate(setup)}    client_max_body_size 0;

    include /config/nginx/vestibule-server.conf;

    location / {
        include /config/nginx/vestibule-location.conf;

        include /config/nginx/resolver.conf;
        # Your app.
        set $upstream_app ${upstream(setup.appUpstream)};
        proxy_pass http://$upstream_app;
    }
}
`,
    },
    ...(portals.length === 0
      ? []
      : [
          {
            name: 'vestibule.subdomain.conf',
            text: `# The portal, where people sign in. Goes to /config/nginx/proxy-confs/ of SWAG.

server {
${listen(setup)}    server_name ${portals.join(' ')};
${certificate(setup)}${portalDirectives(setup, `${ask}        proxy_pass http://$vestibule_upstream;`)}}
`,
          },
        ]),
  ]
}

/** A unix socket takes a colon behind its path. */
export const upstream = (text: string): string => (text.startsWith('unix:') ? `${text}:` : text)

/** On IPv6 too, where it listens everywhere. */
const listen = ({ listen: address, tls }: ProxySetup): string =>
  [address, ...(/^\d+$/.test(address) ? [`[::]:${address}`] : [])]
    .map((one) => `    listen ${one}${tls ? ' ssl' : ''};\n`)
    .join('')

const certificate = ({ tls }: ProxySetup): string =>
  tls ? '    include /config/nginx/ssl.conf;\n' : ''
