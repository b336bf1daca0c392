/**
 * What is common to all second factors: the extension point (`Method`), and the services that the pages, the JSON API and the
 * methods share (`SecondFactor`).
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { EpochMs } from '../../kernel/clock.ts'
import type { CookieDomain, FactorKind, Identity, Session } from '../sessions/index.ts'
import type { TrustedDevices } from './trusted-devices.ts'

export type { TrustedDevices }
export const METHOD_NAMES = ['totp', 'webauthn', 'recovery_code'] as const
export type MethodName = (typeof METHOD_NAMES)[number]

/** One kind of second factor. */
export interface Method {
  readonly name: MethodName
  /** What a session's record calls it. */
  readonly factor: FactorKind
  /** Whether this user could show one at this portal. @throws AppError STORE_UNAVAILABLE */
  isRegistered(user: string, domain: CookieDomain): Promise<boolean>
  /** @returns how many were removed. @throws AppError STORE_UNAVAILABLE */
  remove(user: string): Promise<number>
  /**
   * For a method whose proof is an object, shown to elevate a session (`PUT …/elevation {webauthn}`): whether the owner of the
   * request's session has shown it. Called within `SecondFactor.attempt`.
   * @returns what was shown, and what tells whether it was not removed since; undefined: it is not right
   */
  verify?(
    request: FastifyRequest,
    proof: unknown,
  ): Promise<{ readonly factor: FactorKind; isStillThere(): Promise<boolean> } | undefined>
}

/** Every call may throw AppError STORE_UNAVAILABLE. Users are named by their canonical name. */
export interface SecondFactor {
  /** Those that are switched on. */
  readonly methods: readonly Method[]
  /** Whether a method other than recovery codes is switched on. */
  readonly isOn: boolean
  /** Undefined: switched off. */
  readonly totp: Totp | undefined
  readonly recoveryCodes: RecoveryCodes
  /** Undefined without a notifier: no mail can be sent. */
  readonly mailedCodes: MailedCodes | undefined
  readonly elevation: Elevation
  readonly trusted: TrustedDevices
  /** What the user may use here, preferred first. */
  available(user: string, domain: CookieDomain): Promise<readonly MethodName[]>
  /**
   * Whether the user has a second factor, at whatever portal. One of a method that is switched off counts: otherwise the
   * password alone would enrol another one. Recovery codes that are left count: they open the account.
   */
  hasFactor(user: string): Promise<boolean>
  preferred(user: string): Promise<MethodName | undefined>
  setPreferred(user: string, method: MethodName): Promise<void>
  /**
   * Whether the user may enrol a factor now: `second_factor.enrolment: invited` asks for an invitation to the first one.
   */
  mayEnrol(user: string): Promise<boolean>
  /**
   * The owner of the request's session has enrolled one: ends the invitation, writes the audit trail. An app and recovery
   * codes replace the former: as `removed`.
   */
  enrolled(request: FastifyRequest, factor: FactorKind): Promise<void>
  /**
   * The owner of the request's session has removed one: writes the audit trail. Other sign-ins of the user that have shown a
   * factor of this kind end: which app or key it was, a session does not say.
   */
  removed(request: FastifyRequest, factor: FactorKind): Promise<void>
  /** What administrators and the operator do. */
  readonly registry: FactorRegistry
  /** A code that the owner of the request's session typed: counted, checked, and then `pass` or `fail`. */
  readonly show: Show
  /**
   * Counts a wrong code before the code is looked at, per user over all methods, sessions and nodes, and takes it back when
   * the code was right. A check that throws stays counted.
   * @param check undefined: the code was wrong
   * @throws AppError SECOND_FACTOR_LIMITED with `retryAfter`; the code was not looked at then
   */
  attempt<T>(user: string, check: () => Promise<T | undefined>): Promise<T | undefined>
  /**
   * The owner of the request's session has shown this factor: raises the session, sets the new cookie, writes the log and the
   * audit trail. A factor other than the password ends the count of wrong codes.
   * @param isStillThere whether the factor is still enrolled; by default, whether the user has one of its kind
   * @returns the identity with the new session
   * @throws AppError SIGN_IN_REQUIRED when the session is over, or the factor was removed while it was shown
   */
  pass(
    request: FastifyRequest,
    reply: FastifyReply,
    factor: FactorKind,
    isStillThere?: () => Promise<boolean>,
  ): Promise<Identity>
  /** The owner of the request's session has shown a wrong one: writes the log and the audit trail. */
  fail(request: FastifyRequest, factor: FactorKind): void
}

/** Each may throw what `SecondFactor.attempt` and `pass` throw. */
export interface Show {
  /** @returns the identity with the new session; undefined: the code was wrong */
  totp(request: FastifyRequest, reply: FastifyReply, code: string): Promise<Identity | undefined>
  /** Uses the code up. @returns as `totp` */
  recoveryCode(
    request: FastifyRequest,
    reply: FastifyReply,
    code: string,
  ): Promise<{ readonly identity: Identity; readonly remaining: number } | undefined>
  /** Uses the code up. It changes no session: `elevation.grant` does. @throws AppError SECOND_FACTOR_LIMITED */
  mailedCode(request: FastifyRequest, code: string): Promise<boolean>
  /**
   * Checks the password under the limits of a sign-in. It changes no session: `pass` and `elevation.grant` do. The route has
   * `config.delayed`; a browser that has to wait gets the cookie of its reservation.
   * @returns whether it was right
   * @throws AppError SIGN_IN_LIMITED, HASHING_BUSY
   */
  password(request: FastifyRequest, reply: FastifyReply, password: string): Promise<boolean>
}

