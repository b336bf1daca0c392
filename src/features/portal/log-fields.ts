import type { FastifyRequest } from 'fastify'
import { pathOf } from '../../http/replies.ts'

/** A request's fields in the log. */
export interface LogFields {
  readonly method: string
  readonly path: string
  readonly request_id: string
}

export const logFieldsOf = (request: FastifyRequest): LogFields => ({
  method: request.method,
  path: pathOf(request),
  request_id: request.id,
})
