/**
 * The rules once more, straight from the text (docs/decisions/011-the-readings-of-a-path.md, the HTTP contract's section
 * on rules): no index, no cache, nothing fast, nothing shared with the engine but the shapes of its inputs. Property tests
 * and the fuzz drill hold the engine against it.
 */
import { BlockList, isIP } from 'node:net'
import { RE2JS } from 're2js'
import type { Subject, Target } from '../../src/features/access/index.ts'
import type { AccessControl, AccessRule, Policy } from '../../src/features/access/manifest.ts'

export interface ReferenceVerdict {
  readonly policy: Policy
  readonly rule: number | undefined
  readonly hasSubject: boolean
  readonly readings: number
}

const DENIED: ReferenceVerdict = {
  policy: 'deny',
  rule: undefined,
  hasSubject: false,
  readings: 0,
}
const ORDER: readonly Policy[] = ['bypass', 'one_factor', 'two_factor', 'deny']

/** What the rules say, asking every rule for every reading. */
export function referenceVerdict(
  control: AccessControl,
  networks: Readonly<Record<string, readonly string[]>>,
  subject: Subject,
  target: Target,
): ReferenceVerdict {
  const paths = referenceReadings(target.path)
  if (paths === undefined) return DENIED
  const query = target.query === '' ? undefined : target.query
  const queries = new Set([query])
  if (query?.includes('#')) queries.add(query.replace(/#.*$/s, '') || undefined)
  if (target.path.includes('#')) queries.add(undefined)
  const answers: ReferenceVerdict[] = []
  for (const path of paths) {
    for (const one of queries) {
      for (const pathAlone of [false, true]) {
        const found = control.rules.findIndex((rule) =>
          matches(rule, networks, subject, { ...target, path, query: one }, pathAlone),
        )
        const rule = control.rules[found]
        answers.push({
          policy: rule?.policy ?? control.default_policy,
          rule: rule === undefined ? undefined : found,
          hasSubject: rule !== undefined && asksWho(rule),
          readings: paths.length * queries.size,
        })
      }
    }
  }
  const rank = ({ policy, hasSubject }: ReferenceVerdict) =>
    ORDER.indexOf(policy) * 2 + (hasSubject ? 0 : 1)
  const [strictest] = answers.sort(
    (a, b) => rank(b) - rank(a) || (a.rule ?? Infinity) - (b.rule ?? Infinity) || 0,
  )
  return strictest ?? DENIED
}

function matches(
  rule: AccessRule,
  networks: Readonly<Record<string, readonly string[]>>,
  subject: Subject,
  target: Target,
  pathAlone: boolean,
): boolean {
  const { path, query } = target
  const text = query === undefined ? path : `${path}?${query}`
  const hasHost = (rule.domain ?? []).length + (rule.domain_regex ?? []).length > 0
  if (hasHost && !matchesHost(rule, subject, target.host)) return false
  const { resources = [], methods = [], query: conditions = [] } = rule
  const sees = (source: string) => (pathAlone && !namesQuery(source) ? path : text)
  if (resources.length > 0 && !resources.some((one) => finds(one, sees(one), subject))) return false
  if (methods.length > 0 && !methods.some((one) => one.toUpperCase() === target.method))
    return false
  if (conditions.length > 0 && !matchesQuery(conditions, query)) return false
  if (!matchesNetwork(rule.networks ?? [], networks, target.address)) return false
  return matchesSubject(rule.subject ?? [], subject)
}

const isNobody = ({ user, groups, clientId }: Subject): boolean =>
  user === '' && clientId === '' && groups.length === 0

function matchesHost(rule: AccessRule, subject: Subject, host: string): boolean {
  const named = (rule.domain ?? []).some((written) => {
    const domain = written.toLowerCase().replace(/\.$/, '')
    if (domain.startsWith('*.'))
      return host.endsWith(domain.slice(1)) && host.length >= domain.length
    const [, kind, suffix = ''] = /^\{(user|group)\}(.*)$/.exec(domain) ?? []
    if (kind === undefined) return host === domain
    if (isNobody(subject)) return host.endsWith(suffix) && host.length > suffix.length
    if (kind === 'user') return subject.user !== '' && same(host, subject.user + suffix)
    return (
      subject.groups.some(
        (group) => !group.includes('.') && group !== '' && same(host, group + suffix),
      ) && host.replace(/^[^.]*/, '') === suffix
    )
  })
  return named || (rule.domain_regex ?? []).some((source) => finds(source, host, subject))
}

/** Equal but for case, whichever case both are brought to. */
const same = (a: string, b: string): boolean =>
  a.toLowerCase() === b.toLowerCase() && a.toUpperCase() === b.toUpperCase()

function finds(source: string, text: string, subject: Subject): boolean {
  const pattern = RE2JS.compile(source)
  const matcher = pattern.matcher(text)
  if (!matcher.find()) return false
  const names = Object.keys(pattern.namedGroups())
  if (isNobody(subject)) return true
  const held = (name: string): string => matcher.group(name) ?? ''
  if (names.includes('User') && (held('User') === '' || !same(held('User'), subject.user)))
    return false
  return (
    !names.includes('Group') || subject.groups.some((own) => own !== '' && same(own, held('Group')))
  )
}

/** `\?`, `[?]` and what else spells a question mark. */
function namesQuery(source: string): boolean {
  const bare = source.replace(/\\[^?xQ0-7]/g, '')
  return (
    /\\\?|\\x3[fF]|\\x\{0*3[fF]\}|\\0?77|\\Q((?!\\E).)*\?/.test(bare) || /\[[^\]]*\?/.test(bare)
  )
}

function matchesQuery(lists: NonNullable<AccessRule['query']>, query: string | undefined): boolean {
  const values = new URLSearchParams(`?${query ?? ''}`)
  return lists.some((list) =>
    list.every(({ operator, key, value }) => {
      const found = values.get(key) ?? ''
      switch (operator ?? (value === undefined ? 'present' : 'equal')) {
        case 'equal':
          return found === value
        case 'not equal':
          return found !== value
        case 'present':
          return values.has(key)
        case 'absent':
          return !values.has(key)
        case 'pattern':
          return RE2JS.compile(value ?? '').test(found)
        default:
          return !RE2JS.compile(value ?? '').test(found)
      }
    }),
  )
}

function matchesNetwork(
  written: readonly string[],
  networks: Readonly<Record<string, readonly string[]>>,
  address: string,
): boolean {
  if (written.length === 0) return true
  const list = new BlockList()
  for (const text of written.flatMap((name) => networks[name] ?? [name])) {
    const [base = '', prefix] = text.split('/')
    const family = isIP(base)
    if (family === 0) continue
    list.addSubnet(base, Number(prefix ?? (family === 4 ? 32 : 128)), `ipv${family === 4 ? 4 : 6}`)
  }
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

function matchesSubject(lists: readonly (readonly string[])[], subject: Subject): boolean {
  if (lists.length === 0 || isNobody(subject)) return true
  return lists.some((list) =>
    list.every(
      (text) =>
        (subject.user !== '' && text === `user:${subject.user}`) ||
        subject.groups.some((group) => text === `group:${group}`) ||
        (subject.clientId !== '' && text === `oauth2:client:${subject.clientId}`),
    ),
  )
}

function asksWho(rule: AccessRule): boolean {
  const patterns = [...(rule.domain_regex ?? []), ...(rule.resources ?? [])]
  return (
    (rule.subject ?? []).length > 0 ||
    (rule.domain ?? []).some((domain) => /^\{(user|group)\}/i.test(domain)) ||
    patterns.some((source) => {
      const names = Object.keys(RE2JS.compile(source).namedGroups())
      return names.includes('User') || names.includes('Group')
    })
  )
}

/** Every reading of a path as sent, in no particular order; undefined: the path is refused. */
export function referenceReadings(sent: string): readonly string[] | undefined {
  if (sent === '') return ['/']
  if (!sent.startsWith('/')) return undefined
  if (/%(?![0-9A-Fa-f]{2})/.test(sent)) return undefined
  const bytes = sent.replace(/[\x80-\xff]/g, (char) => `%${hex(char.charCodeAt(0))}`)
  const start = decode(bytes, STRUCTURE)
  const rounds = [start]
  for (let round = 0; round < 5; round++) rounds.push(decode(rounds.at(-1) ?? '', ''))
  if (rounds.some(hasControl) || rounds[5] !== rounds[4]) return undefined
  const all = new Set([start])
  for (let before = 0; before !== all.size; ) {
    before = all.size
    for (const path of [...all]) for (const step of STEPS) all.add(step(path))
    if ([...all].some(hasControl)) return undefined
    const room = Math.min(48 * 1024, Math.max(2048, 8 * start.length))
    if (all.size > 16 || [...all].join('').length > room) return undefined
  }
  return [...all]
}

const STRUCTURE = '/\\;#?%'
const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0')
const hasControl = (text: string): boolean => /\p{Cc}/u.test(text)

const STEPS: readonly ((path: string) => string)[] = [
  (path) => decode(path, ''),
  (path) => decode(path, STRUCTURE),
  (path) => path.split('\\').join('/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.split('#')[0] ?? '',
  (path) => path.split('?')[0] ?? '',
  (path) => path.replace(/\/+/g, '/'),
  withoutDots,
  (path) => (/\/\.\.?$/.test(path) ? withoutDots(path).replace(/(.)\/$/, '$1') : path),
]

function withoutDots(path: string): string {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  if (!segments.some((segment) => segment === '.' || segment === '..')) return path
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1
    if (segment === '..') kept.pop()
    if (segment !== '..' && segment !== '.') kept.push(segment)
    else if (isLast) kept.push('')
  }
  return `/${kept.join('/')}`.replace(/\/+/g, '/')
}

/** One round of decoding; characters of `keep` stay encoded. */
function decode(path: string, keep: string): string {
  return path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const bytes = run
      .slice(1)
      .split('%')
      .map((digits) => Number.parseInt(digits, 16))
    let text = ''
    while (bytes.length > 0) {
      const [code, size] = firstCharacter(bytes)
      const char = String.fromCodePoint(code)
      const isOverlongDot = keep !== '' && char === '.' && size > 1
      text += keep.includes(char) || isOverlongDot ? `%${hex(code)}` : char
      bytes.splice(0, size)
    }
    return text
  })
}

/** Lenient UTF-8: up to six bytes, overlong or not; anything else is U+FFFD and one byte. */
function firstCharacter(bytes: readonly number[]): [code: number, size: number] {
  const bits = (bytes[0] ?? 0).toString(2).padStart(8, '0')
  const size = bits.startsWith('0') ? 1 : bits.indexOf('0')
  if (size === 1 && bits.startsWith('0')) return [bytes[0] ?? 0, 1]
  const rest = bytes.slice(1, size)
  const isWhole = size >= 2 && size <= 6 && rest.length === size - 1
  if (!isWhole || rest.some((byte) => byte < 0x80 || byte > 0xbf)) return [0xfffd, 1]
  const digits = bits.slice(size + 1) + rest.map((b) => b.toString(2).slice(2)).join('')
  const code = Number.parseInt(digits, 2)
  return code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? [0xfffd, 1] : [code, size]
}