/** What administrators and the operator do, also while no server runs. Every call may throw AppError STORE_UNAVAILABLE. */
export interface FactorRegistry {
  /** Which of `totp`, `webauthn` and `recovery_code` each of these users has; those who have none are left out. */
  kindsOf(users: readonly string[]): Promise<ReadonlyMap<string, string[]>>
  /**
   * Removes everything that is kept under this name: the app and which of its codes were used, the keys of every portal and
   * what they call the user, recovery codes, the preferred method, the invitation, the count of wrong codes,
   * and which devices are trusted.
   * Where a user is deleted for good it has to be called, before the name can be given anew: who gets the name would otherwise
   * inherit the factors. A user who is only missing from a file keeps them. It ends no sessions; deleting the user does.
   * @returns how many factors there were
   */
  removeAll(user: string): Promise<number>
  /** Lets the user enrol a first factor. The invitation ends with that factor. */
  invite(user: string): Promise<void>
}

/** What makes the code of one authenticator app. */
export interface TotpChoice {
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512'
  readonly digits: 6 | 8
  /** Seconds. */
  readonly period: number
}

export interface TotpConfig extends TotpChoice {
  readonly createdAt: EpochMs
  readonly lastUsedAt: EpochMs | undefined
  readonly issuer: string
}

/** What a user may choose from when they enrol, and what is chosen otherwise. */
export interface TotpOptions {
  readonly standard: TotpChoice
  readonly algorithms: readonly TotpChoice['algorithm'][]
  readonly digits: readonly TotpChoice['digits'][]
  readonly periods: readonly number[]
}

/** The session that an enrolment belongs to. */
export type EnrolmentSession = Pick<Session, 'login' | 'domain'>

export interface Totp {
  readonly options: TotpOptions
  /** Undefined: none is enrolled. */
  config(user: string): Promise<TotpConfig | undefined>
  /**
   * Begins an enrolment: pending for ten minutes, for this session and this user. One that was pending is replaced.
   * @throws AppError BODY_INVALID for a choice that is not among the options
   */
  begin(
    session: EnrolmentSession,
    user: string,
    choice?: Partial<TotpChoice>,
  ): Promise<{
    /** Base32, without padding. */
    readonly secret: string
    /** `otpauth://totp/…` */
    readonly url: string
  }>
  /** Enrols what is pending when the code is its code. After a wrong one it is still pending. */
  confirm(session: EnrolmentSession, user: string, code: string): Promise<boolean>
  /** Ends a pending enrolment. */
  cancel(session: EnrolmentSession, user: string): Promise<void>
  /** Whether it is a code of now. A code is right once, on all nodes. To be called within `SecondFactor.attempt`. */
  check(user: string, code: string): Promise<boolean>
  /** @returns whether there was one */
  remove(user: string): Promise<boolean>
}

export interface RecoveryCodes {
  status(
    user: string,
  ): Promise<{ readonly remaining: number; readonly createdAt: EpochMs } | undefined>
  /** Ten new ones, which replace the former. To be shown once. */
  generate(user: string): Promise<readonly string[]>
  /**
   * Uses one up. Spaces, dashes and case do not matter. To be called within `SecondFactor.attempt`.
   * @returns undefined: none of this user's, or used before
   */
  use(user: string, code: string): Promise<{ readonly remaining: number } | undefined>
  /** @returns whether there were any */
  remove(user: string): Promise<boolean>
}

/**
 * One-time codes by mail, which elevate a session. Each call may throw AppError STORE_UNAVAILABLE.
 *
 * A code is right for one user, in the session that asked for it, from the address that asked for it, once. A session has one
 * at a time.
 */
export interface MailedCodes {
  /** Whether this user can be sent one. */
  reaches(identity: Identity): boolean
  /**
   * Sends one to the owner of the request's session; the former one is worth nothing.
   * @returns what `revoke` takes; undefined: it could not be sent
   * @throws AppError MAILED_CODES_LIMITED with `retryAfter`
   */
  send(request: FastifyRequest): Promise<string | undefined>
  /** Uses it up when it is right. To be called within `SecondFactor.attempt`. */
  take(request: FastifyRequest, typed: string): Promise<boolean>
  /** Needs no session: the id is in the mail. @returns the user whose code it was; undefined: there is none */
  revoke(id: string): Promise<string | undefined>
}

/** What shows now that the owner of a session is present. */
export const ELEVATION_METHODS = ['password', 'totp', 'webauthn', 'recovery_code', 'mail'] as const
export type ElevationMethod = (typeof ELEVATION_METHODS)[number]

export interface Elevation {
  /** Until when this session may change security settings; undefined: the owner has to show a factor first. */
  until(identity: Identity): Promise<EpochMs | undefined>
  /** Whether the owner has a second factor and did not sign in with it: the password alone elevates nothing then. */
  needsSecondFactor(identity: Identity): Promise<boolean>
  /** What would elevate this session now. */
  methods(identity: Identity, domain: CookieDomain): Promise<readonly ElevationMethod[]>
  /**
   * The owner has shown one of `methods`: elevates the session and sets the new cookie.
   * @param identity with the session that is to be elevated, as `pass` returned it where it was called before
   * @throws AppError SIGN_IN_REQUIRED when the session is over
   */
  grant(
    request: FastifyRequest,
    reply: FastifyReply,
    identity: Identity,
    method: ElevationMethod,
  ): Promise<void>
}
