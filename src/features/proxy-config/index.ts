/**
 * What each reverse proxy needs to ask Vestibule, printed from the configuration that is in force.
 *
 * Pure: text in, text out. It owns no route and knows no proxy's state. A new proxy is a file in proxies/ and a line in
 * their list; test/support/proxy-proofs.ts says what has to be true of an app behind it.
 */
export { isProxyName, neighbours, nginxInOne, proxies } from './proxies/index.ts'
export {
  hostsOf,
  type ProxyDomain,
  type ProxyFile,
  type ProxySetup,
  portalsOf,
  setupFor,
} from './setup.ts'
