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
  for (const { method, path, status, answer } of operations.flatMap(({ routes }) => routes)) {
    app.route<{ Params: Record<string, string> }>({
      method,
      url: path,
      config: { guard: 'admin' },
      async handler(request, reply) {
        const { params } = request
        const data = await answer({ params, body: bodyOf(request) }, callerOf(request))
        return replies.json(reply, okBody(data), status)
      },
    })
  }
}

/** @returns undefined for no body, and null, which fits no operation, for one that is no JSON */
const bodyOf = ({ body }: Pick<FastifyRequest, 'body'>): unknown =>
  body === undefined || body === null || body === '' ? undefined : (parseJson(body) ?? null)

function callerOf(request: FastifyRequest): Caller {
  const { identity } = contextOf(request)
  if (identity === undefined) throw new AppError('SIGN_IN_REQUIRED')
  return administrator(identity.profile.name)
}
