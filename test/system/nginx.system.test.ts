import { nginxUnderTest } from '../support/nginx.ts'
import { proveProxy } from '../support/proxy-proofs.ts'

proveProxy(nginxUnderTest)
