import type { Clock } from '../../../../kernel/clock.ts'
import type { RedisConnection } from '../../../../storage/redis/index.ts'
import type { SessionStore } from '../../store.ts'
import { createChanges } from './changes.ts'
import { createKeys } from './keys.ts'
import { createReader } from './reader.ts'
import { createRemover } from './remover.ts'
import { createWriter } from './writer.ts'

/**
 * Sessions in Redis, shared by all instances. Six kinds of keys, `P` being the connection's prefix:
 *
 *   P s:{key}    the live key: it is there as long as the session may live, holds the owner's token and era, and is
 *                written once. Ending a session deletes it, and every instance is told of that
 *   P t:{key}    the row, sealed. Written anew with each last use, of which no instance is told
 *   P r:{key}    the row of a session that another one took the place of, for a while
 *   P e:owner    the owner's era, a counter. Ending all sessions of a user is counting it up: sessions of an earlier era
 *                are none, found or not, stored before or after
 *   P o:owner    the keys of an owner's sessions, for lists
 *   P i:id       the key by public id
 *
 * The live key and both rows share a hash slot, and change in one step. The others are spread over a cluster; `o` and `i` are
 * indexes that may lack something after a failover: they decide nothing, and are written again with the last use.
 *
 * Redis' clock decides when something is forgotten, the record whether it counts.
 *
 * @param moves whether rows may change their owner's token: several secrets are in use
 */
export function createRedisStore(options: {
  readonly connection: RedisConnection
  readonly clock: Clock
  readonly moves: boolean
}): SessionStore {
  const { connection, clock, moves } = options
  const keys = createKeys(connection.prefix)
  const reader = createReader({ connection, keys })
  const remover = createRemover({ connection, keys, reader })
  const writer = createWriter({ connection, keys, clock, moves, reader, remover })
  return {
    changes: createChanges(connection, keys),
    get: reader.get,
    getMany: (wanted) => reader.getMany(wanted, wanted.length),
    findById: reader.findById,
    list: reader.list,
    put: writer.put,
    replace: writer.replace,
    replaced: reader.replaced,
    touch: writer.touch,
    delete: remover.removeAll,
    deleteOwned: remover.removeOwned,
    // Redis forgets by itself.
    sweep: async () => 0,
  }
}
