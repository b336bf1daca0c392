import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { readJson, takeTextBodies } from '../../http/json-body.ts'
import type { Messages } from '../../http/messages.ts'
import { okBody, type Replies } from '../../http/replies.ts'
import type { PasswordPolicy } from '../passwords/index.ts'
import { contextOf, type PortalContextsOptions, portalContexts } from '../portal/index.ts'
import { addressKey, type FailureLimit, type Throttle } from '../throttle/index.ts'
import { faultText } from './markup.ts'

export interface PasswordPolicyPlugin extends PortalContextsOptions {
  readonly policy: PasswordPolicy
  readonly throttle: Pick<Throttle, 'limit'>
  readonly replies: Replies
  readonly messages: Messages
}

/** A password of 1024 characters, escaped. */
const BODY_LIMIT = 16_384
const StrengthBody = z.object({ password: z.string().max(1024) })
/** A page asks at most twice a second while its user types. */
const STRENGTH_LIMIT = [
  { count: 60, period: 60_000 },
  { count: 600, period: 3_600_000 },
]
const NO_NAMES = { name: '', displayName: '', email: '' }

export const passwordPolicyRoutes: FastifyPluginAsync<PasswordPolicyPlugin> = async (
  app,
  options,
) => {
  const { policy, throttle, replies } = options
  await app.register(portalContexts, options)
  takeTextBodies(app, BODY_LIMIT)
  const config = { guard: 'public' } as const
  const rules = okBody(publicRules(policy))
  app.get('/api/configuration/password-policy', { config }, (_request, reply) =>
    replies.json(reply, rules),
  )
  if (!policy.isOn) return
  const limit = await throttle.limit('password-strength', STRENGTH_LIMIT)
  app.post('/api/password-strength', { config }, (request, reply) =>
    answerStrength(options, limit, request, reply),
  )
}

/** What is typed goes no further: it is not logged, and no answer repeats it. */
async function answerStrength(
  { policy, messages, replies }: PasswordPolicyPlugin,
  limit: FailureLimit,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { address, identity } = contextOf(request)
  // Never given back: each question costs a thread a few milliseconds.
  await limit.take(addressKey(address))
  const { password } = readJson(request.body, StrengthBody)
  const { score, faults } = await policy.strength(password, identity?.profile ?? NO_NAMES)
  const { t } = messages.negotiate(request)
  const text =
    faults.length === 0
      ? t(`passwordPolicy.strength.${score}`)
      : faults.map((fault) => faultText(t, fault, policy.config)).join(' ')
  return replies.json(reply, okBody({ score, faults, text }))
}

/** Authelia's form: what a mode does not have is 0 or false. */
function publicRules({ config: { standard, zxcvbn } }: Pick<PasswordPolicy, 'config'>) {
  const by = standard.enabled
  return {
    mode: by ? 'standard' : zxcvbn.enabled ? 'zxcvbn' : 'disabled',
    min_length: by ? standard.min_length : 0,
    max_length: by ? standard.max_length : 0,
    min_score: zxcvbn.enabled ? zxcvbn.min_score : 0,
    require_uppercase: by && standard.require_uppercase,
    require_lowercase: by && standard.require_lowercase,
    require_number: by && standard.require_number,
    require_special: by && standard.require_special,
  }
}
