/**
 * What a decision costs: 10 rules against 1,000 and 10,000, over many hosts and on one; hostile paths against honest ones
 * of the same length; what a rule set costs to make and to keep.
 *
 *   node bench/rules.ts [milliseconds a measurement=300] [rounds=5]
 */
import {
  type Access,
  createAccess,
  type Subject,
  type Target,
} from '../src/features/access/index.ts'
import { AccessControl } from '../src/features/access/manifest.ts'
import { spread } from './processes.ts'

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

/**
 * All rules on one host, as many of each kind: a page, everything below a path, a pattern with alternatives, and below a
 * path of its own each: rules with a subject, a method, a network.
 */
export function oneHostFixture(count: number, domain = 'example.com'): RulesFixture {
  const host = `one.${domain}`
  const kinds: readonly ((i: number) => object)[] = [
    (i) => ({ resources: `^/page/${i}$` }),
    (i) => ({ resources: `^/app${i}([/?].*)?$` }),
    (i) => ({ resources: `^/api/v[0-9]+/item${i}/(edit|delete|view)$` }),
    (i) => ({ resources: `^/team${i}/`, subject: [[`group:team${i}`], ['user:bench']] }),
    (i) => ({ resources: `^/hook${i}(/.*)?$`, methods: ['POST', 'PUT'] }),
    (i) => ({ resources: `^/lan${i}/`, networks: [`10.${(i >> 8) & 255}.${i & 255}.0/24`] }),
  ]
  const rules = numbered(count, (i) => ({
    domain: host,
    policy: 'one_factor',
    ...kinds[i % kinds.length]?.(i),
  }))
  return { accessControl: { default_policy: 'one_factor', rules }, hosts: [host] }
}

/** Paths of that host: met by one of the first rules, by one of the last, by none. */
function oneHostPaths(count: number): Readonly<Record<string, readonly string[]>> {
  const last = count - (count % 6)
  return {
    early: ['/page/0', '/app1/x', '/api/v1/item2/edit'],
    late: [`/page/${last - 6}`, `/app${last - 5}/x`, `/api/v2/item${last - 4}/view`],
    none: SAMPLES.map(([path]) => path),
  }
}

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

/** Decisions by turns about all of the targets. */
function asking(access: Access, targets: readonly Target[]): () => void {
  for (const target of targets) access.decide(john, 1, target)
  let next = 0
  return () => {
    for (let i = 0; i < 10; i++) {
      const target = targets[next++ % targets.length]
      if (target !== undefined) access.decide(john, 1, target)
    }
  }
}

const COUNTS = [10, 1000, 10_000] as const

/** Each round measures every size once, so that what else the machine does falls on all of them. */
function compare(
  title: string,
  make: (count: number) => { readonly access: Access; readonly targets: readonly Target[] },
  milliseconds: number,
  rounds: number,
): void {
  const contenders = COUNTS.map((count) => {
    const { access, targets } = make(count)
    return { count, work: asking(access, targets), costs: [] as number[] }
  })
  for (let round = 0; round < rounds; round++)
    for (const { work, costs } of contenders) costs.push(cost(work, milliseconds / rounds) / 10)
  const [ten] = contenders
  const cells = contenders.map(({ costs }) => {
    const ratios = costs.map((each, round) => each / (ten?.costs[round] ?? each))
    return `${spread(costs).padEnd(22)} ${spread(ratios, 2).padEnd(18)}`
  })
  console.log(`${title.padEnd(20)} ${cells.join(' ')}`)
}

