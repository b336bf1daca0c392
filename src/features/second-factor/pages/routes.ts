import formbody from '@fastify/formbody'
import type { FastifyPluginAsync } from 'fastify'
import { readPairs } from '../../../kernel/pairs.ts'
import { FORM_LIMIT, pageRefusals, portalContexts } from '../../portal/index.ts'
import { bringsDeviceCookie, delayPlugin } from '../../throttle/index.ts'
import { challengeRoutes } from './challenge.ts'
import { confirmRoutes } from './confirm.ts'
import { enrolRoutes } from './enrol.ts'
import { recoveryCodesRoutes } from './recovery-codes.ts'
import { revokeRoutes } from './revoke.ts'
import { createPageServices, type SecondFactorPagesOptions } from './services.ts'

/**
 * The pages of second factors. Every form is answered 303, but for those whose answer is kept nowhere: a secret whose first
 * code was wrong, and recovery codes.
 *
 *   GET /second-factor                            to the preferred method, or to enrolment
 *   GET, POST /second-factor/totp, …/recovery-code, …/password; GET …/webauthn
 *   GET /second-factor/enrol, GET, POST …/enrol/totp, GET …/enrol/webauthn     elevated
 *   GET, POST /second-factor/recovery-codes                                    elevated
 *   GET, POST /settings/confirm                   "confirm that it's you"
 *   GET, POST /revoke/one-time-code               from a mail, without a session
 */
export const secondFactorPages: FastifyPluginAsync<SecondFactorPagesOptions> = async (
  app,
  options,
) => {
  const services = createPageServices(options)
  const { throttle, clock } = options
  await app.register(delayPlugin, {
    delay: throttle.delay,
    queue: throttle.queue,
    clock,
    isClaim: ({ headers }) => bringsDeviceCookie(headers.cookie),
  })
  await app.register(portalContexts, options)
  await app.register(pageRefusals, services)
  await app.register(formbody, { bodyLimit: FORM_LIMIT, parser: readPairs })
  await app.register(challengeRoutes, { services })
  await app.register(enrolRoutes, { services })
  await app.register(recoveryCodesRoutes, { services })
  await app.register(confirmRoutes, { services })
  await app.register(revokeRoutes, { services })
}
