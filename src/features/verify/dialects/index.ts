import type { Dialect } from '../dialect.ts'
import { authRequest } from './auth-request.ts'
import { extAuthz } from './ext-authz.ts'
import { forwardAuth } from './forward-auth.ts'
import { legacy } from './legacy.ts'
import { verify } from './verify.ts'

/** Every way in which a proxy may ask, by Authelia's name of the implementation. A new one is a file and a line. */
export const implementations = {
  ForwardAuth: forwardAuth,
  AuthRequest: authRequest,
  ExtAuthz: extAuthz,
  Legacy: legacy,
} as const satisfies Record<string, Dialect>

/** Ours, at `/verify`: asks the nginx way or the forward-auth way. */
export { verify as ownDialect }
