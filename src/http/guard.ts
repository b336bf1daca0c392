import fp from 'fastify-plugin'

/** Who may call a route. */
export type Guard = 'public' | 'user' | 'elevated' | 'admin' | 'token'

declare module 'fastify' {
  interface FastifyContextConfig {
    guard?: Guard
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
