import type { BaseLogger } from 'pino'
import { AppError } from '../../kernel/errors.ts'
import type { Passwords } from '../passwords/index.ts'
import type { DigestAccount, DigestWriting, Found } from './backend.ts'

export interface RehashOptions {
  readonly passwords: Pick<Passwords, 'hash' | 'isOutdated'>
  /**
   * Stores the digest in the place of the account's, unless the user has another one by now.
   * @throws AppError USERS_UNWRITABLE
   */
  readonly renew: (account: DigestAccount, digest: string, writing: DigestWriting) => Promise<void>
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

/** Replaces weak digests by stronger ones after a sign-in, while the password is known; the sign-in does not wait. */
export interface Rehash {
  /** @param password that the account's digest has just matched */
  offer(found: Found, password: string): void
  /** Resolves when nothing is under way. */
  close(): Promise<void>
}

export function createRehash({ passwords, renew, log }: RehashOptions): Rehash {
  /** Each is tried once: not by two sign-ins at the same time, and not at each when it cannot be stored. */
  const tried = new Set<string>()
  const underWay = new Set<Promise<void>>()
  let complained = false
  let closed = false

  /** Two users may have one digest. */
  const keyOf = ({ profile, mark }: DigestAccount): string => `${profile.name}\0${mark}`

  async function replace(
    account: DigestAccount,
    writing: DigestWriting,
    password: string,
  ): Promise<void> {
    try {
      await renew(account, await passwords.hash(password, ''), writing)
      const { scheme } = account.digest
      log.info({ user: account.profile.name, scheme }, 'a weak password digest was made anew')
    } catch (error) {
      if (!(error instanceof AppError)) {
        log.error({ err: error }, 'a weak password digest could not be made anew')
      } else if (error.code === 'HASHING_BUSY') {
        tried.delete(keyOf(account))
      } else {
        if (!complained)
          log.warn(error.details, 'weak password digests stay as they are: they cannot be stored')
        complained = true
      }
    }
  }

  return {
    offer({ backend: { writing }, account }, password) {
      if (closed || account.kind !== 'digest' || writing?.kind !== 'digest') return
      const key = keyOf(account)
      if (tried.has(key) || !passwords.isOutdated(account.digest, password)) return
      tried.add(key)
      const work = replace(account, writing, password).finally(() => underWay.delete(work))
      underWay.add(work)
    },
    async close() {
      closed = true
      await Promise.all(underWay)
    },
  }
}
