import { z } from 'zod'
import { defineManifest } from '../../kernel/feature.ts'
import { duration, scalarMeta } from '../../kernel/scalars.ts'
import verify from '../verify/manifest.ts'
import { migrations } from './backends/database/tables.ts'
import { backends, backendsIn } from './backends/index.ts'

type Backends = (typeof backends)[number]
/** The parts of the backends in the configuration, by dotted path. */
export type BackendsConfig = {
  readonly [B in Backends as B['key']]: z.infer<B['schema']>
}

// The entries of this object are the keys and schemas of the list, one for one.
const slices = Object.fromEntries(backends.map(({ key, schema }) => [key, schema])) as {
  readonly [B in Backends as B['key']]: B['schema']
}

export const RefreshInterval = z
  .union([
    z
      .enum(['always', 'never', 'disable'])
      .transform((word) => (word === 'disable' ? 'never' : word)),
    duration(),
  ])
  .register(scalarMeta, { idle: 'has no effect: users of a file are always current' })
  .prefault('5m')
  .describe(
    'Without effect, as users of a file are always current. How old what a session knows of its user may get before the user store is asked again: a duration, `always`, or `never` (also `disable`).',
  )

export default defineManifest({
  config: {
    ...slices,
    'authentication_backend.refresh_interval': RefreshInterval,
  },
  migrations: {
    ...migrations,
    '0009_password_marks': {
      embedded: true,
      up: async (db) => {
        const { sql } = await import('kysely')
        // The names stand in the users file too; a mark is a hash of a digest (store.ts).
        await db.schema
          .createTable('password_marks')
          .addColumn('name', 'text', (column) => column.notNull())
          .addColumn('mark', 'text', (column) => column.notNull())
          .addPrimaryKeyConstraint('password_marks_key', ['name', 'mark'])
          .modifyEnd(sql`strict, without rowid`)
          .execute()
      },
    },
  },
  reads: [verify],
  check(config, report, explicit) {
    for (const backend of backendsIn(config)) backend.check(config, report, explicit)
    const given = backends.map(({ key }) => key.split('.')).filter((path) => explicit(path))
    const [first, second] = given
    if (first !== undefined && second !== undefined)
      report.fault(second, `and ${first.join('.')} are both given`, 'one place where users are')
  },
  async look(config, place, report) {
    const { separator } = config.identity_headers
    for (const backend of backendsIn(config))
      await backend.look(config, { place, separator }, report)
  },
})
