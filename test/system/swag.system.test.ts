import { proveProxy } from '../support/proxy-proofs.ts'
import { swagUnderTest } from '../support/swag.ts'

proveProxy(swagUnderTest)
