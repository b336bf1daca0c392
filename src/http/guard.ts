import fp from 'fastify-plugin'
import { AppError } from '../kernel/errors.ts'

/** Which callers a route admits. */
export type Guard = 'public' | 'user' | 'elevated' | 'admin' | 'token'

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
      if (!caller.elevated) {
        const { needsSecondFactor = false } = caller
        throw new AppError('ELEVATION_REQUIRED', { needsSecondFactor })
      }
      return
    case 'admin':
      requireSignIn(caller)
      if (!caller.administrator) throw new AppError('ADMIN_REQUIRED')
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

/** A route without a guard stops the boot: otherwise a forgotten guard would be an open route. */
export const guards = fp(
  async (app) => {
    app.addHook('onRoute', function routeSaysWhoMayCall(route) {
      if (route.config?.guard === undefined)
        throw new TypeError(`${String(route.method)} ${route.url} does not say who may call it`)
    })
  },
  { name: 'guards' },
)
