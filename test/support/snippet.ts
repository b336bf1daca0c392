import {
  nginxInOne,
  type ProxyDomain,
  type ProxySetup,
} from '../../src/features/proxy-config/index.ts'

/** The setup of deploy/, but for what is named here. */
export const setupWith = ({
  hosts = ['app.vestibule.localhost'],
  portalHost,
  ...changes
}: Partial<ProxySetup> & Partial<Pick<ProxyDomain, 'hosts' | 'portalHost'>>): ProxySetup => ({
  verifyUpstream: '127.0.0.1:9091',
  listen: '127.0.0.1:8080',
  tls: false,
  domains: [
    { domain: 'vestibule.localhost', hosts, ...(portalHost !== undefined && { portalHost }) },
  ],
  appUpstream: '127.0.0.1:8081',
  cookieNames: ['vestibule_session'],
  identityHeaders: {
    user: 'Remote-User',
    groups: 'Remote-Groups',
    name: 'Remote-Name',
    email: 'Remote-Email',
  },
  ...changes,
})

/** The nginx snippet for a setup, as one text. */
export const nginxSnippet = (setup: ProxySetup): string => nginxInOne(setup)

/** The nginx snippet of deploy/nginx as it is, but for ports and the hosts it answers. */
export const snippet = (ports: { vestibule: number; listen: number; app: number }): string =>
  nginxSnippet(
    setupWith({
      verifyUpstream: `127.0.0.1:${ports.vestibule}`,
      listen: `127.0.0.1:${ports.listen}`,
      appUpstream: `127.0.0.1:${ports.app}`,
      hosts: ['app', 'public', 'admin', 'bank'].map((name) => `${name}.vestibule.localhost`),
    }),
  )
