import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { AppError } from '../../kernel/errors.ts'
import {
  administrator,
  type BoundOperation,
  type Caller,
  type Operation,
} from '../../kernel/operation.ts'
import { contextOf } from '../portal/index.ts'

/** Runs an operation for the administrator who sends the request. @throws AppError what the admin API would answer */
export type Ask = <S, E extends string, I extends z.ZodType, O extends z.ZodType>(
  request: FastifyRequest,
  operation: Operation<S, E, I, O>,
  input: z.input<I>,
) => Promise<z.output<O>>

export function createAsk(operations: readonly BoundOperation[]): Ask {
  const byName = new Map(operations.map((operation) => [operation.name, operation]))
  return async (request, { name, output }, input) => {
    const bound = byName.get(name)
    if (bound === undefined) throw new TypeError(`no operation ${name}`)
    return output.parse(await bound.serve(input, callerOf(request)))
  }
}

export function callerOf(request: FastifyRequest): Caller {
  const { identity } = contextOf(request)
  if (identity === undefined) throw new AppError('SIGN_IN_REQUIRED')
  return administrator(identity.profile.name)
}
