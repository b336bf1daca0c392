import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'
import { AppError } from '../kernel/errors.ts'

/** Bodies of this context are text, whatever their type says, to be read with `readJson`. */
export function takeTextBodies(app: FastifyInstance, bodyLimit: number): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit }, (_, body, done) =>
    done(null, body),
  )
}

/** @throws AppError BODY_INVALID when it is no JSON of this shape */
export function readJson<T extends z.ZodType>(body: unknown, shape: T): z.infer<T> {
  const read = shape.safeParse(parse(body))
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new AppError('BODY_INVALID', { reason: `${issue?.path.join('.')}: ${issue?.message}` })
}

function parse(body: unknown): unknown {
  if (typeof body !== 'string') return undefined
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
