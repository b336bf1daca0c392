import { randomBytes } from 'node:crypto'
import { stringifySetCookie } from 'cookie'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { z } from 'zod'
import { parseJson, takeTextBodies } from '../../../../http/json-body.ts'
import { koBody, okBody, type Replies } from '../../../../http/replies.ts'
import { AppError } from '../../../../kernel/errors.ts'
import type { Access } from '../../../access/index.ts'
import type { Audit } from '../../../audit/index.ts'
import {
  contextOf,
  createJudge,
  type Interactions,
  logFieldsOf,
  type PortalContextsOptions,
  portalContexts,
  type RequestContext,
} from '../../../portal/index.ts'
import { type CookieDomain, cookieValues, type Started } from '../../../sessions/index.ts'
import type { Throttle } from '../../../throttle/index.ts'
import type { Profile, Users } from '../../../users/index.ts'
import { createPasskeyBudget } from './passkey-budget.ts'
import type { NotShown, Shown } from './proofs.ts'
import { BODY_LIMIT, carriedOf, FAILED, MAX_PARTS, RETRY, redirectTo, Target } from './requests.ts'
import { AssertionResponse } from './responses.ts'
import type { Webauthn } from './webauthn.ts'

export interface PasskeyRoutesOptions extends PortalContextsOptions {
  readonly webauthn: Webauthn
  readonly users: Pick<Users, 'profile'>
  readonly throttle: Pick<Throttle, 'attempt' | 'devices' | 'reservationCookie'>
  readonly access: Access
  readonly interactions: Interactions | undefined
  readonly audit: Pick<Audit, 'record'>
  readonly replies: Replies
  readonly log: Logger
}

const PasskeyBody = Target.extend({
  response: AssertionResponse,
  keepMeLoggedIn: z.boolean().nullish(),
})

/** 256 bits in base64url without padding. */
const WELL_FORMED = /^[A-Za-z0-9_-]{43}$/
/** Other hosts of the domain can plant some in front of the right one. */
const MAX_VALUES = 50
/** Seconds; longer than a challenge lives. */
const COOKIE_LIFE = 3600

const PATH = '/api/firstfactor/passkey'

/**
 * A passkey in place of the password. Every refusal reads the same: it does not tell whether there is such a user or such a
 * key, whether the user is disabled or banned, nor what was wrong with the answer.
 */
export const passkeyRoutes: FastifyPluginAsync<PasskeyRoutesOptions> = async (app, options) => {
  const { webauthn, access, throttle, replies } = options
  if (!webauthn.hasPasskeys) return
  const judge = createJudge(options)
  const budget = createPasskeyBudget(options.clock)
  await app.register(portalContexts, options)
  takeTextBodies(app, BODY_LIMIT)
  const ko = (reply: FastifyReply, status: number, message: string) =>
    replies.json(reply, koBody(message), status)

  app.get(PATH, { config: { guard: 'public' } }, async (request, reply) => {
    const { domain, address } = contextOf(request)
    budget.spend(address)
    const browser = browsersOf(request, domain)[0] ?? randomBytes(32).toString('base64url')
    const asked = await webauthn.beginPasskey(browser, domain)
    if (asked === undefined) return ko(reply, 403, FAILED)
    reply.header('Set-Cookie', cookieOf(domain, browser))
    return replies.json(reply, okBody(asked))
  })

  app.post(PATH, { config: { guard: 'public' } }, async (request, reply) => {
    const context = contextOf(request)
    const body = PasskeyBody.safeParse(parseJson(request.body, MAX_PARTS)).data
    if (body === undefined) return ko(reply, 400, RETRY)
    const shown = await limited(throttle, reply, context, () =>
      tryPasskey(options, request, body.response),
    )
    const remember = body.keepMeLoggedIn ?? false
    const begun = 'refused' in shown ? shown : await begin(options, context, shown, remember)
    report(options, request, begun)
    if ('refused' in begun) return ko(reply, 403, RETRY)
    reply.header('Set-Cookie', begun.cookies)
    const { profile } = begun
    const { session } = begun.started
    const identity = { session, profile }
    const destination = await judge(carriedOf(body), { address: context.address, identity })
    const redirect = redirectTo(destination, session, context, access)
    return replies.json(reply, okBody(redirect === undefined ? undefined : { redirect }))
  })
}

interface Accepted extends Shown {
  readonly profile: Profile
}

interface Begun extends Accepted {
  readonly started: Started
  readonly cookies: readonly string[]
  readonly device: Awaited<ReturnType<Throttle['devices']['remember']>>
}

interface Denied extends NotShown {
  readonly banned?: true
}

