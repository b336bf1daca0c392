import type { ListenAddress } from '../../kernel/address.ts'
import { isAddress, isLoopback, isWithin, parseHost } from '../../kernel/host.ts'
import { OperatorError } from '../../kernel/operator-error.ts'
import type { CookieDomain } from '../sessions/index.ts'

/** What a snippet is about. Everything in it is valid already: a host is a host, a name is a name. */
export interface ProxySetup {
  /** `host:port` or `unix:/path` at which the proxy reaches Vestibule. */
  readonly verifyUpstream: string
  /** Below which path Vestibule serves everything, `/auth`; without: at the root. */
  readonly basePath?: string
  /** What the proxy itself listens on: `port`, or `address:port`. */
  readonly listen: string
  /** Whether it speaks TLS there. */
  readonly tls: boolean
  /** Every cookie domain; at least one has a host. */
  readonly domains: readonly ProxyDomain[]
  /** `host:port` of the app behind. */
  readonly appUpstream: string
  /** The cookies that stand for a session, of all domains: no app gets any of them. */
  readonly cookieNames: readonly string[]
  readonly identityHeaders: IdentityHeaderNames
}

/** What a proxy serves of one cookie domain. Browsers ask one certificate of it, so some proxies get a block for each. */
export interface ProxyDomain {
  /** For the names of certificates. */
  readonly domain: string
  /** The names of the app, lower case, without port; none where only the portal is served. */
  readonly hosts: readonly string[]
  /** The portal's host, when people reach the portal through this proxy too. */
  readonly portalHost?: string
  /** Where the portal is for a browser. */
  readonly portalUrl?: string
}

export interface IdentityHeaderNames {
  readonly user: string
  readonly groups: string
  readonly name: string
  readonly email: string
}

/** One file of a snippet. */
export interface ProxyFile {
  readonly name: string
  readonly text: string
}

/** Prints what one kind of proxy needs. Pure: text out of a setup. */
export type PrintSnippet = (setup: ProxySetup) => readonly ProxyFile[]

/** What the configuration says that a proxy has to know. */
export interface Configured {
  readonly address: ListenAddress
  /** At least one. */
  readonly domains: readonly Pick<CookieDomain, 'domain' | 'hostOnly' | 'portalUrl' | 'name'>[]
  readonly identityHeaders: IdentityHeaderNames
}

/** Names at which a proxy that runs in a container or a cluster finds others, unless told otherwise. */
export interface Neighbours {
  /** Host of Vestibule. */
  readonly vestibule: string
  /** `host:port` of the app. */
  readonly app: string
}

/** What only the operator knows; every one has a default. */
export interface SetupChoices {
  /** The names of the app; by default `app.` below the first cookie domain. */
  readonly hosts?: readonly string[]
  /** `host:port` of the app; by default 127.0.0.1:8081. */
  readonly app?: string
  /** What the proxy listens on; by default 443 on every address where the portal is https, else 127.0.0.1:8080. */
  readonly listen?: string
  /** Where the proxy reaches Vestibule; by default where Vestibule listens. */
  readonly upstream?: string
  /** For a proxy to which 127.0.0.1 is itself. */
  readonly neighbours?: Neighbours | undefined
}

/**
 * The setup that a configuration means.
 * Every portal is in it, whichever domain the hosts belong to: who signs in at one may be sent on to another.
 *
 * @throws OperatorError when a choice is malformed, names a host that no cookie domain covers, or hosts of which some are https
 * and some http
 */
export function setupFor(configured: Configured, choices: SetupChoices = {}): ProxySetup {
  const { address, domains, identityHeaders } = configured
  const [first] = domains
  if (first === undefined) throw new TypeError('a configuration has a cookie domain')
  const hosts = choices.hosts?.map(parseAppHost) ?? [
    first.hostOnly ? first.domain : `app.${first.domain}`,
  ]
  const covering = new Map(hosts.map((host) => [host, domainOf(host, domains)]))
  const tls = schemeOf(covering)
  const served = domains.map((one) => servedOf(one, covering, address, tls))
  const portal = served.find(({ portalHost = '' }) => hosts.includes(portalHost))?.portalHost
  if (portal !== undefined)
    throw new OperatorError(`${portal} is the portal itself`, 'name the host of an app')
  return {
    verifyUpstream: endpoint(
      '--upstream',
      choices.upstream ?? upstreamOf(address, choices.neighbours?.vestibule),
    ),
    ...(address.basePath !== '/' && { basePath: address.basePath }),
    listen: listenOf(choices.listen ?? defaultListen(tls, choices.neighbours !== undefined)),
    tls,
    domains: served,
    appUpstream: endpoint('--app', choices.app ?? choices.neighbours?.app ?? '127.0.0.1:8081'),
    cookieNames: [...new Set(domains.map(({ name }) => name))],
    identityHeaders,
  }
}

function parseAppHost(text: string): string {
  const host = parseHost(text, 'https')
  if (host === undefined || host.port !== undefined || isAddress(host.name))
    throw new OperatorError(
      `${JSON.stringify(text)} is no name of a host`,
      'such as app.example.com',
    )
  return host.name
}

type ConfiguredDomain = Configured['domains'][number]

function domainOf(host: string, domains: readonly ConfiguredDomain[]): ConfiguredDomain {
  const domain = domains.find((one) =>
    one.hostOnly ? one.domain === host : isWithin(host, one.domain),
  )
  if (domain !== undefined) return domain
  const names = domains.map((one) => one.domain).join(', ')
  throw new OperatorError(`no cookie domain covers ${host}`, `session.cookies has ${names}`)
}

