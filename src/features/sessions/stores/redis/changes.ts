import type { RedisConnection } from '../../../../storage/redis/index.ts'
import type { ChangeListener, SessionChanges } from '../../store.ts'
import type { Keys } from './keys.ts'

/** What Redis tells of sessions that end. It is watched from the first listener on. */
export function createChanges(connection: RedisConnection, keys: Keys): SessionChanges {
  const listeners: ChangeListener[] = []
  const begin = (): void => {
    connection.watch(keys.livePrefix, {
      changed(names) {
        const ended = names.map(keys.keyIn)
        for (const listener of listeners) listener.ended(ended)
      },
      lost() {
        for (const { lost } of listeners) lost()
      },
    })
    connection.watch(keys.eraPrefix, {
      changed(names) {
        const owners = new Set(names)
        for (const { ownersEnded } of listeners) ownersEnded(owners)
      },
      lost() {},
    })
  }
  return {
    trust: connection.trust,
    onChange(listener) {
      if (listeners.push(listener) === 1) begin()
    },
  }
}
