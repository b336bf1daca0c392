import type { FastifyPluginAsync } from 'fastify'
import type { AdminServices, PageLink } from './services.ts'

/** A page for administrators, below `/admin/`. A new one is a file in pages/ and a line in its index.ts. */
export interface AdminPage extends PageLink {
  /** Every route has the guard `admin`. */
  readonly routes: FastifyPluginAsync<{ readonly services: AdminServices }>
}
