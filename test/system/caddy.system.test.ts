import { caddyUnderTest } from '../support/caddy.ts'
import { proveProxy } from '../support/proxy-proofs.ts'

proveProxy(caddyUnderTest)
