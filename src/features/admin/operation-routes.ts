import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { parseJson, takeTextBodies } from '../../http/json-body.ts'
import { okBody, type Replies } from '../../http/replies.ts'
import { AppError } from '../../kernel/errors.ts'
import { administrator, type BoundOperation, type Caller } from '../../kernel/operation.ts'
import { contextOf } from '../portal/index.ts'

const BODY_LIMIT = 64 * 1024

/** The routes that the operations name. Each is for administrators. */
export const operationRoutes: FastifyPluginAsync<{
  readonly operations: readonly BoundOperation[]
  readonly replies: Replies
}> = async (app, { operations, replies }) => {
  takeTextBodies(app, BODY_LIMIT)
  for (const route of operations.flatMap(({ routes }) => routes)) {
    const { method, path, status, elevated, answer } = route
    app.route<{ Params: Record<string, string> }>({
      method,
      url: path,
      config: { guard: elevated ? 'elevated-admin' : 'admin' },
      async handler(request, reply) {
        const { params, query } = request
        const given = { params, query, body: bodyOf(request), ifMatch: tagOf(request) }
        const { data, etag } = await answer(given, callerOf(request))
        if (etag !== undefined) reply.header('ETag', `"${etag}"`)
        return replies.json(reply, okBody(data), status)
      },
    })
  }
}

/** @returns undefined for no body, and null, which fits no operation, for one that is no JSON */
const bodyOf = ({ body }: Pick<FastifyRequest, 'body'>): unknown =>
  body === undefined || body === null || body === '' ? undefined : (parseJson(body) ?? null)

/** RFC 9110 §13.1.1. `*` asks for nothing. What is no strong tag matches none. */
function tagOf({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const given = headers['if-match']?.trim()
  if (given === undefined || given === '*') return undefined
  return /^"([^"]*)"$/.exec(given)?.[1] ?? ''
}

function callerOf(request: FastifyRequest): Caller {
  const { identity } = contextOf(request)
  if (identity === undefined) throw new AppError('SIGN_IN_REQUIRED')
  return administrator(identity.profile.name)
}
