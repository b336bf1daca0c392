import { proveProxy } from '../support/proxy-proofs.ts'
import { traefikUnderTest } from '../support/traefik.ts'

proveProxy(traefikUnderTest)
