/** Where to listen: Authelia's `scheme://host:port/path?umask=…`. */
export type ListenAddress =
  | {
      readonly kind: 'tcp'
      /** Empty: every interface, v6 and v4. */
      readonly host: string
      readonly port: number
      /** Base path, `/` or `/auth`; never ends in a slash unless it is `/`. */
      readonly basePath: string
      readonly family: 4 | 6 | undefined
    }
  | {
      readonly kind: 'unix'
      readonly path: string
      readonly umask: number | undefined
      readonly basePath: string
    }

/**
 * Reads a listening address: `tcp://:9091/`, `tcp4://127.0.0.1:9091/auth`, `unix:///run/v.sock?umask=0117`, `:9091`.
 * @returns undefined when it is none
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, rawScheme, rest = ''] = /^(?:([a-z0-9]+):\/\/)?(.*)$/.exec(text) ?? []
  const scheme = rawScheme ?? 'tcp'
  if (scheme === 'unix') {
    const [path = '', query = ''] = rest.split('?', 2)
    if (!path.startsWith('/')) return undefined
    const params = new URLSearchParams(query)
    const umask = params.get('umask')
    if (umask !== null && !/^0?[0-7]{3}$/.test(umask)) return undefined
    const basePath = parseBasePath(params.get('path') ?? '')
    if (basePath === undefined) return undefined
    return {
      kind: 'unix',
      path,
      umask: umask === null ? undefined : Number.parseInt(umask, 8),
      basePath,
    }
  }
  if (scheme !== 'tcp' && scheme !== 'tcp4' && scheme !== 'tcp6') return undefined
  const [, bracketed, plain, digits, path = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]*))(?::(\d{1,5}))?(\/.*)?$/.exec(rest) ?? []
  const host = bracketed ?? plain
  if (host === undefined) return undefined
  const port = digits === undefined ? 9091 : Number(digits)
  const basePath = parseBasePath(path)
  if (port > 65_535 || basePath === undefined) return undefined
  return {
    kind: 'tcp',
    host,
    port,
    basePath,
    family: scheme === 'tcp4' ? 4 : scheme === 'tcp6' ? 6 : undefined,
  }
}

function parseBasePath(text: string): string | undefined {
  const path = text.replace(/^\/+|\/+$/g, '')
  return /^[A-Za-z0-9/._-]*$/.test(path) && !path.includes('..') && !path.includes('//')
    ? `/${path}`
    : undefined
}

/** A server to connect to. */
export type PeerAddress =
  | {
      readonly kind: 'tcp'
      readonly host: string
      readonly port: number
      readonly family: 4 | 6 | undefined
    }
  | { readonly kind: 'unix'; readonly path: string }

/**
 * Reads the address of a server to connect to: `tcp://db.example.com:5432`, `tcp6://[::1]`, `unix:///run/postgresql`,
 * `db.example.com`. Without a host it is `localhost`.
 * @returns undefined when it is none
 */
export function parsePeerAddress(text: string, defaultPort: number): PeerAddress | undefined {
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z0-9]+):\/\/)?(.*)$/.exec(text) ?? []
  if (scheme === 'unix') return /^\/\S/.test(rest) ? { kind: 'unix', path: rest } : undefined
  if (scheme !== 'tcp' && scheme !== 'tcp4' && scheme !== 'tcp6') return undefined
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]{0,253}))(?::(\d{1,5}))?\/?$/.exec(rest) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? defaultPort : Number(digits)
  if (host === undefined || port === 0 || port > 65_535) return undefined
  return {
    kind: 'tcp',
    host: host === '' ? 'localhost' : host,
    port,
    family: scheme === 'tcp4' ? 4 : scheme === 'tcp6' ? 6 : undefined,
  }
}