/** The limits on attempts with a password hold for these as well, and count together with them. */
async function tryPasskey(
  { webauthn, users, throttle }: PasskeyRoutesOptions,
  request: FastifyRequest,
  response: AssertionResponse,
): Promise<Accepted | Denied> {
  const { domain, address, devices, reservations } = contextOf(request)
  const limiter = await throttle.attempt({ address, devices, reservations })
  const user = await webauthn.claimant(domain, response)
  // Counted before the answer is looked at, and taken back when it was right.
  const mayPass = await limiter.admit(user)
  const shown = await webauthn.showPasskey(browsersOf(request, domain), domain, response)
  const profile = 'refused' in shown ? undefined : await users.profile(shown.credential.user)
  const isRight = profile !== undefined && mayPass
  await limiter.settle(isRight)
  if ('refused' in shown) return shown
  if (profile === undefined) return { refused: 'the user is gone or disabled', user }
  return mayPass ? { ...shown, profile } : { refused: 'banned', user, banned: true }
}

/** @throws what `work` throws; a limited browser is told with a cookie when its turn comes */
async function limited<T>(
  throttle: Pick<Throttle, 'reservationCookie'>,
  reply: FastifyReply,
  { domain }: RequestContext,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const cookie =
      error instanceof AppError && error.code === 'SIGN_IN_LIMITED'
        ? throttle.reservationCookie(error, domain)
        : undefined
    if (cookie !== undefined) reply.header('Set-Cookie', cookie)
    throw error
  }
}

/** A new session; those that came with the request end (advisory 12: no id survives a sign-in). */
async function begin(
  { sessions, throttle }: PasskeyRoutesOptions,
  { domain, address, userAgent, cookies, devices }: RequestContext,
  accepted: Accepted,
  remember: boolean,
): Promise<Begun | Denied> {
  const { profile, factor } = accepted
  const place = { domain, address, userAgent }
  try {
    const started = await sessions.start({
      ...place,
      ...{ profile, factors: [factor], replaces: cookies },
      remember: remember && domain.rememberMe > 0,
    })
    const sighting = { ...place, user: profile.name, values: devices }
    const device = await throttle.devices.remember(sighting)
    const set = [started.cookie, ...(device === undefined ? [] : [device.cookie])]
    return { ...accepted, started, device, cookies: set }
  } catch (error) {
    // The user's sessions were ended while this one began.
    if (error instanceof AppError && error.code === 'AUTHENTICATION_FAILED')
      return { refused: 'the user was signed out meanwhile', user: profile.name }
    throw error
  }
}

/** The log and the audit trail. */
function report(
  { audit, log }: Pick<PasskeyRoutesOptions, 'audit' | 'log'>,
  request: FastifyRequest,
  outcome: Begun | Denied,
): void {
  const { address, userAgent } = contextOf(request)
  const from = { address, userAgent, requestId: request.id }
  const fields = { ...logFieldsOf(request), remote_ip: address }
  const method = 'passkey'
  if ('refused' in outcome) {
    const { user, refused: reason, banned, cloned } = outcome
    log.info({ ...fields, reason }, 'a passkey was refused')
    log.error(fields, `Unsuccessful Passkey authentication attempt by user '${user}'`)
    const about = { ...from, user, actor: 'unknown' as const }
    if (cloned !== undefined)
      audit.record('webauthn.cloned', { ...about, details: { key: cloned.name } })
    if (banned) audit.record('login.banned', { ...about, details: { method } })
    else audit.record('login.failed', { ...about, details: { method, reason: 'passkey' } })
    return
  }
  const { profile, started, device } = outcome
  log.debug(fields, `Successful Passkey authentication attempt made by user '${profile.name}'`)
  const about = { ...from, user: profile.name, actor: `user:${profile.name}` as const }
  const { remembered } = started.session
  audit.record('login.succeeded', {
    ...about,
    details: { method, remembered, ...(device !== undefined && { new_device: device.isNew }) },
  })
  if (device?.isNew) audit.record('device.added', { ...about, details: { device: device.device } })
}

const cookieName = ({ name }: CookieDomain): string => `${name}_passkey`

/** Binds a challenge to the browser that asked for it. Without Domain: no sibling host is sent it. */
const cookieOf = (domain: CookieDomain, value: string): string =>
  stringifySetCookie({
    name: cookieName(domain),
    value,
    path: '/',
    maxAge: COOKIE_LIFE,
    httpOnly: true,
    secure: true,
    sameSite: 'strict',
  })

function browsersOf(request: FastifyRequest, domain: CookieDomain): readonly string[] {
  const values: string[] = []
  cookieValues(request.headers.cookie ?? '', cookieName(domain), values, Number.POSITIVE_INFINITY)
  return values.filter((value) => WELL_FORMED.test(value)).slice(0, MAX_VALUES)
}
