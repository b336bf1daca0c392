import type { BaseLogger } from 'pino'
import { AppError } from '../../kernel/errors.ts'
import type { Sealer } from '../../kernel/seal.ts'
import type { Storage } from '../storage.ts'
import { opensCheck, readCheck } from './check-value.ts'

const INTERVAL = 5000

export interface KeyWatch {
  /** Works as long as its key is the database's; throws AppError STORE_UNAVAILABLE after that. */
  readonly sealer: Sealer
  /** Looks now. Rejects when the key is not the database's any more. */
  check(): Promise<void>
  close(): void
}

/**
 * Notices that the key of the database was changed while this server runs (`change-key --force`, or a change made for an
 * idle server of another machine). What the old key sealed after that could not be opened by any server.
 */
export function watchKey({
  storage,
  sealer,
  log,
}: {
  readonly storage: Storage
  readonly sealer: Sealer
  readonly log: Pick<BaseLogger, 'error'>
}): KeyWatch {
  let isPresent = true
  const refuse = () => {
    if (!isPresent)
      throw new AppError('STORE_UNAVAILABLE', {
        store: storage.dialect,
        problem: 'the encryption key of the database was changed',
      })
  }
  const look = async () => {
    const check = await readCheck(storage)
    const was = isPresent
    isPresent = check !== undefined && opensCheck(sealer, check)
    if (was && !isPresent)
      log.error(
        'the encryption key of the database was changed while this server runs: it seals and opens nothing until it is ' +
          'restarted with the new key',
      )
  }
  // A database that does not answer is the health check's to say.
  const timer = setInterval(() => void look().catch(() => {}), INTERVAL).unref()
  return {
    sealer: {
      seal(plain, place) {
        refuse()
        return sealer.seal(plain, place)
      },
      open(sealed, place) {
        refuse()
        return sealer.open(sealed, place)
      },
    },
    async check() {
      await look()
      refuse()
    },
    close: () => clearInterval(timer),
  }
}
