import { z } from 'zod'
import { parsePeerAddress } from '../kernel/address.ts'
import { clientTls } from '../kernel/client-tls.ts'
import { duration, readBy, scalarMeta, secret } from '../kernel/scalars.ts'

const PORT = 5432

const address = () =>
  z
    .string()
    .transform(
      readBy(
        (text) => parsePeerAddress(text, PORT),
        'is not an address',
        'tcp://host:port, tcp4://host:port, tcp6://host:port, unix:///folder',
      ),
    )
    .register(scalarMeta, {
      form: 'address',
      pattern: '^((tcp[46]?://)?(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]*)(:\\d{1,5})?/?|unix:///.*)$',
    })

/** PostgreSQL cuts longer names off (NAMEDATALEN), and would then find another one. */
const MAX_NAME = 63
const name = () =>
  z.string().refine((text) => Buffer.byteLength(text) <= MAX_NAME && !text.includes('\0'), {
    error: 'is too long',
    params: { allowed: `at most ${MAX_NAME} bytes` },
  })

/** The section `storage.postgres`. */
export const postgres = () =>
  z
    .object({
      address: address()
        .prefault(`tcp://localhost:${PORT}`)
        .describe('Where it is; `unix:///run/postgresql` is the folder of its socket.'),
      database: name().min(1).describe('The name of the database.'),
      username: name().min(1).describe('Who signs in to it.'),
      password: secret().optional().describe('With which password.'),
      timeout: duration()
        .refine((ms) => ms >= 100 && ms <= 600_000, {
          error: 'is no sensible time',
          params: { allowed: '100ms to 10m' },
        })
        .prefault('5s')
        .describe('How long connecting, and how long a statement may take.'),
      tls: clientTls('the database').optional(),
      schema: name()
        .min(1)
        .default('public')
        .describe('The schema in the database; it must exist.'),
      servers: z
        .array(
          z.object({
            address: address().describe('Where it is.'),
            tls: clientTls('this server').optional(),
          }),
        )
        .max(10)
        .default([])
        .describe(
          'Other servers of the same database, asked in this order when the one before cannot be reached or may not be ' +
            'written to (a standby).',
        ),
    })
    .describe('PostgreSQL, in place of the embedded database, for what several instances share.')

export type PostgresConfig = z.infer<ReturnType<typeof postgres>>
