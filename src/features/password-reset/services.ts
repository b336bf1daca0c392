import type { FastifyRequest } from 'fastify'
import type { Messages } from '../../http/messages.ts'
import type { Replies } from '../../http/replies.ts'
import type { PasswordPolicy } from '../passwords/index.ts'
import {
  contextOf,
  createRendering,
  logFieldsOf,
  type PortalContextsOptions,
  type Rendering,
} from '../portal/index.ts'
import type { Origin } from './requests.ts'
import type { PasswordReset } from './reset.ts'

export interface PasswordResetPlugin extends PortalContextsOptions {
  /** Undefined where no password can be reset: none of the addresses exists then (requirement 17). */
  readonly passwordReset: PasswordReset | undefined
  readonly policy: Pick<PasswordPolicy, 'isOn' | 'config'>
  readonly replies: Replies
  readonly messages: Messages
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

/** What the pages and the API of this feature share. */
export interface ResetServices extends PasswordResetPlugin, Rendering {
  readonly reset: PasswordReset
}

export const createResetServices = (
  options: PasswordResetPlugin,
  reset: PasswordReset,
): ResetServices => ({
  ...options,
  reset,
  ...createRendering(options),
})

/** In characters, as at sign-in. */
export const MAX_USERNAME = 320
export const MAX_PASSWORD = 1024

export function originOf(request: FastifyRequest): Origin {
  const { domain, address, userAgent } = contextOf(request)
  return { domain, address, userAgent, fields: logFieldsOf(request) }
}
