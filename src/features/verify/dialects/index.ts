import type { Dialect } from '../dialect.ts'
import { authRequest } from './auth-request.ts'
import { forwardAuth } from './forward-auth.ts'
import { verify } from './verify.ts'

/** Every way in which a proxy may ask. A new one is a file here and a line below. */
export const dialects: readonly Dialect[] = [verify, authRequest, forwardAuth]
