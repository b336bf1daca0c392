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
 * What nginx needs, complete: where to ask, what to tell the app, what to keep from it, and where people go who may
 * not pass. One text for the banner of the first start, for deploy/nginx and for the tests that run nginx with it.
 */
export const nginx: PrintSnippet = (setup) => {
  const text = `# Vestibule in front of one app. Goes inside nginx's http { }, for example as /etc/nginx/conf.d/vestibule.conf. Once: a
# further app takes a copy of the app's server block, with its own server_name and proxy_pass.

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
${setup.domains.map((domain) => app(setup, domain)).join('')}${setup.domains.map((domain) => portal(setup, domain)).join('')}`
  return [{ name: 'vestibule.conf', text }]
}

const listen = ({ listen: address, tls }: ProxySetup): string => (tls ? `${address} ssl` : address)

function certificate(setup: ProxySetup, domain: ProxyDomain | undefined): string {
  if (!setup.tls || domain === undefined) return ''
  const name = certificateName(setup, domain)
  return `    # Yours.
    ssl_certificate /etc/ssl/certs/${name}.pem;
    ssl_certificate_key /etc/ssl/private/${name}.key;
`
}

const app = (setup: ProxySetup, domain: ProxyDomain): string =>
  domain.hosts.length === 0
    ? ''
    : `
server {
    listen ${listen(setup)};
    server_name ${domain.hosts.join(' ')};
${certificate(setup, domain)}
    location / {
        # Your app.
        proxy_pass http://${setup.appUpstream};

${questionDirectives(setup)}

${headerDirectives(setup)}
    }

${serverDirectives('vestibule')}}
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
