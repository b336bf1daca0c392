/**
 * What a decision costs: 10 rules against 10,000, and hostile paths against honest ones of the same length.
 *
 *   node bench/rules.ts [milliseconds a measurement=300]
 */
import {
  type Access,
  createAccess,
  type Subject,
  type Target,
} from '../src/features/access/index.ts'
import { AccessControl } from '../src/features/access/manifest.ts'

export interface RulesFixture {
  /** `access_control`, as it would be written. */
  readonly accessControl: unknown
  /** Hosts of their own rules, at which one factor opens every path. */
  readonly hosts: readonly string[]
}

/**
 * A rule set: two rules for each of count / 2 hosts, the first with resources; on top, for each hundred rules, two for
 * wildcards and one half for a pattern of hosts. 10 gives five hosts, 10,000 gives 5,000, 200 wildcards, 50 patterns.
 * @param domain what all hosts lie below
 */
export function rulesFixture(count: number, domain = 'example.com'): RulesFixture {
  const hosts = numbered(count / 2, (i) => `app${i}.${domain}`)
  const wildcards = numbered(count / 50, (i) => ({
    domain: `*.zone${i}.${domain}`,
    policy: 'two_factor',
    resources: ['^/admin(/.*)?$'],
  }))
  const patterns = numbered(count / 200, (i) => ({
    domain_regex: `^[a-z]+-${i}[0-9]*\\.${domain.replaceAll('.', '\\.')}$`,
    policy: 'two_factor',
  }))
  const own = hosts.flatMap((host, i) => [
    { domain: host, policy: 'one_factor', resources: RESOURCES[i % RESOURCES.length] },
    { domain: host, policy: 'one_factor', subject: [['group:staff'], ['user:bench']] },
  ])
  // The wide ones come first: they are in everybody's way.
  const rules = [...wildcards, ...patterns, ...own]
  return { accessControl: { default_policy: 'one_factor', rules }, hosts }
}

const numbered = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: Math.floor(count) }, (_, index) => make(index))

const RESOURCES: readonly (readonly string[])[] = [
  ['^/api/.*$', '^/rest(/.*)?$'],
  ['^/api/v[0-9]+/', '\\.(css|js|png|svg)$'],
  ['^/(static|assets|public)/', '^/health$'],
  ['^/users/[0-9]+/(edit|delete)$'],
]

const john: Subject = { user: 'john', groups: ['dev', 'staff'], clientId: '' }
const SAMPLES: readonly (readonly [path: string, query: string | undefined])[] = [
  ['/', undefined],
  ['/api/v1/items/42', undefined],
  ['/assets/index-4f1c9a.js', undefined],
  ['/app/page', 'x=1'],
  ['/users/17/profile', undefined],
  ['/api/v1/search', 'q=needle&page=2&per_page=50'],
]

const targetOf = (host: string, path: string, query?: string): Target => ({
  scheme: 'https',
  host,
  path,
  query,
  method: 'GET',
  address: '203.0.113.7',
})

/** Nanoseconds of processor time for one call; the best of three, as other work only ever adds. */
function cost(work: () => void, milliseconds: number): number {
  let best = Infinity
  for (let attempt = 0; attempt < 3; attempt++) {
    let calls = 0
    const start = process.cpuUsage()
    let spent = 0
    while (spent < milliseconds * 333) {
      for (let i = 0; i < 10; i++) work()
      calls += 10
      const { user, system } = process.cpuUsage(start)
      spent = user + system
    }
    best = Math.min(best, (spent * 1000) / calls)
  }
  return best
}

export function createFixtureAccess(count: number): Access {
  return createAccess(AccessControl.parse(rulesFixture(count).accessControl), {})
}

const fill = (unit: string, length: number): string =>
  `/${unit.repeat(Math.ceil(length / unit.length))}`.slice(0, length)

/** Units that hostile paths are made of; each is repeated up to the length. */
export const HOSTILE: Readonly<Record<string, string>> = {
  'one deep %25': '25',
  'encoded four times': '%25252541',
  'encoded twice': '%252541',
  'encoded letters': '%41',
  'overlong slashes': '%c0%af',
  parameters: ';a/',
  semicolons: ';',
  slashes: '/',
  backslashes: '\\',
  'dot segments': '../',
  'ups and downs': 'a/../',
  'question marks': '%3f',
  fragments: '#',
  everything: 'a;b\\c/../%252e%2e//',
  'for the suffix pattern': '.css.js',
}

function main(milliseconds: number): void {
  const rows: string[] = []
  let ten = 0
  for (const count of [10, 10_000]) {
    const started = performance.now()
    const access = createFixtureAccess(count)
    const { hosts } = rulesFixture(count)
    const ready = performance.now() - started
    // Every kind of path at every kind of host, a kind as often among 10 rules as among 10,000
    const targets = numbered(Math.max(hosts.length, 24), (i) => {
      const [path, query] = SAMPLES[Math.floor(i / 4) % SAMPLES.length] ?? ['/', undefined]
      return targetOf(hosts[hosts.length < 24 ? i % 4 : i] ?? '', path, query)
    })
    for (const target of targets) access.decide(john, 1, target)
    let next = 0
    const ns = cost(() => {
      for (let i = 0; i < 100; i++) {
        const target = targets[next++ % targets.length]
        if (target !== undefined) access.decide(john, 1, target)
      }
    }, milliseconds)
    if (count === 10) ten = ns / 100
    rows.push(
      `${String(count).padStart(6)} rules: ${(ns / 100).toFixed(0)} ns a decision, over ${targets.length} hosts; ready in ${ready.toFixed(0)} ms`,
    )
    if (count > 10) rows.push(`       more than with 10: ${(ns / 100 - ten).toFixed(0)} ns`)
  }
  const access = createFixtureAccess(10_000)
  let random = 0
  const unknown = cost(() => {
    access.decide(john, 1, targetOf(`h${random++}.zone7.example.com`, '/admin'))
  }, milliseconds)
  rows.push(`a host never seen before, among 10,000 rules: ${(unknown / 1000).toFixed(1)} µs`)
  console.log(rows.join('\n'))

  // app1 has a pattern that reads to the end of every path
  for (const length of [200, 2000, 16_000]) {
    const decide = (path: string) =>
      cost(() => access.decide(john, 1, targetOf('app1.example.com', path)), milliseconds / 3)
    const honest = decide(fill('users/john/', length)) / length
    console.log(`\n${length} characters, honest: ${honest.toFixed(1)} ns a character`)
    for (const [name, unit] of Object.entries(HOSTILE)) {
      const path =
        name === 'one deep %25' ? `/%${fill(unit, length - 2).slice(1)}` : fill(unit, length)
      // A sequence that the length cuts in two would be refused at once
      const whole = path.replace(/%.?$/, '')
      const verdict = access.verdict(john, targetOf('app1.example.com', whole))
      const each = decide(whole) / whole.length
      console.log(
        `  ${name.padEnd(24)} ${each.toFixed(1).padStart(6)} ns, ${(each / honest).toFixed(1).padStart(4)} times, ${verdict.refusal ?? `${verdict.readings} readings`}`,
      )
    }
  }
}

if (import.meta.main) main(Number(process.argv[2] ?? 300))
