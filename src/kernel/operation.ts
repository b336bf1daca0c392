/**
 * An operation: something that the operator of the server, and where it says so an administrator, may ask of it. It is
 * declared once, in its feature. The control socket's commands, the routes of the admin API and the calls of the command
 * line are made from the list of all operations (src/operations.ts).
 */
import { z } from 'zod'
import { AppError } from './errors.ts'
import { OperatorError } from './operator-error.ts'

/** Who asks for an operation. */
export interface Caller {
  /** As the audit trail writes it. */
  readonly actor: 'operator' | `user:${string}`
  /** Canonical name of the administrator; empty for the operator. */
  readonly name: string
}

/** The caller on the control socket and the command line, which do not say which person it is. */
export const OPERATOR: Caller = { actor: 'operator', name: '' }

export const administrator = (name: string): Caller => ({ actor: `user:${name}`, name })

/** A route of the admin API that runs an operation. */
export interface HttpRoute<I, O> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: `/api/admin/${string}`
  /** 200 by default. */
  readonly status?: 201
  /** Whether the administrator must have confirmed a short time ago that it is them. */
  readonly elevated?: true
  /**
   * Reads the input from `{ params, query, body, ifMatch }`: the path's parameters, the query, the parsed JSON body
   * (undefined: none) and the entity tag of `If-Match`. By default the keys of parameters and body are the input, and the
   * tag is its `version`.
   */
  readonly request?: z.ZodType<I>
  /** What the answer's `data` is; undefined for none. By default the output. @throws AppError for another answer */
  answer?(output: O): unknown
  /** The entity tag of the answer. */
  etag?(output: O): string
}

/** Who may ask for it: the operator alone, or administrators too, by these routes. */
type Reach<I, O> =
  | { readonly who: 'operator' }
  | { readonly who: 'admin'; readonly http: readonly HttpRoute<I, O>[] }

interface Declared<S, E extends string, I extends z.ZodType, O extends z.ZodType> {
  /** `area.verb`: the socket's command, and `area verb` on the command line. */
  readonly name: `${string}.${string}`
  /** For the help of the command line; no full stop. */
  readonly summary: string
  readonly input: I
  /** What leaves. Keys that it does not name are left out. */
  readonly output: O
  /** Events of the audit trail that it may cause. */
  readonly audits: readonly E[]
  /** @throws OperatorError, AppError: the caller reads why; anything else is a bug */
  run(services: S, input: z.output<I>, caller: Caller): z.input<O> | Promise<z.input<O>>
}

/** An operation whose input and output the list need not know. */
export interface AnyOperation<S, E extends string = string> {
  readonly name: `${string}.${string}`
  readonly summary: string
  readonly who: 'operator' | 'admin'
  readonly input: z.ZodType
  readonly output: z.ZodType
  readonly audits: readonly E[]
  readonly routes: readonly OperationRoute<S>[]
  /** @throws ZodError for an input of another shape; what `run` throws */
  readonly execute: (services: S, input: unknown, caller: Caller) => Promise<unknown>
}

export interface Operation<S, E extends string, I extends z.ZodType, O extends z.ZodType>
  extends AnyOperation<S, E> {
  readonly input: I
  readonly output: O
  readonly execute: (services: S, input: unknown, caller: Caller) => Promise<z.output<O>>
}

interface OperationRoute<S> {
  readonly method: HttpRoute<unknown, unknown>['method']
  readonly path: string
  readonly status: number
  readonly elevated: boolean
  /**
   * @throws AppError NOT_FOUND for a path, BODY_INVALID for a body that names nothing; what the operation throws
   */
  readonly answer: (services: S, request: HttpInput, caller: Caller) => Promise<HttpAnswer>
}

export interface HttpAnswer {
  /** The body's `data`; undefined: none. */
  readonly data: unknown
  readonly etag: string | undefined
}

export interface HttpInput {
  readonly params: Readonly<Record<string, string>>
  /** Each name once; a name that comes twice is a list, which fits no schema of ours. */
  readonly query: unknown
  /** The entity tag of `If-Match`, without its quotes; undefined when there is none. */
  readonly ifMatch: string | undefined
  /** The parsed JSON body; undefined when there is none. */
  readonly body: unknown
}

