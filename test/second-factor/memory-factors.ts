/** The service of second factors in memory, to show its pages without a database. */
import { randomBytes } from 'node:crypto'
import { ownerOf } from '../../src/features/portal/index.ts'
import type {
  MethodName,
  SecondFactor,
  TotpConfig,
} from '../../src/features/second-factor/method.ts'
import type { SecurityKey, SecurityKeys } from '../../src/features/second-factor/pages/key-entry.ts'
import { levelOf, type Sessions } from '../../src/features/sessions/index.ts'
import type { Users } from '../../src/features/users/index.ts'
import type { Clock, EpochMs } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { codeOf, randomSecret } from './totp-code.ts'

export interface FactorsTools {
  readonly sessions: Sessions
  readonly users: Pick<Users, 'authenticate'>
  readonly clock: Clock
}

export interface Factors {
  readonly factors: SecondFactor
  readonly securityKeys: SecurityKeys | undefined
}

export interface MemoryOptions {
  readonly mayEnrol?: boolean
  /** Wrong codes until one has to wait. */
  readonly tries?: number
  /** Security keys of every user, under these names. */
  readonly keys?: readonly string[]
}

const TEN_MINUTES = 600_000
const STANDARD = { algorithm: 'SHA1', digits: 6, period: 30 } as const

interface Kept {
  totp?: { readonly url: string; readonly config: TotpConfig }
  pending?: string
  codes?: { readonly left: Set<string>; readonly createdAt: EpochMs }
  preferred?: MethodName
  wrong: number
  readonly spent: Set<string>
}

