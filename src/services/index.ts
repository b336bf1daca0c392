/**
 * The services of the features, in the order in which one needs the other. A feature whose service is opened with the server
 * adds a line here; `createApp` hands all of them to the features' routes.
 */
import { createAudit } from '../features/audit/index.ts'
import { createHub } from '../features/hub/index.ts'
import { createNotifier } from '../features/notify/index.ts'
import { createPasswords } from '../features/passwords/index.ts'
import {
  createSecondFactor,
  createWebauthn,
  forgetTrustOf,
  webauthnMethod,
} from '../features/second-factor/index.ts'
import {
  createRedisOnce,
  createRedisStore,
  createSqliteOnce,
  createSqliteStore,
} from '../features/sessions/index.ts'
import { createThrottle, throttleNotes } from '../features/throttle/index.ts'
import { hashParameters, openPasswordMarks } from '../features/users/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { type Composed, compose } from '../kernel/composition.ts'
import type { Services as OperationServices } from '../operations.ts'
import type { Resources } from './resources.ts'
import { openSessions } from './sessions.ts'
import { openUsers } from './users.ts'

export const services = compose<Resources>()
  .add('audit', ({ config, ...base }) => createAudit({ ...base, config: config['audit'] }))
  // Undefined without the section `notifier`.
  .add('notifier', async ({ config, ...base }) => {
    const section = config['notifier']
    return section && (await createNotifier({ ...base, config: section }))
  })
  .add('passwords', ({ config }) => {
    const { concurrency, queue } = config['authentication_backend.hashing']
    const parameters = hashParameters(config['authentication_backend.file'].password)
    // It measures what hashing takes of the machine's time.
    return createPasswords({ parameters, concurrency, queue, clock: systemClock })
  })
  .add('marks', ({ storage }) => openPasswordMarks(storage))
  .add('users', openUsers)
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
  .add('webauthn', ({ config, ...base }) => createWebauthn({ ...base, config: config['webauthn'] }))
  .add('secondFactor', ({ webauthn, ...base }) =>
    createSecondFactor({
      ...base,
      methods: webauthn.isOn ? [webauthnMethod({ webauthn, ...base })] : [],
      stored: [webauthn],
    }),
  )

export type Services = Composed<typeof services>

/** What operations work on. */
export const forOperations = ({
  audit,
  secondFactor,
  sessions,
  throttle,
}: Services): OperationServices => ({
  ...{ audit, sessions, factors: secondFactor.registry },
  ...{ bans: throttle.bans, devices: throttle.devices },
})
