import { hostsOf, type PrintSnippet, portalsOf } from '../setup.ts'
import {
  headerDirectives,
  httpDirectives,
  portalDirectives,
  questionDirectives,
  serverDirectives,
} from './nginx-directives.ts'
import { upstream } from './swag.ts'

/**
 * Nginx Proxy Manager: one file for all hosts, and the text for a proxy host's "Advanced" tab. The question stands at the
 * head of the host and not in its location, so that custom locations and cached assets are asked about as well.
 */
export const npm: PrintSnippet = (setup) => {
  const { verifyUpstream } = setup
  const portals = portalsOf(setup)
  const ask = `        set $vestibule_upstream ${upstream(verifyUpstream)};
`
  return [
    {
      name: 'http_top.conf',
      text: `# Goes to /data/nginx/custom/http_top.conf of Nginx Proxy Manager, once for all hosts.

# Addresses of 8 KiB and more, and the cookies of many apps: nginx reads them before it knows the host.
large_client_header_buffers 8 32k;

${httpDirectives(setup)}`,
    },
    {
      name: 'advanced.conf',
      text: `# The "Custom Nginx Configuration" (tab "Advanced") of the proxy host of ${hostsOf(setup).join(', ')} in Nginx Proxy Manager. Leave
# "Publicly Accessible" as its access list: "Satisfy Any" of another list would mean that either is enough. Leave "Cache Assets"
# off, and the tab "Custom Locations" empty: they too are behind the question, but what they tell the app is not what is below.

    # Nginx Proxy Manager believes X-Real-IP from every private address, Docker's own among them: a client there
    # could choose an address that your rules let through. If another proxy of yours stands in front, name its address here.
    set_real_ip_from 127.0.0.1;

    # For the whole host.
${questionDirectives(setup)}

    location / {
        # Where the tab "Details" leads.
        proxy_pass $forward_scheme://$server:$port;

${headerDirectives(setup)}
    }

${serverDirectives('$vestibule_upstream', ask)}`,
    },
    ...(portals.length === 0
      ? []
      : [
          {
            name: 'portal-advanced.conf',
            text: `# The "Custom Nginx Configuration" (tab "Advanced") of the proxy host of ${portals.join(', ')}, the portal, where people
# sign in. The tab "Details" leads to http ${verifyUpstream}.

    set_real_ip_from 127.0.0.1;

${portalDirectives(setup, '        proxy_pass $forward_scheme://$server:$port;')}`,
          },
        ]),
  ]
}
