import type { ServerResponse } from 'node:http'
import type { Presented } from './identity.ts'

/**
 * What Node keeps of a response that is not in its types: the head as text, there from `writeHead` on. `headersSent` is
 * documented as whether it is there.
 */
interface Heading {
  _header?: unknown
}

/**
 * Writes the head of a 200 with the identity of the user; the caller ends the response.
 *
 * The head is the same for all requests of one user within a second. Node writes the first one, with all its checks;
 * the others take its text. Only plain answers share it: HTTP/1.1, a connection that stays, no header set elsewhere. The
 * router's way does not: answer.ts writes each head anew.
 */
export function writeAllowed(response: ServerResponse, { headers, head }: Presented): void {
  const second = Math.floor(Date.now() / 1000)
  const isPlain =
    response.shouldKeepAlive &&
    response.useChunkedEncodingByDefault &&
    !response.headersSent &&
    response.getHeaderNames().length === 0
  // The field is not in the types of Node.
  const heading = response as Heading
  if (isPlain && head.second === second) {
    heading._header = head.text
    // A Node that keeps its head elsewhere writes it itself.
    if (response.headersSent) return
  }
  // Node takes a flat list and does not write to it; its type asks for a mutable one.
  response.writeHead(200, headers as string[])
  if (!isPlain || typeof heading._header !== 'string') return
  head.text = heading._header
  head.second = second
}
