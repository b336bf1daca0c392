import { createHmac, hash, randomBytes, randomInt } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { deriveKey, type Sealer, sealedPlace } from '../../kernel/seal.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { Storage } from '../../storage/index.ts'
import { isMailAddress, type Notifier } from '../notify/index.ts'
import { contextOf, ownerOf } from '../portal/index.ts'
import type { OnceStore } from '../sessions/index.ts'
import { createCodeRequests } from './code-requests.ts'
import type { ElevatedSessionSettings } from './manifest.ts'
import type { MailedCodes } from './method.ts'
import { createPending } from './pending.ts'

/** The page that a mail's link leads to. */
export const REVOKE_PATH = '/revoke/one-time-code'

/** Authelia's: without letters and digits that look alike. */
const ALPHABET = 'ABCDEFGHJKLMNPQRTUVWYXZ2346789'
/** What people add to a code when they type or paste it. */
const SEPARATORS = /[\s-]/g

export interface MailedCodesOptions {
  readonly config: Pick<ElevatedSessionSettings, 'code_lifespan' | 'characters'>
  readonly notifier: Pick<Notifier, 'send'>
  readonly storage: Pick<Storage, 'transaction'>
  readonly once: OnceStore
  readonly sealer: Sealer
  /** Newest first. They key the hashes: a copy of the store does not tell which codes would be right. */
  readonly secrets: readonly Secret[]
  readonly clock: Clock
}

/** What the link of a mail stands for. */
const Revocable = z.object({ key: z.string(), user: z.string() })

export function createMailedCodes(options: MailedCodesOptions): MailedCodes {
  const { config, notifier, storage, once, sealer, clock } = options
  const { code_lifespan: lifetime } = config
  const keys = options.secrets.map((secret) => deriveKey(secret, 'mailed-code'))
  const [newest] = keys
  if (newest === undefined) throw new TypeError('mailed codes need at least one secret')
  const requests = createCodeRequests({ storage, clock, lifetime })
  const current = createPending({
    ...{ kind: 'mailed-code', shape: z.string(), lifetime, once, sealer, clock },
  })

  const keyOf = (key: typeof newest, request: FastifyRequest, code: string): string => {
    const { session } = ownerOf(request)
    const place = [session.login, session.domain, session.user, contextOf(request).address, code]
    return createHmac('sha256', key).update(JSON.stringify(place)).digest('base64url')
  }
  const take = (key: string) => asked(() => once.take(key, clock.now()))
  const put = (key: string, value: string, until: EpochMs) =>
    asked(() => once.put(key, sealer.seal(Buffer.from(value), placeOf(key)), until, clock.now()))

  return {
    reaches: ({ profile }) => isMailAddress(profile.email),
    async send(request) {
      const identity = ownerOf(request)
      const { session, profile } = identity
      if (!this.reaches(identity)) return undefined
      await requests.count(session.user)
      const former = await current.take(session, session.user)
      if (former !== undefined) await take(former.value)
      const code = codeOf(config.characters)
      const id = randomBytes(16).toString('base64url')
      const key = keyOf(newest, request, code)
      // A time plus a duration is a time; arithmetic drops the brand.
      const expiresAt = (clock.now() + lifetime) as EpochMs
      await put(revocationOf(id), JSON.stringify({ key, user: session.user }), expiresAt)
      await current.put(session, session.user, key)
      await put(key, '', expiresAt)
      const { domain, address } = contextOf(request)
      const link = domain.portalUrl && new URL(`.${REVOKE_PATH}?id=${id}`, domain.portalUrl).href
      const isKept = await notifier.send({
        kind: 'identity_verification_otc',
        to: { name: profile.displayName, address: profile.email },
        subject: 'Confirm your identity',
        expiresAt,
        fields: {
          ...{ domain: domain.domain, remoteIP: address, oneTimeCode: code },
          ...(link !== undefined && { revocationLinkURL: link, revocationLinkText: 'Revoke' }),
        },
      })
      return isKept ? id : undefined
    },
    async take(request, typed) {
      const code = typed.replace(SEPARATORS, '').toUpperCase()
      for (const key of keys) {
        const found = keyOf(key, request, code)
        const sealed = await take(found)
        if (sealed !== undefined) return sealer.open(sealed, placeOf(found)) !== undefined
      }
      return false
    },
    async revoke(id) {
      const key = revocationOf(id)
      const sealed = await take(key)
      const plain = sealed === undefined ? undefined : sealer.open(sealed, placeOf(key))
      if (plain === undefined) return undefined
      const code = Revocable.parse(JSON.parse(plain.toString()))
      // Used up, or over: then it is worth nothing without this.
      return (await take(code.key)) === undefined ? undefined : code.user
    },
  }
}

const placeOf = (key: string): string => sealedPlace('once', 'mailed-code', [key])

const revocationOf = (id: string): string => hash('sha256', `mailed-code/${id}`, 'base64url')

const codeOf = (characters: number): string =>
  Array.from({ length: characters }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

/** Every failure of the store is the same refusal. */
async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', { operation: 'second-factor.mailed-code' }, { cause })
  }
}
