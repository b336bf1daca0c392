import type { Section } from './table.ts'
import { tlsTo } from './tls.ts'

const DATABASE = { address: ['tcp', 'tcp4', 'tcp6', 'unix'], path: true } as const
const PORT = { from: 0, to: 65_535 }

/** A database that is reached over the network. */
const database = (address: string, peer: string): Section => ({
  address: [DATABASE, address, 'Where it is.'],
  database: ['text', undefined, 'Its name.'],
  username: ['text', undefined, 'Who signs in to it.'],
  password: ['secret', undefined, 'With which password.'],
  timeout: ['duration', '5s', 'How long it may take to answer.'],
  tls: tlsTo(peer),
})

export const STORES: Section = {
  'session.redis': {
    '': 'Sessions in Redis.',
    host: ['text', undefined, 'The host, or the path of a socket.'],
    port: [PORT, 6379, 'The port; 26379 with sentinels.'],
    timeout: ['duration', '5s', 'How long it may take to answer.'],
    max_retries: [{ from: 0 }, 0, 'How often a command is tried again.'],
    username: ['text', undefined, 'Who signs in to it.'],
    password: ['secret', undefined, 'With which password.'],
    database_index: [{ from: 0 }, 0, 'The number of the database.'],
    maximum_active_connections: [{ from: 0 }, 8, 'The most connections.'],
    minimum_idle_connections: [{ from: 0 }, undefined, 'How many are kept open.'],
    tls: tlsTo('Redis', 'TLS1.2'),
    high_availability: {
      '': 'Redis with sentinels.',
      sentinel_name: ['text', undefined, 'The name of the group.'],
      sentinel_username: ['text', undefined, 'Who signs in to the sentinels.'],
      sentinel_password: ['secret', undefined, 'With which password.'],
      'nodes[]': {
        '': 'The other sentinels.',
        host: ['text', undefined, 'The host.'],
        port: [PORT, 26_379, 'The port.'],
      },
      route_by_latency: ['flag', false, 'Reads from the nearest.'],
      route_randomly: ['flag', false, 'Reads from any.'],
    },
    'cluster.**': { '': 'Redis as a cluster.' },
  },
  'storage.mysql': {
    '': 'MySQL and MariaDB.',
    ...database('tcp://localhost:3306', 'the database'),
  },
}