function compareCounts(milliseconds: number, rounds: number): void {
  console.log(
    `ns a decision and times that of 10 rules, ${rounds} rounds by turns; ${COUNTS.join(', ')} rules; median (least–most)`,
  )
  compare(
    'over many hosts',
    (count) => {
      const { accessControl, hosts } = rulesFixture(count)
      // Every kind of path at every kind of host, a kind as often among 10 rules as among 10,000
      const targets = numbered(Math.max(hosts.length, 24), (i) => {
        const [path, query] = SAMPLES[Math.floor(i / 4) % SAMPLES.length] ?? ['/', undefined]
        return targetOf(hosts[hosts.length < 24 ? i % 4 : i] ?? '', path, query)
      })
      return { access: createAccess(AccessControl.parse(accessControl), {}), targets }
    },
    milliseconds,
    rounds,
  )
  for (const kind of ['early', 'late', 'none'] as const)
    for (const query of [undefined, 'q=needle&page=2'])
      compare(
        `one host, ${kind}${query === undefined ? '' : ', query'}`,
        (count) => {
          const { accessControl, hosts } = oneHostFixture(count)
          const paths = oneHostPaths(count)[kind] ?? []
          const targets = paths.map((path) => targetOf(hosts[0] ?? '', path, query))
          return { access: createAccess(AccessControl.parse(accessControl), {}), targets }
        },
        milliseconds,
        rounds,
      )
}

/** What making an engine costs, and what it keeps. */
function compareMaking(): void {
  console.log('\nmade and asked once: processor time, kept memory')
  for (const [name, fixture] of Object.entries({ rulesFixture, oneHostFixture })) {
    const control = AccessControl.parse(fixture(10_000).accessControl)
    const [before, start] = [kept(), process.cpuUsage()]
    const access = createAccess(control, {})
    for (const host of fixture(10_000).hosts) access.decide(john, 1, targetOf(host, '/'))
    const { user, system } = process.cpuUsage(start)
    const more = kept() - before
    access.decide(john, 1, targetOf('other.example.com', '/'))
    console.log(
      `${name.padEnd(20)} ${((user + system) / 1000).toFixed(0)} ms, ${(more / 1e6).toFixed(1)} MB`,
    )
  }
}

/** Bytes that live on, with `--expose-gc`; else what is there. */
function kept(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A host with 10,000 rules and paths made to be dear: those of one length against honest ones. */
function compareHostile(access: Access, host: string, honest: string, milliseconds: number): void {
  for (const length of [200, 2000, 16_000]) {
    const decide = (path: string) =>
      cost(() => access.decide(john, 1, targetOf(host, path)), milliseconds / 3)
    const usual = decide(fill(honest, length)) / length
    console.log(`\n${host}, ${length} characters, honest: ${usual.toFixed(1)} ns a character`)
    for (const [name, unit] of Object.entries(HOSTILE)) {
      const path =
        name === 'one deep %25' ? `/%${fill(unit, length - 2).slice(1)}` : fill(unit, length)
      // A sequence that the length cuts in two would be refused at once
      const whole = path.replace(/%.?$/, '')
      const verdict = access.verdict(john, targetOf(host, whole))
      const all = decide(whole)
      console.log(
        `  ${name.padEnd(24)} ${(all / whole.length).toFixed(1).padStart(6)} ns, ${(all / whole.length / usual).toFixed(1).padStart(4)} times, ${(all / 1e6).toFixed(2)} ms, ${verdict.refusal ?? `${verdict.readings} readings`}`,
      )
    }
  }
}

function main(milliseconds: number, rounds: number): void {
  compareCounts(milliseconds, rounds)
  compareMaking()
  const access = createFixtureAccess(10_000)
  let random = 0
  const unknown = cost(() => {
    access.decide(john, 1, targetOf(`h${random++}.zone7.example.com`, '/admin'))
  }, milliseconds)
  console.log(`\na host never seen before, among 10,000 rules: ${(unknown / 1000).toFixed(1)} µs`)
  // app1 has a pattern that reads to the end of every path
  compareHostile(access, 'app1.example.com', 'users/john/', milliseconds)
  const one = createAccess(AccessControl.parse(oneHostFixture(10_000).accessControl), {})
  compareHostile(one, 'one.example.com', 'users/john/', milliseconds)
}

if (import.meta.main) main(Number(process.argv[2] ?? 300), Number(process.argv[3] ?? 5))
