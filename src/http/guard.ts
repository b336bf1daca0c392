import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { AppError } from '../kernel/errors.ts'

/** Which callers a route admits. */
export type Guard = 'public' | 'user' | 'elevated' | 'admin' | 'elevated-admin' | 'token'

declare module 'fastify' {
  interface FastifyContextConfig {
    guard?: Guard
  }
}

/** What is known of the client that calls a route. */
export interface Caller {
  readonly signedIn: boolean
  /** The user has proved a short time ago that they are present. */
  readonly elevated: boolean
  /** Not elevated, and the user has a second factor that was not shown. */
  readonly needsSecondFactor?: boolean
  readonly administrator: boolean
}

/**
 * Whether a route with this guard may be called. `token` admits no caller: there are no tokens yet.
 * @throws AppError SIGN_IN_REQUIRED, ELEVATION_REQUIRED, ADMIN_REQUIRED
 */
export function requireGuard(guard: Guard | undefined, caller: Caller): void {
  switch (guard) {
    case 'public':
      return
    case 'user':
      requireSignIn(caller)
      return
    case 'elevated':
      requireSignIn(caller)
      requireElevation(caller)
      return
    case 'admin':
      requireAdministrator(caller)
      return
    case 'elevated-admin':
      requireAdministrator(caller)
      requireElevation(caller)
      return
    case 'token':
    case undefined:
      throw new AppError('SIGN_IN_REQUIRED', { reason: `nothing gives the guard ${guard}` })
    default:
      guard satisfies never
  }
}

function requireSignIn({ signedIn }: Caller): void {
  if (!signedIn) throw new AppError('SIGN_IN_REQUIRED')
}

function requireAdministrator(caller: Caller): void {
  requireSignIn(caller)
  if (!caller.administrator) throw new AppError('ADMIN_REQUIRED')
}

function requireElevation({ elevated, needsSecondFactor = false }: Caller): void {
  if (!elevated) throw new AppError('ELEVATION_REQUIRED', { needsSecondFactor })
}

/** The decorator of the instances in which a hook calls `requireGuard` for each request. */
const CHECKED = 'checksGuards'

/** Called by the plugin that checks guards: the routes of this instance may have other guards than `public`. */
export function declareChecked(app: FastifyInstance): void {
  app.decorate(CHECKED, true)
}

/**
 * A route without a guard stops the start, and so does a guard that no hook would check: in both cases the route would be
 * open to every client.
 */
export const guards = fp(
  async (app) => {
    app.addHook('onRoute', function routeIsGuarded({ method, url, config }) {
      const guard = config?.guard
      const route = `${String(method)} ${url}`
      if (guard === undefined) throw new TypeError(`${route} does not say who may call it`)
      if (guard !== 'public' && !this.hasDecorator(CHECKED))
        throw new TypeError(`${route} has the guard ${guard}, and no plugin here checks it`)
    })
  },
  { name: 'guards' },
)
