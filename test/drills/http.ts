/**
 * HTTP/1.1 once more, from RFC 9112: what a stream of bytes asks, and what a stream of bytes answers. No more lenient
 * than the server's parser; where that is the more lenient one, the drill shows it.
 */
import { METHODS } from 'node:http'

/** What the server's parser has to make of the next bytes of a connection. Texts hold one character a byte. */
export type Piece =
  | AskedOf
  /** No request, or not the whole of one: 400 or 431, and the connection ends. */
  | { readonly kind: 'refused' }

export interface AskedOf {
  readonly kind: 'request'
  readonly method: string
  /** The request target, as sent. */
  readonly target: string
  /** Empty when there was none. */
  readonly version: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The connection ends behind it. */
  readonly closes: boolean
}

/** Node counts the target, names and values, not what stands between them. */
export const MAX_HEAD = 64 * 1024

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS)
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 §5.5: visible ASCII, space, tab, and bytes above 0x7f. */
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/

/** Reads a whole stream. What comes behind a refused piece or a closing request is not looked at. */
export function readRequests(bytes: string): readonly Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < bytes.length; ) {
    // RFC 9112 §2.2: empty lines before a request line are ignored.
    if (bytes[at] === '\r' || bytes[at] === '\n') {
      at++
      continue
    }
    const { head, end } = headAt(bytes, at)
    const request = head === undefined ? undefined : readHead(head)
    if (request === undefined) return [...pieces, { kind: 'refused' }]
    pieces.push(request)
    const behind = skipBody(bytes, end, request)
    if (behind === undefined) return [...pieces, { kind: 'refused' }]
    // What comes behind may be answered by the parser's refusal, or not at all.
    if (request.closes) return behind < bytes.length ? [...pieces, { kind: 'refused' }] : pieces
    at = behind
  }
  return pieces
}

/** Up to the empty line; where a first line without a version ends in a bare newline, it may follow at once. */
function headAt(
  bytes: string,
  at: number,
): { readonly head: string | undefined; readonly end: number } {
  const newline = bytes.indexOf('\n', at)
  if (newline > at && bytes[newline - 1] !== '\r' && bytes.startsWith('\r\n', newline + 1))
    return { head: bytes.slice(at, newline), end: newline + 3 }
  const end = bytes.indexOf('\r\n\r\n', at)
  return end === -1 ? { head: undefined, end } : { head: bytes.slice(at, end), end: end + 4 }
}

/** RFC 9112 §3, and what Node's parser takes besides: more spaces, HTTP/2.0, 0.9, and no version but a bare line end. */
const REQUEST_LINE =
  /^([A-Z-]+) +((?:\/|\*|[A-Za-z]+:\/\/)[\x21-\x7e]*)(?: +(HTTP\/(?:0\.9|1\.[01]|2\.0))(?:\r\n|$)|\r?\n|$)/

function readHead(head: string): AskedOf | undefined {
  const [first, method = '', target = '', version = ''] = REQUEST_LINE.exec(head) ?? []
  if (first === undefined || !KNOWN_METHODS.has(method)) return undefined
  const lines = first.length === head.length ? [] : head.slice(first.length).split('\r\n')
  const headers: [string, string][] = []
  let size = target.length
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = withoutBlanks(line.slice(colon + 1))
    if (colon === -1 || !TOKEN.test(name) || NO_VALUE.test(value)) return undefined
    headers.push([name, value])
    size += name.length + value.length
  }
  if (size >= MAX_HEAD) return undefined
  const isUsual = version === 'HTTP/1.1'
  if (isUsual && !headers.some(([name]) => name.toLowerCase() === 'host')) return undefined
  const options = valuesOf(headers, 'connection')
    .flatMap((value) => value.split(','))
    .map((option) => withoutBlanks(option).toLowerCase())
  const closes = options.includes('close') || (!isUsual && !options.includes('keep-alive'))
  return { kind: 'request', method, target, version, headers, closes }
}

/** @returns where the next request begins; undefined when the body is none, or not whole */
function skipBody(bytes: string, at: number, { headers }: AskedOf): number | undefined {
  const lengths = valuesOf(headers, 'content-length')
  const codings = valuesOf(headers, 'transfer-encoding')
  if (lengths.length + codings.length === 0) return at
  if (lengths.length + codings.length > 1) return undefined
  const [length] = lengths
  if (length === undefined)
    return codings[0]?.toLowerCase() === 'chunked' ? skipChunks(bytes, at) : undefined
  const end = at + Number(length)
  return /^\d+$/.test(length) && end <= bytes.length ? end : undefined
}

function skipChunks(bytes: string, start: number): number | undefined {
  for (let at = start; ; ) {
    const [line, digits = ''] =
      /^([0-9A-Fa-f]{1,8})(?:;[\t\x20-\x7e]*)?\r\n/.exec(bytes.slice(at, at + 100)) ?? []
    if (line === undefined) return undefined
    at += line.length
    const size = Number.parseInt(digits, 16)
    if (size === 0) {
      const end = bytes.startsWith('\r\n', at) ? at : bytes.indexOf('\r\n\r\n', at) + 2
      return end === 1 ? undefined : end + 2
    }
    at += size + 2
    if (at > bytes.length || bytes.slice(at - 2, at) !== '\r\n') return undefined
  }
}

export function valuesOf(headers: AskedOf['headers'], name: string): readonly string[] {
  return headers.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value)
}

/** Without spaces and tabs at both ends: HTTP knows no other blanks. */
export function withoutBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text[from])) from++
  while (to > from && isBlank(text[to - 1])) to--
  return text.slice(from, to)
}

const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t'

export interface Answer {
  readonly status: number
  readonly headers: AskedOf['headers']
  readonly body: string
}

/**
 * Reads the next final answer; interim ones (100) are passed over.
 * @param toHead answers to HEAD have no body, whatever their length says
 * @returns the answer and where the next one begins; undefined when it is not whole yet
 * @throws SyntaxError for what is no answer
 */
export function readAnswer(
  bytes: string,
  start: number,
  toHead: boolean,
): { readonly answer: Answer; readonly end: number } | undefined {
  for (let at = start; ; ) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end === -1) return undefined
    const [first = '', ...lines] = bytes.slice(at, end).split('\r\n')
    const [, digits] = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(first) ?? []
    if (digits === undefined) throw new SyntaxError(`no status line: ${JSON.stringify(first)}`)
    at = end + 4
    const status = Number(digits)
    if (status < 200) continue
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      if (!TOKEN.test(line.slice(0, colon)))
        throw new SyntaxError(`no header: ${JSON.stringify(line)}`)
      return [line.slice(0, colon), withoutBlanks(line.slice(colon + 1))]
    })
    const isChunked = !toHead && valuesOf(headers, 'transfer-encoding').length > 0
    const length = toHead ? 0 : Number(valuesOf(headers, 'content-length')[0] ?? 0)
    const behind = isChunked ? skipChunks(bytes, at) : at + length
    if (behind === undefined || bytes.length < behind) return undefined
    return { answer: { status, headers, body: bytes.slice(at, behind) }, end: behind }
  }
}
