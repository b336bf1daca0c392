/** What may be asked of bans and known devices. A leaf: the command line loads it without the rest of the feature. */
import { z } from 'zod'
import { parseDuration } from '../../kernel/duration.ts'
import { AppError } from '../../kernel/errors.ts'
import { defineOperation } from '../../kernel/operation.ts'
import type { BanRegistry } from './ban-registry.ts'
import type { Ban } from './bans.ts'
import type { Devices } from './devices.ts'

const text = z.string().min(1).max(320)
const ids = z.array(text).min(1).max(1000)
const target = { kind: z.enum(['user', 'address']), name: text }
const reason = z.string().max(200)

/** Times in milliseconds since the epoch. */
const banRow = z.object({
  id: z.string(),
  kind: z.enum(['user', 'address', 'device']),
  name: z.string(),
  source: z.enum(['regulation', 'operator']),
  reason: z.string(),
  by: z.string(),
  createdAt: z.number(),
  /** Null: until it is lifted. */
  expiresAt: z.number().nullable(),
})
export type BanRow = z.infer<typeof banRow>

const rowOf = ({ expiresAt, ...ban }: Ban): BanRow => ({ ...ban, expiresAt: expiresAt ?? null })

const isoOf = (time: number): string => new Date(time).toISOString()

/** A ban in the admin API. */
const bodyOf = ({ id, kind, name, source, reason, by, createdAt, expiresAt }: BanRow) => ({
  ...{ id, kind, name, source, reason, by },
  created_at: isoOf(createdAt),
  expires_at: expiresAt === null ? null : isoOf(expiresAt),
})

interface Bans {
  readonly bans: BanRegistry
}

export const listBans = defineOperation({
  name: 'bans.list',
  summary: 'list bans',
  who: 'admin',
  input: z.object({}),
  output: z.array(banRow),
  audits: [],
  http: [{ method: 'GET', path: '/api/admin/bans', answer: (rows) => rows.map(bodyOf) }],
  run: async ({ bans }: Bans) => (await bans.list()).map(rowOf),
})

/** What a ban lasts unless another duration is named. */
const DAY = 86_400_000

const newBanBody = z
  .strictObject({
    user: text.optional(),
    address: text.optional(),
    reason: reason.default(''),
    /** As in the configuration: `1h`, or seconds. */
    duration: z.union([z.string().max(100), z.number()]).optional(),
    permanent: z.boolean().default(false),
  })
  .refine(({ user, address }) => (user === undefined) !== (address === undefined))
  .refine(({ duration, permanent }) => duration === undefined || !permanent)
  .transform(({ duration, permanent, reason, ...who }, context) => {
    const length = duration === undefined ? DAY : parseDuration(duration)
    if (length === undefined) {
      context.addIssue('no duration')
      return z.NEVER
    }
    return { ...targetOf(who), reason, duration: permanent ? null : length }
  })

/** One of the two is there. */
function targetOf({
  user,
  address = '',
}: {
  user?: string | undefined
  address?: string | undefined
}) {
  return user === undefined
    ? ({ kind: 'address', name: address } as const)
    : ({ kind: 'user', name: user } as const)
}

export const addBan = defineOperation({
  name: 'bans.add',
  summary: 'ban a user or an address',
  who: 'admin',
  input: z.strictObject({
    ...target,
    reason,
    /** Milliseconds; null: until it is lifted. */
    duration: z.number().nullable(),
  }),
  output: banRow,
  audits: ['ban.added'],
  http: [
    {
      method: 'POST',
      path: '/api/admin/bans',
      request: z.object({ body: newBanBody }).transform(({ body }) => body),
      answer: bodyOf,
    },
  ],
  run: async ({ bans }: Bans, { duration, ...asked }, { name: by }) =>
    rowOf(await bans.add({ ...asked, duration: duration ?? undefined, by })),
})

const liftBody = z.union([
  z.strictObject({ ids }),
  z.strictObject({ user: text }).transform(targetOf),
  z.strictObject({ address: text }).transform(targetOf),
])

export const liftBans = defineOperation({
  name: 'bans.lift',
  summary: 'lift bans: by id, of a user or address, or all',
  who: 'admin',
  input: z.union([
    z.strictObject({ ids }),
    z.strictObject(target),
    z.strictObject({ all: z.literal(true) }),
  ]),
  output: z.object({ lifted: z.array(banRow), unknown: z.array(z.string()) }),
  audits: ['ban.lifted'],
  http: [
    {
      method: 'DELETE',
      path: '/api/admin/bans/:id',
      request: z
        .object({ params: z.object({ id: text }) })
        .transform(({ params }) => ({ ids: [params.id] })),
      answer({ lifted }) {
        if (lifted.length === 0) throw new AppError('NOT_FOUND')
      },
    },
    {
      method: 'DELETE',
      path: '/api/admin/bans',
      request: z.object({ body: liftBody }).transform(({ body }) => body),
      answer: ({ lifted }) => ({ lifted: lifted.map(bodyOf) }),
    },
  ],
  async run({ bans }: Bans, asked, { name: by }) {
    if ('kind' in asked)
      return { lifted: (await bans.liftTarget({ ...asked, by })).map(rowOf), unknown: [] }
    const wanted = 'ids' in asked ? asked.ids : (await bans.list()).map(({ id }) => id)
    const lifted = (await bans.lift(wanted, by)).map(rowOf)
    const known = new Set(lifted.map(({ id }) => id))
    // Of "all", a ban that ended meanwhile is no mistake of the caller's.
    const unknown = 'ids' in asked ? asked.ids.filter((id) => !known.has(id)) : []
    return { lifted, unknown }
  },
})

const deviceRow = z.object({
  id: z.string(),
  user: z.string(),
  address: z.string(),
  userAgent: z.string(),
  createdAt: z.number(),
  lastSeen: z.number(),
  expiresAt: z.number(),
})
export type DeviceRow = z.infer<typeof deviceRow>

interface KnownDevices {
  readonly devices: Pick<Devices, 'list' | 'revoke' | 'revokeUser'>
}

export const listDevices = defineOperation({
  name: 'devices.list',
  summary: 'list known devices',
  who: 'operator',
  input: z.strictObject({ user: text.optional() }),
  output: z.array(deviceRow),
  audits: [],
  run: async ({ devices }: KnownDevices, { user }) => [...(await devices.list(user))],
})

export const revokeDevices = defineOperation({
  name: 'devices.revoke',
  summary: 'forget known devices: by id, or of a user',
  who: 'operator',
  input: z.union([z.strictObject({ ids }), z.strictObject({ user: text })]),
  output: z.object({ revoked: z.number(), unknown: z.array(z.string()) }),
  audits: ['device.removed'],
  async run({ devices }: KnownDevices, asked, { actor }) {
    if ('user' in asked)
      return { revoked: await devices.revokeUser(asked.user, actor), unknown: [] }
    const unknown: string[] = []
    for (const id of asked.ids) if (!(await devices.revoke(id, { actor }))) unknown.push(id)
    return { revoked: asked.ids.length - unknown.length, unknown }
  },
})

export const throttleOperations = [listBans, addBan, liftBans, listDevices, revokeDevices] as const
