import type { Manifest } from '../../kernel/feature.ts'
import { isWithin, parseHost } from '../../kernel/host.ts'
import en from './messages/en.json' with { type: 'json' }

const check: NonNullable<Manifest['check']> = (config, report) => {
  // Of two other rooms' slices, as their schemas give them, this reads no more than is written here.
  const { cookies } = config['session'] as { readonly cookies: readonly { domain: string }[] }
  const { rules } = config['access_control'] as {
    readonly rules: readonly { readonly domain?: readonly string[] | undefined }[]
  }
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

export default { messages: { en }, check } satisfies Manifest
