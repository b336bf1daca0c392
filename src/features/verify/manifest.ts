import { type ConfigReport, defineManifest, type SlicesOf } from '../../kernel/feature.ts'
import { isWithin, parseHost } from '../../kernel/host.ts'
import access from '../access/manifest.ts'
import sessions from '../sessions/manifest.ts'
import { checkEndpoints, endpoints } from './endpoints-config.ts'
import { checkHeaderNames, identityHeaders } from './header-names.ts'
import en from './messages/en.json' with { type: 'json' }

/** A rule for a host in no cookie domain is never asked. */
function checkRuleDomains(
  { session: { cookies }, access_control: { rules } }: SlicesOf<typeof sessions | typeof access>,
  report: ConfigReport,
): void {
  const covered = cookies.flatMap(({ domain }) => hostOf(domain) ?? [])
  for (const [index, { domain = [] }] of rules.entries()) {
    for (const [at, text] of domain.entries()) {
      const [, anyBelow = '', rest = ''] =
        /^(\*\.|\{(?:user|group)\}[^.]*\.)?(.*)$/i.exec(text) ?? []
      const host = hostOf(rest)
      // What is no host at all is said elsewhere.
      if (host === undefined) continue
      const isCovered = covered.some(
        (name) => isWithin(host, name) || (anyBelow !== '' && isWithin(name, host)),
      )
      if (isCovered) continue
      report.warn(
        ['access_control', 'rules', index, 'domain', at],
        'lies in no cookie domain: a request for it is refused before any rule is read',
      )
    }
  }
}

const hostOf = (text: string): string | undefined =>
  /[*{}/:]/.test(text) ? undefined : parseHost(text.replace(/^\.+/, ''), 'https')?.name

export default defineManifest({
  // What an operator names lies below /api/authz.
  paths: ['/verify', '/api'],
  config: {
    'server.endpoints': endpoints,
    identity_headers: identityHeaders
      .prefault({})
      .describe('The names of the headers that tell an application who is there.'),
  },
  reads: [sessions, access],
  check(config, report) {
    checkHeaderNames(config['identity_headers'], report)
    checkEndpoints(config['server.endpoints'], report)
    checkRuleDomains(config, report)
  },
  messages: { en },
})
