import { z } from 'zod'
import { clientTls } from '../../kernel/client-tls.ts'
import { defineManifest } from '../../kernel/feature.ts'
import { duration, scalarMeta, secret } from '../../kernel/scalars.ts'

const HOSTNAME = /^(\[?[0-9A-Fa-f:.]+\]?|[A-Za-z0-9._-]{1,253})$/
const SECOND = 1000

const port = () => z.int().min(1).max(65_535)

const hostname = () =>
  z.string().refine((value) => HOSTNAME.test(value), {
    error: 'is no name of a host',
    params: { allowed: 'redis, redis.example.com, 192.168.1.8' },
  })

const node = (standard: number) =>
  z.strictObject({
    host: hostname().describe('The host.'),
    port: port().default(standard).describe('The port.'),
  })

/** What Authelia's client has and ours does not need; kept so that its configurations start. */
const WITHOUT_EFFECT = {
  max_retries: 'what failed is answered at once and not tried again',
  maximum_active_connections: 'commands share one connection',
  minimum_idle_connections: 'commands share one connection',
} as const

const idle = (why: string) => ({ idle: `has no effect: ${why}` })
const MASTER = 'reads go to the master, for a replica may lag behind'

const redis = z
  .strictObject({
    host: z
      .string()
      .refine((value) => value.startsWith('/') || value === '' || HOSTNAME.test(value), {
        error: 'is neither the name of a host nor the path of a socket',
        params: { allowed: 'redis, redis.example.com, 192.168.1.8, /run/redis/redis.sock' },
      })
      .optional()
      .describe(
        'The host, or the absolute path of a unix socket. With `high_availability` or `cluster` it is one more sentinel or node to ask first, and may be left out.',
      ),
    port: port()
      .optional()
      .describe('The port: 6379, or 26379 where `host` is a sentinel. Without effect on a socket.'),
    timeout: duration()
      .refine((ms) => ms >= 100 && ms <= 60 * SECOND, {
        error: 'is no useful limit',
        params: { allowed: 'a duration from 100ms to 1m' },
      })
      .prefault('5s')
      .describe(
        'How long the start waits for Redis to answer. Requests never wait that long: after a fifth of a second they are refused with 503.',
      ),
    username: z.string().optional().describe('Who signs in to it: a user of its ACL.'),
    password: secret().optional().describe('With which password.'),
    database_index: z
      .int()
      .min(0)
      .default(0)
      .describe('The number of the database. 0 in a cluster.'),
    key_prefix: z
      .string()
      .regex(/^[A-Za-z0-9._:-]{1,64}$/, {
        error: 'is no prefix',
      })
      .default('vestibule:')
      .describe(
        'What every key begins with. Installations that share a database need one each; an ACL needs `~vestibule:*`.',
      ),
    replica_acks: z
      .enum(['off', 'warn', 'require'])
      .default('warn')
      .describe(
        'Whether signing in, signing out and revoking wait until a replica has them too. `off`: no. `warn`: they do, and go on with a line in the log when none answers in time. `require`: they are refused then. Without replicas, `warn` is `off`.',
      ),
    tls: clientTls('Redis', 'TLS1.2').optional(),
    max_retries: z
      .int()
      .min(0)
      .register(scalarMeta, idle(WITHOUT_EFFECT.max_retries))
      .default(0)
      .describe(`Without effect: ${WITHOUT_EFFECT.max_retries}.`),
    maximum_active_connections: z
      .int()
      .min(0)
      .register(scalarMeta, idle(WITHOUT_EFFECT.maximum_active_connections))
      .default(8)
      .describe(`Without effect: ${WITHOUT_EFFECT.maximum_active_connections}.`),
    minimum_idle_connections: z
      .int()
      .min(0)
      .register(scalarMeta, idle(WITHOUT_EFFECT.minimum_idle_connections))
      .optional()
      .describe(`Without effect: ${WITHOUT_EFFECT.minimum_idle_connections}.`),
    high_availability: z
      .strictObject({
        sentinel_name: z
          .string()
          .min(1)
          .describe('The name of the group that the sentinels watch.'),
        sentinel_username: z.string().optional().describe('Who signs in to the sentinels.'),
        sentinel_password: secret().optional().describe('With which password.'),
        nodes: z.array(node(26_379)).max(32).default([]).describe('The sentinels, besides `host`.'),
        route_by_latency: z
          .boolean()
          .register(scalarMeta, idle(MASTER))
          .default(false)
          .describe(`Without effect: ${MASTER}.`),
        route_randomly: z
          .boolean()
          .register(scalarMeta, idle(MASTER))
          .default(false)
          .describe(`Without effect: ${MASTER}.`),
      })
      .optional()
      .describe('Redis with sentinels: they know which server is the master.'),
    cluster: z
      .strictObject({
        nodes: z
          .array(node(6379))
          .max(64)
          .default([])
          .describe('Some nodes to ask for the others, besides `host`.'),
      })
      .optional()
      .describe('Redis Cluster.'),
  })
  .superRefine((config, context) => {
    const { host = '', username = '', high_availability: ha, cluster } = config
    const refuse = (path: string[], message: string, allowed: string): void =>
      context.addIssue({ code: 'custom', path, message, params: { allowed } })
    if (ha !== undefined && cluster !== undefined)
      refuse(['cluster'], 'is given together with high_availability', 'one of them')
    const nodes = (ha ?? cluster)?.nodes
    if (host === '' && (nodes === undefined || nodes.length === 0))
      refuse(['host'], 'is missing', 'the host, or the path of a socket')
    if (host.startsWith('/') && nodes !== undefined)
      refuse(['host'], 'is a socket, which leads to one server', 'the name of a host')
    if (cluster !== undefined && config.database_index !== 0)
      refuse(['database_index'], 'is not 0: a cluster has no other', '0')
    if (username !== '' && config.password === undefined)
      refuse(['password'], 'is missing: there is a username', 'the password of that user')
  })

export type RedisConfig = z.infer<typeof redis>

export default defineManifest({
  config: {
    'session.redis': redis
      .optional()
      .describe(
        'Sessions in Redis, for several instances behind one load balancer. Needs `session.secret`, the same on all of them. Redis 6 or newer; docs/guides/scaling.md.',
      ),
  },
})
