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

/** It goes into the log, and may name every key that was sent. */
const MAX_REASON = 200

/** @throws AppError BODY_INVALID when it is no JSON of this shape */
export function readJson<T extends z.ZodType>(body: unknown, shape: T): z.infer<T> {
  const read = shape.safeParse(parseJson(body))
  if (read.success) return read.data
  const [issue] = read.error.issues
  const reason = `${issue?.path.join('.')}: ${issue?.message}`.slice(0, MAX_REASON)
  throw new AppError('BODY_INVALID', { reason })
}

/** Names, values and brackets of a body. The longest of ours is a list of a thousand. */
const MAX_PARTS = 1100

/** @returns undefined for what is no JSON, and for more parts than any body of ours has */
export function parseJson(body: unknown, maxParts = MAX_PARTS): unknown {
  if (typeof body !== 'string' || hasMoreParts(body, maxParts)) return undefined
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Outside of texts, each of these begins a part: `[`, `{`, `,`. */
const isBegin = (code: number): boolean => code === 0x5b || code === 0x7b || code === 0x2c

function hasMoreParts(text: string, limit: number): boolean {
  let parts = 0
  let inText = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inText) {
      if (code === BACKSLASH) i++
      else if (code === QUOTE) inText = false
    } else if (code === QUOTE) inText = true
    else if (isBegin(code) && ++parts > limit) return true
  }
  return false
}
