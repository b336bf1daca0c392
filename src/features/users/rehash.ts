import type { BaseLogger } from 'pino'
import { AppError } from '../../kernel/errors.ts'
import type { Digest, Passwords } from '../passwords/index.ts'
import type { UserRecord } from './roster.ts'

export interface RehashOptions {
  readonly passwords: Passwords
  /**
   * Puts the text in the place of the digest of this mark, unless the user has another one by now.
   * @throws AppError USERS_UNWRITABLE
   */
  readonly replace: (name: string, old: string, text: string) => Promise<void>
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

/** Makes weak digests anew when their password was seen (measure 8), in nobody's way. */
export interface Rehash {
  /** @param password that the user's digest has just matched */
  offer(name: string, user: Pick<UserRecord, 'digest' | 'mark'>, password: string): void
  /** Resolves when nothing is under way. */
  close(): Promise<void>
}

export function createRehash({ passwords, replace, log }: RehashOptions): Rehash {
  /** Each is tried once: not by two sign-ins at the same time, and not at each when it cannot be stored. */
  const tried = new Set<string>()
  const underWay = new Set<Promise<void>>()
  let complained = false
  let closed = false

  /** Two users may have one digest. */
  const keyOf = (name: string, mark: string): string => `${name}\0${mark}`

  async function rehash(
    name: string,
    digest: Digest,
    mark: string,
    password: string,
  ): Promise<void> {
    try {
      await replace(name, mark, await passwords.hash(password, ''))
      log.info({ user: name, scheme: digest.scheme }, 'a weak password digest was made anew')
    } catch (error) {
      if (!(error instanceof AppError)) {
        log.error({ err: error }, 'a weak password digest could not be made anew')
      } else if (error.code === 'HASHING_BUSY') {
        tried.delete(keyOf(name, mark))
      } else {
        if (!complained)
          log.warn(error.details, 'weak password digests stay as they are: they cannot be stored')
        complained = true
      }
    }
  }

  return {
    offer(name, { digest, mark }, password) {
      const key = keyOf(name, mark)
      if (closed || tried.has(key) || !passwords.isOutdated(digest, password)) return
      tried.add(key)
      const work = rehash(name, digest, mark, password).finally(() => underWay.delete(work))
      underWay.add(work)
    },
    async close() {
      closed = true
      await Promise.all(underWay)
    },
  }
}
