import { IncomingMessage } from 'node:http'

/**
 * The headers that Node reads before it hands a request over (lib/_http_server.js, Node 24): the two of a body
 * (`hasBodyHeaders`), Expect, and TE of HTTP/1.0. Lower case. A test compares this list with what Node really reads.
 */
export const READ_BY_NODE: readonly string[] = [
  'expect',
  'content-length',
  'transfer-encoding',
  'te',
]
const LENGTHS: ReadonlySet<number> = new Set(READ_BY_NODE.map(({ length }) => length))
/** What Node reads of a request that has none of these headers. */
const NONE = Object.freeze({})

const inherited = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers')

/**
 * A request that builds its `headers` object when our code reads it, not before. A verify reads the raw list, and
 * building the object costs as much as the rest of its work (docs/decisions/005-a-second-entrance-to-verify.md).
 *
 * Node reads the object as well, before it hands the request over: whether a body or `100-continue` is announced. A
 * request that has one of these headers gets its whole object at once. Any other request shows Node an empty object, and
 * the whole one as soon as `handOver` was called. How a request is framed is the parser's decision and does not depend on
 * this object.
 */
export class LeanRequest extends IncomingMessage {
  /** Whether `headers` is the whole object. Undefined: the raw list was not searched yet. */
  whole: boolean | undefined = undefined
}

// A Node that has no such accessor builds the object itself: then this class changes nothing.
if (inherited?.get !== undefined && inherited.set !== undefined) {
  const { get, set } = inherited
  Object.defineProperty(LeanRequest.prototype, 'headers', {
    get(this: LeanRequest) {
      this.whole ??= isReadByNode(this.rawHeaders)
      return this.whole ? get.call(this) : NONE
    },
    set(this: LeanRequest, value: unknown) {
      this.whole = true
      set.call(this, value)
    },
  })
}

/** From here on `request.headers` is the whole object. Call it before anything else sees the request. */
export function handOver(request: IncomingMessage): void {
  if (request instanceof LeanRequest) request.whole = true
}

/** @param rawHeaders names and values in turn, as sent; the parser lets only tokens (ASCII) through as names */
function isReadByNode(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (LENGTHS.has(name.length) && READ_BY_NODE.includes(name.toLowerCase())) return true
  }
  return false
}
