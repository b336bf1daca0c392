import fp from 'fastify-plugin'
import { AppError } from '../kernel/errors.ts'

/** Who may call a route. */
export type Guard = 'public' | 'user' | 'elevated' | 'admin' | 'token'

declare module 'fastify' {
  interface FastifyContextConfig {
    guard?: Guard
  }
}

/**
 * Whether somebody may call a route with this guard. `elevated` and `token` let nobody in: nothing gives them yet.
 * @throws AppError SIGN_IN_REQUIRED, ADMIN_REQUIRED
 */
export function requireGuard(
  guard: Guard | undefined,
  who: { readonly signedIn: boolean; readonly administrator: boolean },
): void {
  switch (guard) {
    case 'public':
      return
    case 'user':
      if (!who.signedIn) throw new AppError('SIGN_IN_REQUIRED')
      return
    case 'admin':
      if (!who.signedIn) throw new AppError('SIGN_IN_REQUIRED')
      if (!who.administrator) throw new AppError('ADMIN_REQUIRED')
      return
    case 'elevated':
    case 'token':
    case undefined:
      throw new AppError('SIGN_IN_REQUIRED', { reason: `nothing gives the guard ${guard}` })
    default:
      guard satisfies never
  }
}

/** A route that does not say who may call it stops the boot: nobody opens a door by forgetting. */
export const guards = fp(
  async (app) => {
    app.addHook('onRoute', function routeSaysWhoMayCall(route) {
      if (route.config?.guard === undefined)
        throw new TypeError(`${String(route.method)} ${route.url} does not say who may call it`)
    })
  },
  { name: 'guards' },
)