/** In one piece: every method looks at the same few facts of a user. */
export function memoryFactors(
  { sessions, users: directory, clock }: FactorsTools,
  { mayEnrol = true, tries = 5, keys }: MemoryOptions = {},
): Factors {
  const users = new Map<string, Kept>()
  const of = (user: string): Kept => {
    const found = users.get(user) ?? { wrong: 0, spent: new Set<string>() }
    users.set(user, found)
    return found
  }
  const list: SecurityKey[] = (keys ?? []).map((name, i) => ({
    ...{ id: `key${i}`, name, rpId: 'auth.example.com', discoverable: i === 0 },
    ...{ cloneWarning: i === 1, createdAt: clock.now(), lastUsedAt: undefined },
  }))
  const namesOf = (user: string): MethodName[] => {
    const { totp, codes } = of(user)
    const found: MethodName[] = []
    if (totp !== undefined) found.push('totp')
    if (list.length > 0) found.push('webauthn')
    if ((codes?.left.size ?? 0) > 0) found.push('recovery_code')
    return found
  }
  const method = (name: MethodName, factor: 'totp' | 'webauthn' | 'recovery-code') => ({
    ...{ name, factor },
    isRegistered: async (user: string) => namesOf(user).includes(name),
    remove: async () => 0,
  })
  const until = (session: { elevatedUntil: EpochMs | undefined }): EpochMs | undefined =>
    session.elevatedUntil !== undefined && session.elevatedUntil > clock.now()
      ? session.elevatedUntil
      : undefined

  const factors: SecondFactor = {
    methods: [
      method('totp', 'totp'),
      ...(keys === undefined ? [] : [method('webauthn', 'webauthn')]),
      method('recovery_code', 'recovery-code'),
    ],
    isOn: true,
    totp: {
      options: { standard: STANDARD, algorithms: ['SHA1'], digits: [6], periods: [30] },
      config: async (user) => of(user).totp?.config,
      async begin(_session, user) {
        const secret = randomSecret(randomBytes(32))
        const url = `otpauth://totp/Vestibule:${user}?secret=${secret}&issuer=Vestibule&algorithm=SHA1&digits=6&period=30`
        of(user).pending = url
        return { secret, url }
      },
      async confirm(_session, user, code) {
        const kept = of(user)
        const url = kept.pending
        if (url === undefined || code !== codeOf(url, clock.now())) return false
        delete kept.pending
        kept.spent.add(code)
        const config = { ...STANDARD, createdAt: clock.now(), issuer: 'Vestibule' }
        kept.totp = { url, config: { ...config, lastUsedAt: undefined } }
        return true
      },
      async cancel(_session, user) {
        delete of(user).pending
      },
      async check(user, code) {
        const { totp, spent } = of(user)
        if (totp === undefined || spent.has(code) || code !== codeOf(totp.url, clock.now()))
          return false
        spent.add(code)
        return true
      },
      async remove(user) {
        const had = of(user).totp !== undefined
        delete of(user).totp
        return had
      },
    },
    recoveryCodes: {
      async status(user) {
        const { codes } = of(user)
        return codes && { remaining: codes.left.size, createdAt: codes.createdAt }
      },
      async generate(user) {
        const codes = Array.from({ length: 10 }, () =>
          randomSecret(randomBytes(16)).replace(/(.{4})(?=.)/g, '$1-'),
        )
        of(user).codes = { left: new Set(codes.map(plain)), createdAt: clock.now() }
        return codes
      },
      async use(user, code) {
        const { codes } = of(user)
        return codes?.left.delete(plain(code)) ? { remaining: codes.left.size } : undefined
      },
      async remove(user) {
        const had = of(user).codes !== undefined
        delete of(user).codes
        return had
      },
    },
    elevation: {
      until: async ({ session }) => until(session),
      needsSecondFactor: async () => false,
      methods: async ({ session }) =>
        namesOf(session.user).length === 0
          ? ['password']
          : sorted(namesOf(session.user), of(session.user)),
      async grant(_request, reply, { session }) {
        // A time plus a duration is a time; arithmetic drops the brand.
        const end = (clock.now() + TEN_MINUTES) as EpochMs
        const elevated = await sessions.elevate({ key: session.key, until: end })
        if (elevated === undefined) throw new AppError('SIGN_IN_REQUIRED')
        reply.header('Set-Cookie', elevated.cookie)
      },
    },
    trusted: {
      duration: 0,
      factorOf: async () => undefined,
      prepare: () => async () => {},
      list: async () => [],
      forget: async () => 0,
    },
    available: async (user) => sorted(namesOf(user), of(user)),
    hasFactor: async (user) => namesOf(user).length > 0,
    preferred: async (user) => of(user).preferred,
    async setPreferred(user, name) {
      of(user).preferred = name
    },
    mayEnrol: async (user) => mayEnrol || namesOf(user).length > 0,
    enrolled: async () => {},
    removed: async () => {},
    async attempt(user, check) {
      const kept = of(user)
      if (kept.wrong >= tries) throw new AppError('SIGN_IN_LIMITED', {}, { retryAfter: 30 })
      kept.wrong++
      const right = await check()
      if (right !== undefined) kept.wrong--
      return right
    },
    async pass(request, reply, factor) {
      const { session, profile } = ownerOf(request)
      const raised = await sessions.raise({ key: session.key, factor })
      if (raised === undefined) throw new AppError('SIGN_IN_REQUIRED')
      reply.header('Set-Cookie', raised.cookie)
      if (levelOf(raised.session) === 2) of(session.user).wrong = 0
      return { session: raised.session, profile }
    },
    fail: () => {},
    mailedCodes: undefined,
    show: {
      async mailedCode() {
        return false
      },
      async totp(request, reply, code) {
        const { user } = ownerOf(request).session
        const right = await factors.attempt(user, async () =>
          (await factors.totp?.check(user, code)) === true ? true : undefined,
        )
        return right && factors.pass(request, reply, 'totp')
      },
      async recoveryCode(request, reply, code) {
        const { user } = ownerOf(request).session
        const used = await factors.attempt(user, () => factors.recoveryCodes.use(user, code))
        if (used === undefined) return undefined
        return { identity: await factors.pass(request, reply, 'recovery-code'), ...used }
      },
      async password(request, _reply, password) {
        const { user } = ownerOf(request).session
        const answer = await directory.authenticate(user, password, '192.0.2.1')
        return answer.kind === 'accepted'
      },
    },
    registry: {
      invite: async () => {},
      removeAll: async () => 0,
      kindsOf: async () => new Map(),
    },
  }
  return { factors, securityKeys: keys === undefined ? undefined : memoryKeys(list) }
}

const plain = (code: string): string => code.replace(/[\s-]/g, '').toUpperCase()

const sorted = (names: readonly MethodName[], { preferred }: Kept): MethodName[] =>
  names.toSorted((a, b) => Number(b === preferred) - Number(a === preferred))

function memoryKeys(list: SecurityKey[]): SecurityKeys {
  return {
    list: async () => list,
    async rename(_user, id, name) {
      const at = list.findIndex((key) => key.id === id)
      const found = list[at]
      if (found === undefined) return 'unknown'
      if (list.some((key) => key.name === name && key.id !== id)) return 'name-taken'
      list[at] = { ...found, name }
      return 'renamed'
    },
    async remove(_user, id) {
      const at = list.findIndex((key) => key.id === id)
      return at === -1 ? undefined : list.splice(at, 1)[0]
    },
  }
}
