import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PageContent } from '../../http/layout.ts'
import type { Messages, Translate } from '../../http/messages.ts'
import type { Replies } from '../../http/replies.ts'

/** How the portal's pages are answered: in the browser's language. */
export interface Rendering {
  /** The language of a request, and its messages. */
  speak(request: FastifyRequest): ReturnType<Messages['negotiate']>
  show(
    request: FastifyRequest,
    reply: FastifyReply,
    make: (t: Translate) => PageContent,
    status?: number,
  ): FastifyReply
}

export function createRendering({
  messages,
  replies,
}: {
  readonly messages: Messages
  readonly replies: Pick<Replies, 'page'>
}): Rendering {
  const speak: Rendering['speak'] = (request) => messages.negotiate(request)
  return {
    speak,
    show: (request, reply, make, status = 200) =>
      replies.page(request, reply, make(speak(request).t), status),
  }
}
