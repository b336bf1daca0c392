import { ingressNginxUnderTest } from '../support/ingress-nginx.ts'
import { proveProxy } from '../support/proxy-proofs.ts'

proveProxy(ingressNginxUnderTest)
