import type { FastifyReply, FastifyRequest } from 'fastify'
import { ownerOf, textFields } from '../../portal/index.ts'
import type { Identity } from '../../sessions/index.ts'
import type { SecondFactor } from '../method.ts'
import { MAX_CODE, type Typed } from './markup.ts'

/** In characters. A longer one is wrong, and not looked at. */
const MAX_PASSWORD = 1024

/**
 * Shows what was typed into the form of a page. A code raises the session, a password leaves it as it is.
 * @returns the identity, with the new session of a code; undefined: it was wrong
 * @throws AppError SECOND_FACTOR_LIMITED or SIGN_IN_LIMITED: it was not looked at
 */
export async function showTyped(
  { show }: Pick<SecondFactor, 'show'>,
  kind: Typed,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Identity | undefined> {
  const { code = '', password = '' } = textFields(request.body)
  const typed = code.replace(/\s/g, '')
  const tooLong = code.length > MAX_CODE || password.length > MAX_PASSWORD
  if (tooLong || (kind !== 'password' && typed === '')) return undefined
  switch (kind) {
    case 'totp':
      return show.totp(request, reply, typed)
    case 'recovery_code':
      return (await show.recoveryCode(request, reply, typed))?.identity
    case 'password':
      return (await show.password(request, reply, password)) ? ownerOf(request) : undefined
    case 'mail':
      return (await show.mailedCode(request, typed)) ? ownerOf(request) : undefined
    default:
      return kind satisfies never
  }
}
