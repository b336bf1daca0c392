import type { PrintSnippet, ProxySetup } from '../setup.ts'
import {
  headerDirectives,
  httpDirectives,
  NAMES,
  portalDirectives,
  questionDirectives,
  serverDirectives,
} from './nginx-directives.ts'

/**
 * What nginx needs, complete: where to ask, what to tell the app, what to keep from it, and where people go who may
 * not pass. One text for the banner of the first start, for deploy/nginx and for the tests that run nginx with it.
 */
export const nginx: PrintSnippet = (setup) => {
  const { verifyUpstream, hosts, appUpstream, portalHost } = setup
  const text = `# Vestibule in front of one app. Goes inside nginx's http { }, for example as /etc/nginx/conf.d/vestibule.conf.

upstream vestibule {
    server ${verifyUpstream};
    keepalive 32;
}

${httpDirectives(setup)}
# A host that no server block names is no app's. Without this block nginx would hand it to the first. If you have a
# default_server of your own here, one without an app in it, leave this one out.
server {
    listen ${listen(setup)} default_server;
    server_name _;
${certificate(setup)}    # nginx reads the address before it knows the host: this one counts for all.
    large_client_header_buffers 8 32k;
${NAMES}
    return 421;
}

server {
    listen ${listen(setup)};
    server_name ${hosts.join(' ')};
${certificate(setup)}
    location / {
        # Your app.
        proxy_pass http://${appUpstream};

${questionDirectives(setup)}

${headerDirectives(setup)}
    }

${serverDirectives('vestibule')}}
${portalHost === undefined ? '' : portal(setup, portalHost)}`
  return [{ name: 'vestibule.conf', text }]
}

const listen = ({ listen: address, tls }: ProxySetup): string => (tls ? `${address} ssl` : address)

const certificate = ({ tls }: ProxySetup): string =>
  tls
    ? `    # Yours.
    ssl_certificate /etc/ssl/certs/vestibule.pem;
    ssl_certificate_key /etc/ssl/private/vestibule.key;
`
    : ''

const portal = (setup: ProxySetup, host: string): string => `
# The portal, where people sign in.
server {
    listen ${listen(setup)};
    server_name ${host};
${certificate(setup)}${portalDirectives(setup, '        proxy_pass http://vestibule;')}}
`
