/**
 * What each reverse proxy needs to ask Vestibule, printed from the configuration that is in force.
 *
 * Pure: text in, text out. It owns no route and knows no proxy's state. A new proxy is a file in proxies/ and a line in
 * their list; test/support/proxy-proofs.ts says what has to be true of an app behind it.
 */
export { isProxyName, neighbours, nginxInOne, type ProxyName, proxies } from './proxies/index.ts'
export {
  type Configured,
  hostsOf,
  type IdentityHeaderNames,
  type Neighbours,
  type PrintSnippet,
  type ProxyDomain,
  type ProxyFile,
  type ProxySetup,
  portalsOf,
  type SetupChoices,
  setupFor,
} from './setup.ts'
