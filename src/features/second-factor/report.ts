import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Audit, EventName, Happening } from '../audit/index.ts'
import { contextOf, logFieldsOf, ownerOf } from '../portal/index.ts'
import type { FactorKind } from '../sessions/index.ts'

/** What a user shows: a factor, or a code that was mailed. */
export type Proof = FactorKind | 'mail'

/** As log lines call them, for programs that read the log (requirement 21). */
const LOG_NAMES: Readonly<Record<Proof, string>> = {
  password: 'Password',
  totp: 'TOTP',
  webauthn: 'WebAuthn',
  passkey: 'Passkey',
  'trusted-device': 'Trusted Device',
  'recovery-code': 'Recovery Code',
  mail: 'One-Time Code',
}

/** What the log and the audit trail are told of the owner of a request's session. */
export interface Report {
  succeeded(request: FastifyRequest, factor: FactorKind): void
  failed(request: FastifyRequest, factor: Proof): void
  audit<N extends EventName>(
    request: FastifyRequest,
    name: N,
    details?: Happening<N>['details'],
  ): void
}

export function createReport({
  audit,
  log,
}: {
  readonly audit: Pick<Audit, 'record'>
  readonly log: Pick<Logger, 'debug' | 'error'>
}): Report {
  const record: Report['audit'] = (request, name, details) => {
    const { address, userAgent } = contextOf(request)
    const { user } = ownerOf(request).session
    audit.record(name, {
      ...{ user, actor: `user:${user}`, address, userAgent, requestId: request.id },
      ...(details !== undefined && { details }),
    })
  }
  const fieldsOf = (request: FastifyRequest) => ({
    ...logFieldsOf(request),
    remote_ip: contextOf(request).address,
  })
  return {
    succeeded(request, factor) {
      const { user } = ownerOf(request).session
      // The audit trail's line says it at `info`.
      log.debug(
        fieldsOf(request),
        `Successful ${LOG_NAMES[factor]} authentication attempt made by user '${user}'`,
      )
      record(request, 'factor.accepted', { method: factor })
    },
    failed(request, factor) {
      const { user } = ownerOf(request).session
      log.error(
        fieldsOf(request),
        `Unsuccessful ${LOG_NAMES[factor]} authentication attempt by user '${user}'`,
      )
      record(request, 'factor.refused', { method: factor })
    },
    audit: record,
  }
}