/** Whether the proxy speaks TLS, to all of the hosts or to none: it listens in one place. */
function schemeOf(covering: ReadonlyMap<string, ConfiguredDomain>): boolean {
  const schemes = [...covering].map(([host, domain]) => ({ host, tls: isHttps(domain, host) }))
  const [first] = schemes
  if (first === undefined) throw new OperatorError('an app needs a host')
  const other = schemes.find(({ tls }) => tls !== first.tls)
  if (other !== undefined)
    throw new OperatorError(
      `of ${first.host} and ${other.host}, one is https and the other http`,
      'ask for one proxy each',
    )
  return first.tls
}

const isHttps = ({ portalUrl }: ConfiguredDomain, host: string): boolean =>
  portalUrl === undefined ? !isLoopback(host) : portalUrl.protocol === 'https:'

function servedOf(
  domain: ConfiguredDomain,
  covering: ReadonlyMap<string, ConfiguredDomain>,
  address: ListenAddress,
  tls: boolean,
): ProxyDomain {
  const { portalUrl } = domain
  const portalHost = portalBehindProxy(portalUrl, address)
  return {
    domain: domain.domain,
    hosts: [...covering].flatMap(([host, covered]) => (covered === domain ? host : [])),
    // A portal of the other scheme is served elsewhere.
    ...(portalHost !== undefined && (portalUrl?.protocol === 'https:') === tls && { portalHost }),
    ...(portalUrl !== undefined && { portalUrl: portalUrl.href }),
  }
}

/** The portal's host, unless people reach it past the proxy, at Vestibule's own port. */
function portalBehindProxy(url: URL | undefined, address: ListenAddress): string | undefined {
  if (url === undefined) return undefined
  if (address.kind === 'tcp' && url.port === String(address.port)) return undefined
  return url.hostname
}

function defaultListen(tls: boolean, elsewhere: boolean): string {
  if (tls) return '443'
  return elsewhere ? '80' : '127.0.0.1:8080'
}

const EVERYWHERE = ['', '0.0.0.0', '::']
const HERE = ['localhost', '127.0.0.1', '::1']

function upstreamOf(address: ListenAddress, neighbour: string | undefined): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  const isNear =
    EVERYWHERE.includes(address.host) ||
    (HERE.includes(address.host) && (neighbour !== undefined || address.host === 'localhost'))
  const host = isNear ? (neighbour ?? '127.0.0.1') : address.host
  return `${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

/** Names and addresses only: these texts go into the middle of an operator's configuration. */
function endpoint(option: string, text: string): string {
  const isPath = option === '--upstream' && /^unix:\/[\w./-]+$/.test(text)
  if (!isPath && !/^([\w.-]+|\[[\da-f:]+\]):\d{1,5}$/i.test(text))
    throw new OperatorError(
      `${option} is no host with a port: ${JSON.stringify(text)}`,
      'such as app:8080',
    )
  return text
}

function listenOf(text: string): string {
  if (!/^(([\w.-]+|\[[\da-f:]+\]):)?\d{1,5}$/i.test(text))
    throw new OperatorError(
      `--listen is no port: ${JSON.stringify(text)}`,
      'such as 443 or 127.0.0.1:8080',
    )
  return text
}

/** The app's hosts, of all domains. */
export const hostsOf = ({ domains }: Pick<ProxySetup, 'domains'>): readonly string[] =>
  domains.flatMap(({ hosts }) => hosts)

/** The hosts of the portals that people reach through this proxy; there may be none. */
export const portalsOf = ({ domains }: Pick<ProxySetup, 'domains'>): readonly string[] => [
  ...new Set(domains.flatMap(({ portalHost }) => portalHost ?? [])),
]

/** Domains of which the proxy serves anything, and so needs a certificate. */
export const servedDomains = ({ domains }: ProxySetup): readonly ProxyDomain[] =>
  domains.filter(({ hosts, portalHost }) => hosts.length > 0 || portalHost !== undefined)

/** What the files of a domain's certificate are called, without ending: the domain, where there are several. */
export const certificateName = (setup: ProxySetup, { domain }: ProxyDomain): string =>
  servedDomains(setup).length > 1 ? domain : 'vestibule'

/** What only proxies ask, with whatever is below; served with the base path and without. */
export const verifyPaths = ({ basePath }: ProxySetup): readonly string[] =>
  (basePath === undefined ? [''] : ['', basePath]).flatMap((base) =>
    ['/verify', '/api/verify', '/api/authz'].map((path) => base + path),
  )

/** The same as a regular expression (PCRE, RE2, POSIX) for the beginning of a path, without its `^`. */
export const verifyPattern = ({ basePath }: ProxySetup): string =>
  `${basePath === undefined ? '' : `(${basePath.replaceAll('.', '[.]')})?`}/(verify|api/verify|api/authz)`

/**
 * The same for the beginning of a request target as it was written (PCRE, RE2): what a proxy compares otherwise is what it
 * makes of it, and of `/api/verify/../x` that is `/api/x`. The portal has no path with a % in it, so none of these is spelled
 * with one.
 */
export const verifyTargetPattern = (setup: ProxySetup): string =>
  `^(${verifyPattern(setup)}([/?#;]|$)|[^?]*%)`

/** A text as a literal inside a regular expression (PCRE and RE2). */
export const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** Lines of text, each behind the same indentation. */
export const indent = (lines: readonly string[], by: string): string =>
  lines.map((line) => (line === '' ? '' : by + line)).join('\n')

/** `address:port` in its two halves; without an address: undefined. */
export function splitListen(listen: string): {
  readonly address: string | undefined
  readonly port: string
} {
  const [, address, port = listen] = /^(.*):(\d+)$/.exec(listen) ?? []
  return { address: address === '' ? undefined : address, port }
}