export function defineOperation<
  S,
  const E extends string,
  I extends z.ZodType,
  O extends z.ZodType,
>(declared: Declared<S, E, I, O> & Reach<z.input<I>, z.output<O>>): Operation<S, E, I, O> {
  const { name, summary, who, input, output, audits } = declared
  const execute = async (services: S, given: unknown, caller: Caller): Promise<z.output<O>> =>
    output.parse(await declared.run(services, input.parse(given), caller))
  const routes = declared.who === 'admin' ? declared.http : []
  return {
    ...{ name, summary, who, input, output, audits, execute },
    routes: routes.map((route) => {
      const { method, path, status = 200, request = keys, elevated = false } = route
      return {
        ...{ method, path, status, elevated },
        async answer(services, given, caller) {
          const asked = readHttp(request, given)
          accept(input, asked)
          const done = await forAdministrator(() => execute(services, asked, caller))
          return {
            data: route.answer === undefined ? done : route.answer(done),
            etag: route.etag?.(done),
          }
        },
      }
    }),
  }
}

/** Operations with the services that they run on. */
export interface BoundOperation {
  readonly name: string
  execute(input: unknown, caller: Caller): Promise<unknown>
  readonly routes: readonly BoundRoute[]
}

export interface BoundRoute
  extends Pick<OperationRoute<unknown>, 'method' | 'path' | 'status' | 'elevated'> {
  answer(request: HttpInput, caller: Caller): Promise<HttpAnswer>
}

/** @throws TypeError when two operations have one name: that is a bug, and nothing starts */
export function bindOperations<S>(
  operations: readonly AnyOperation<S>[],
  services: S,
): readonly BoundOperation[] {
  const names = new Set(operations.map(({ name }) => name))
  if (names.size < operations.length) throw new TypeError('two operations have the same name')
  return operations.map(({ name, execute, routes }) => ({
    name,
    execute: (input, caller) => execute(services, input, caller),
    routes: routes.map(({ answer, ...route }) => ({
      ...route,
      answer: (request, caller) => answer(services, request, caller),
    })),
  }))
}

/**
 * Runs an operation for the operator, who may read what was wrong with the input. An administrator reads the sentence of
 * the code alone, and the log has the rest.
 */
export async function forOperator<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.statusCode >= 500) throw error
    const faults = Faults.safeParse(error.data)
    const said = faults.data?.faults.map(({ field, message }) => `${field} ${message}`).join('; ')
    const { reason = said } = error.details
    throw typeof reason === 'string' ? new OperatorError(reason) : error
  }
}

/** What an operation may say to be wrong with single fields. */
const Faults = z.object({
  faults: z.array(z.object({ field: z.string(), message: z.string() })).min(1),
})

async function forAdministrator<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    throw new AppError('BODY_INVALID', { reason: error.message }, { cause: error })
  }
}

/** The keys of the body and the parameters of the path together; what is not in the body counts where both name a key. */
const keys = z
  .object({
    params: z.record(z.string(), z.string()),
    body: z.record(z.string(), z.unknown()).default({}),
    ifMatch: z.string().optional(),
  })
  .transform(({ params, body, ifMatch }) => ({
    ...body,
    ...params,
    ...(ifMatch !== undefined && { version: ifMatch }),
  }))

function readHttp(request: z.ZodType, given: HttpInput): unknown {
  const read = request.safeParse(given)
  if (read.success) return read.data
  if (read.error.issues[0]?.path[0] === 'params') throw new AppError('NOT_FOUND')
  throw invalid(read.error, 1)
}

function accept(input: z.ZodType, asked: unknown): void {
  const { error } = input.safeParse(asked)
  if (error !== undefined) throw invalid(error, 0)
}

/** It goes into the log, and may name every key that was sent. */
const MAX_REASON = 200

function invalid({ issues: [issue] }: z.ZodError, from: number): AppError {
  const reason = `${issue?.path.slice(from).join('.')}: ${issue?.message}`.slice(0, MAX_REASON)
  return new AppError('BODY_INVALID', { reason })
}
