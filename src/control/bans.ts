/** The commands about bans and known devices, both ends of them: what the server does, and what the command line reads. */
import { z } from 'zod'
import type { Ban, BanDesk, Devices } from '../features/throttle/index.ts'
import { AppError } from '../kernel/errors.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import type { Command } from './server.ts'

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
export const banRows = z.array(banRow)
export const addedBan = banRow
export const lifted = z.object({ lifted: banRows, unknown: z.array(z.string()) })

/** What a client may read of a ban. */
export const toBanRow = ({ expiresAt, ...ban }: Ban): BanRow =>
  banRow.parse({ ...ban, expiresAt: expiresAt ?? null })

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
export const deviceRows = z.array(deviceRow)
export const revokedDevices = z.object({ revoked: z.number(), unknown: z.array(z.string()) })

const text = z.string().min(1).max(320)
const subject = { kind: z.enum(['user', 'address']), name: text }
const ids = z.array(text).min(1).max(1000)
const addArgs = z.strictObject({
  ...subject,
  reason: z.string().max(200),
  /** Milliseconds; null: until it is lifted. */
  duration: z.number().nullable(),
})
const liftArgs = z.union([
  z.strictObject({ ids }),
  z.strictObject(subject),
  z.strictObject({ all: z.literal(true) }),
])
const listDevicesArgs = z.strictObject({ user: text.optional() })
const revokeDevicesArgs = z.union([z.strictObject({ ids }), z.strictObject({ user: text })])
export type AddBanArgs = z.infer<typeof addArgs>
export type LiftArgs = z.infer<typeof liftArgs>
export type ListDevicesArgs = z.infer<typeof listDevicesArgs>
export type RevokeDevicesArgs = z.infer<typeof revokeDevicesArgs>

export function banCommands(bans: BanDesk): Readonly<Record<string, Command>> {
  const lift = (asked: LiftArgs): Promise<readonly Ban[]> => {
    if ('kind' in asked) return bans.liftSubject({ ...asked, by: '' })
    return 'ids' in asked ? bans.lift(asked.ids, '') : liftAll(bans)
  }
  return {
    'bans.list': async (): Promise<BanRow[]> => (await bans.list()).map(toBanRow),
    'bans.add': async (args): Promise<BanRow> => {
      const { duration, ...asked } = addArgs.parse(args)
      return said(async () =>
        toBanRow(await bans.add({ ...asked, duration: duration ?? undefined, by: '' })),
      )
    },
    'bans.lift': async (args): Promise<z.infer<typeof lifted>> => {
      const asked = liftArgs.parse(args)
      const done = await said(() => lift(asked))
      const known = new Set(done.map(({ id }) => id))
      const unknown = 'ids' in asked ? asked.ids.filter((id) => !known.has(id)) : []
      return { lifted: done.map(toBanRow), unknown }
    },
  }
}

/** Whoever types the command reads what was wrong with it. */
async function said<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'BAN_INVALID') throw error
    throw new OperatorError(String(error.details['reason']))
  }
}

async function liftAll(bans: BanDesk): Promise<readonly Ban[]> {
  return bans.lift(
    (await bans.list()).map(({ id }) => id),
    '',
  )
}

export function deviceCommands(
  devices: Pick<Devices, 'list' | 'revoke' | 'revokeUser'>,
): Readonly<Record<string, Command>> {
  return {
    'devices.list': async (args): Promise<DeviceRow[]> =>
      (await devices.list(listDevicesArgs.parse(args).user)).map((device) =>
        deviceRow.parse({ ...device }),
      ),
    'devices.revoke': async (args): Promise<z.infer<typeof revokedDevices>> => {
      const asked = revokeDevicesArgs.parse(args)
      if ('user' in asked) return { revoked: await devices.revokeUser(asked.user), unknown: [] }
      const unknown: string[] = []
      for (const id of asked.ids) if (!(await devices.revoke(id))) unknown.push(id)
      return { revoked: asked.ids.length - unknown.length, unknown }
    },
  }
}
