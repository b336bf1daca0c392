/** How the fuzz drill spoils a request: first its parts, then its bytes. */
import { METHODS } from 'node:http'
import { BITS, CHAINS } from './corpus-headers.ts'
import { HOSTS, PLAIN_PATHS, TARGET_METHODS } from './corpus-target.ts'
import type { Random } from './random.ts'

export type Header = [name: string, value: string]

/** A request in parts. */
export interface Draft {
  method: string
  target: string
  version: string
  headers: Header[]
  body: string
}

/** A whole head may have 64 KiB. */
const HUGE = [1000, 4000, 8000, 16_300, 16_384, 16_400, 30_000, 60_000, 65_000, 66_000]

type Change = (draft: Draft, random: Random) => void

/** One that is read, most of the time. */
function someHeader({ headers }: Draft, random: Random): Header {
  const read = headers.filter(([name]) => /^(?:x-|cookie|accept|auth)/i.test(name))
  return random.pick(read.length > 0 && random.chance(0.8) ? read : headers)
}

/** Another value that the header could have: a second one like it must not be overlooked. */
export function anotherValue(name: string, random: Random): string {
  if (/host/i.test(name)) return random.pick(HOSTS)
  if (/uri/i.test(name)) return random.pick(PLAIN_PATHS)
  if (/original.url/i.test(name)) return `https://${random.pick(HOSTS)}${random.pick(PLAIN_PATHS)}`
  if (/method/i.test(name)) return random.pick(TARGET_METHODS)
  return /for$/i.test(name) ? random.pick(CHAINS) : 'https'
}

/** What is done to headers, each change in one way. */
const TO_HEADERS: readonly Change[] = [
  function drop(draft, random) {
    const { headers } = draft
    if (headers.length > 1) headers.splice(headers.indexOf(someHeader(draft, random)), 1)
  },
  function blank(draft, random) {
    someHeader(draft, random)[1] = random.pick(['', ' ', '\t'])
  },
  function mixCase(draft, random) {
    const header = someHeader(draft, random)
    header[0] = header[0].replace(/./g, (char) =>
      random.chance(0.5) ? char.toUpperCase() : char.toLowerCase(),
    )
  },
  function pad(draft, random) {
    const header = someHeader(draft, random)
    header[1] = random.pick([
      ` ${header[1]}`,
      `${header[1]}  `,
      `\t${header[1]}\t`,
      `${header[1]}, x`,
    ])
  },
  function insert(draft, random) {
    const header = someHeader(draft, random)
    const at = random.below(header[1].length + 1)
    header[1] = `${header[1].slice(0, at)}${random.pick(BITS)}${header[1].slice(at)}`
  },
  function cut(draft, random) {
    const header = someHeader(draft, random)
    const at = random.below(header[1].length + 1)
    header[1] = header[1].slice(0, at) + header[1].slice(at + 1 + random.below(4))
  },
  function swapValues({ headers }, random) {
    const [a, b] = [random.pick(headers), random.pick(headers)]
    const value = a[1]
    a[1] = b[1]
    b[1] = value
  },
]

/** What is done to the rest, and what is done seldom. */
const TO_THE_REST: readonly Change[] = [
  function grow({ headers }, random) {
    // Seldom: such a request costs as much as fifty others.
    if (!random.chance(0.15)) return
    const size = random.pick(HUGE)
    const filler = random.pick(['a', 'a/', '../', '%2e', 'a;', 'x=y; ', '1.1.1.1, ', 'ab,', '\xff'])
    const text = filler.repeat(Math.ceil(size / filler.length)).slice(0, size)
    if (random.chance(0.3)) headers.push(['X-Junk', text])
    else random.pick(headers)[1] += text
  },
  function flood({ headers }, random) {
    if (!random.chance(0.05)) return
    for (let i = random.below(3000); i > 0; i--) headers.unshift([`a${i}`, ''])
  },
  function misplace(draft, random) {
    const { headers } = draft
    draft.headers = random.shuffle(headers)
  },
  function withLength(draft, random) {
    draft.body = 'x'.repeat(random.below(300))
    draft.headers.push(['Content-Length', String(draft.body.length)])
  },
  function withChunks(draft, random) {
    const part = 'y'.repeat(1 + random.below(40))
    draft.body = `${part.length.toString(16)}\r\n${part}\r\n0\r\n\r\n`
    draft.headers.push(['Transfer-Encoding', 'chunked'])
  },
  function expecting(draft, random) {
    draft.headers.push(['Expect', random.chance(0.8) ? '100-continue' : 'something else'])
  },
  function closing(draft, random) {
    draft.headers.push(['Connection', random.pick(['close', 'keep-alive', 'close, x', 'Upgrade'])])
  },
  function method(draft, random) {
    draft.method = random.pick([...METHODS, 'get', 'FOO', 'G', 'PRI', '\0'])
  },
  function version(draft, random) {
    draft.version = random.pick(['HTTP/1.0', 'HTTP/1.1', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', ''])
  },
]

/** Two headers of one meaning: proxies pass on what clients send. */
const TWICE: readonly Change[] = [
  function repeat(draft, random) {
    const { headers } = draft
    const [name, value] = someHeader(draft, random)
    const again = random.pick([value, '', `${value}x`, anotherValue(name, random)])
    headers.splice(random.below(headers.length + 1), 0, [name, again])
  },
  function alias(draft, random) {
    const { headers } = draft
    const [name, value] = someHeader(draft, random)
    const spelled = name.replace(/-/g, () => random.pick(['_', '.', '-', '_']))
    const again = random.pick([value, anotherValue(name, random)])
    headers.splice(random.below(headers.length + 1), 0, [spelled, again])
  },
]

/** Changes a draft in some ways, or not at all. */
export function change(draft: Draft, random: Random): void {
  while (random.chance(0.3))
    random.pick(random.pick([TO_HEADERS, TO_HEADERS, TWICE, TWICE, TO_THE_REST]))(draft, random)
}

/** The request as it goes out. */
export function write({ method, target, version, headers, body }: Draft): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} ${version}\r\n${lines.join('')}\r\n${body}`
}

/** One wound. Nine of ten are small. */
export function damage(bytes: string, other: string, random: Random): string {
  const at = random.below(bytes.length)
  const end = at + 1 + random.below(random.chance(0.9) ? 6 : 400)
  const flipped = String.fromCharCode(bytes.charCodeAt(at) ^ (1 << random.below(8)))
  switch (random.below(7)) {
    case 0:
    case 1:
      return bytes.slice(0, at) + flipped + bytes.slice(at + 1)
    case 2:
      return bytes.slice(0, at) + bytes.slice(end)
    case 3:
      return bytes.slice(0, end) + bytes.slice(at)
    case 4:
      return bytes.slice(0, at) + random.pick(BITS) + bytes.slice(at)
    case 5:
      return random.chance(0.2)
        ? bytes.slice(0, at)
        : bytes.slice(0, at) + String.fromCharCode(random.below(256)) + bytes.slice(at + 1)
    default: {
      const from = random.below(other.length + 1)
      return bytes.slice(0, at) + other.slice(from, from + random.below(300)) + bytes.slice(end)
    }
  }
}
