import type { Section } from './table.ts'
import { tlsTo } from './tls.ts'

const DATABASE = { address: ['tcp', 'tcp4', 'tcp6', 'unix'], path: true } as const

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
  'storage.mysql': {
    '': 'MySQL and MariaDB.',
    ...database('tcp://localhost:3306', 'the database'),
  },
}
