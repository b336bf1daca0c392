import type { BaseLogger } from 'pino'
import { AppError } from '../../kernel/errors.ts'
import type { Digest, Passwords } from '../passwords/index.ts'

export interface RehashOptions {
  readonly passwords: Passwords
  /**
   * Puts the text in the place of this digest, unless the user has another one by now.
   * @throws AppError USERS_UNWRITABLE
   */
  readonly replace: (name: string, old: Digest, text: string) => Promise<void>
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

/** Makes weak digests anew when their password was seen (measure 8), in nobody's way. */
export interface Rehash {
  /** @param password that the digest has just matched */
  offer(name: string, digest: Digest, password: string): void
  /** Resolves when nothing is under way. */
  close(): Promise<void>
}

export function createRehash({ passwords, replace, log }: RehashOptions): Rehash {
  /** Each is tried once: not by two sign-ins at the same time, and not at each when it cannot be stored. */
  const tried = new WeakSet<Digest>()
  const underWay = new Set<Promise<void>>()
  let complained = false
  let closed = false

  async function rehash(name: string, digest: Digest, password: string): Promise<void> {
    try {
      await replace(name, digest, await passwords.hash(password, ''))
      log.info({ user: name, scheme: digest.scheme }, 'a weak password digest was made anew')
    } catch (error) {
      if (!(error instanceof AppError)) {
        log.error({ err: error }, 'a weak password digest could not be made anew')
      } else if (error.code === 'HASHING_BUSY') {
        tried.delete(digest)
      } else {
        if (!complained)
          log.warn(error.details, 'weak password digests stay as they are: they cannot be stored')
        complained = true
      }
    }
  }

  return {
    offer(name, digest, password) {
      if (closed || tried.has(digest) || !passwords.isOutdated(digest, password)) return
      tried.add(digest)
      const work = rehash(name, digest, password).finally(() => underWay.delete(work))
      underWay.add(work)
    },
    async close() {
      closed = true
      await Promise.all(underWay)
    },
  }
}
