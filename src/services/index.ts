/**
 * The services of the features, in the order in which one needs the other. A feature whose service is opened with the server
 * adds a line here; `createApp` hands all of them to the features' routes.
 */
import { resolve } from 'node:path'
import { createAudit } from '../features/audit/index.ts'
import { createHub } from '../features/hub/index.ts'
import { createNotifier, sendNotices } from '../features/notify/index.ts'
import { openPasswordReset } from '../features/password-reset/index.ts'
import {
  approveOrForce,
  createPasswordPolicy,
  createPasswords,
} from '../features/passwords/index.ts'
import {
  createSecondFactor,
  createStoredFactors,
  createWebauthn,
  forgetTrustOf,
  openMetadata,
  webauthnMethod,
} from '../features/second-factor/index.ts'
import {
  createRedisOnce,
  createRedisStore,
  createSqliteOnce,
  createSqliteStore,
} from '../features/sessions/index.ts'
import { createThrottle, throttleNotes } from '../features/throttle/index.ts'
import { hashParameters, openPasswordMarks, passwordConfigIn } from '../features/users/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { type Composed, compose } from '../kernel/composition.ts'
import type { Services as OperationServices } from '../operations.ts'
import { openOutbox } from './outbox.ts'
import type { Resources } from './resources.ts'
import { openSessions } from './sessions.ts'
import { openUsers } from './users.ts'

export const services = compose<Resources>()
  // Undefined where nothing leaves later.
  .add('outbox', openOutbox)
  .add('audit', ({ config, ...base }) => createAudit({ ...base, config: config['audit'] }))
  // Undefined without the section `notifier`.
  .add('notifier', ({ config, outbox, ...base }) =>
    config['notifier'] && outbox ? createNotifier({ ...base, outbox }) : undefined,
  )
  .add('passwords', ({ config }) => {
    const { concurrency, queue } = config['authentication_backend.hashing']
    const parameters = hashParameters(passwordConfigIn(config))
    // It measures what hashing takes of the machine's time.
    return createPasswords({ parameters, concurrency, queue, clock: systemClock })
  })
  .add('marks', ({ storage }) => openPasswordMarks(storage))
  .add('users', openUsers)
  .add(
    'notices',
    ({ config, notifier, ...base }) =>
      notifier && sendNotices({ ...base, notifier, config: config['notifications'] }),
  )
  .add('secrets', ({ config, data }) => config['session'].secret ?? [data.secret('session')])
  .add('sessionStore', ({ redis: connection, storage, clock, secrets }) =>
    connection === undefined
      ? createSqliteStore(storage)
      : createRedisStore({ connection, clock, moves: secrets.length > 1 }),
  )
  .add('once', ({ redis, storage }) =>
    redis === undefined ? createSqliteOnce(storage) : createRedisOnce(redis),
  )
  .add('sessions', openSessions)
  // Undefined where each cookie domain signs in for itself.
  .add('hub', ({ config, ...base }) => createHub({ ...base, config: config['session.hub'] }))
  .add('throttle', ({ config, audit, ...base }) =>
    createThrottle({
      ...base,
      ...throttleNotes(audit),
      afterLift: forgetTrustOf(base.storage),
      limits: config['failed_login_rate_limit'],
      regulation: config['regulation'],
    }),
  )
  // Undefined where `webauthn.metadata` is off.
  .add('metadata', ({ config, ...base }) =>
    openMetadata({ ...base, config: config['webauthn'].metadata }),
  )
  .add('webauthn', ({ config, ...base }) => createWebauthn({ ...base, config: config['webauthn'] }))
  .add('secondFactor', ({ webauthn, ...base }) =>
    createSecondFactor({
      ...base,
      methods: webauthn.isOn ? [webauthnMethod({ webauthn, ...base })] : [],
      stored: [webauthn],
    }),
  )
  .add('policy', ({ config, cwd }) =>
    createPasswordPolicy(config['password_policy'], (path) => resolve(cwd, path)),
  )
  // Undefined where no password can be reset.
  .add('passwordReset', ({ data, ...base }) =>
    openPasswordReset({ ...base, secret: () => data.secret('reset-password') }),
  )
  .add('storedFactors', ({ config, sealer, ...base }) =>
    createStoredFactors({ ...base, totp: config['totp'], sealer: async () => sealer }),
  )

export type Services = Composed<typeof services>

/** What operations work on. */
export const forOperations = ({
  audit,
  config,
  policy,
  secondFactor,
  sessions,
  storedFactors,
  throttle,
  users,
}: Services): OperationServices => ({
  ...{ audit, sessions, storedFactors, factors: secondFactor.registry },
  ...{ bans: throttle.bans, devices: throttle.devices },
  ...{ users: () => users, adminGroups: config['admin'].groups, approve: approveOrForce(policy) },
  async onDeleted(user) {
    await sessions.revokeUser(user)
    await throttle.devices.revokeUser(user, 'system')
    await secondFactor.registry.removeAll(user)
  },
})
