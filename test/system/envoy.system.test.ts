import { envoyUnderTest } from '../support/envoy.ts'
import { proveProxy } from '../support/proxy-proofs.ts'

proveProxy(envoyUnderTest)
