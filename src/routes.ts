/** The one list of what answers requests. A feature adds a line; which of the site it takes, its options say. */
import type { FastifyPluginAsync } from 'fastify'
import { admin } from './features/admin/index.ts'
import { health } from './features/health/index.ts'
import { hubRoutes } from './features/hub/index.ts'
import { login } from './features/login/index.ts'
import { passwordPolicyRoutes } from './features/password-policy/index.ts'
import { changePasswordRoute, passwordResetRoutes } from './features/password-reset/index.ts'
import {
  passkeyRoutes,
  secondFactorPages,
  secondFactorRoutes,
  webauthnRoutes,
} from './features/second-factor/index.ts'
import { settings } from './features/settings/index.ts'
import { verify } from './features/verify/index.ts'
import { assetRoutes } from './http/assets.ts'
import { iconRoutes } from './http/icons.ts'
import type { Site } from './services/site.ts'

export const routes: readonly FastifyPluginAsync<Site>[] = [
  verify,
  login,
  hubRoutes,
  secondFactorRoutes,
  webauthnRoutes,
  passkeyRoutes,
  secondFactorPages,
  passwordPolicyRoutes,
  passwordResetRoutes,
  changePasswordRoute,
  settings,
  admin,
  health,
  assetRoutes,
  iconRoutes,
]
