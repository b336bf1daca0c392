import type { ProxySetup } from './setup.ts'

/** The identity headers in the order in which they are documented. */
export const headersOf = ({ identityHeaders }: ProxySetup): readonly string[] => [
  identityHeaders.user,
  identityHeaders.groups,
  identityHeaders.name,
  identityHeaders.email,
]

/** By these a client could tell some apps that another path is meant than the one that was asked about. */
const PATHS = [
  // IIS, Symfony and Laminas have read these two.
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Original-URI',
  'X-Forwarded-Uri',
  // Spring, ASP.NET and Traefik's friends put it in front of the path.
  'X-Forwarded-Prefix',
]

/** By these, that another method is meant: a POST that the rules let through would be a DELETE. */
const METHODS = [
  'X-HTTP-Method-Override',
  'X-Method-Override',
  'X-HTTP-Method',
  'X-Forwarded-Method',
  'X-Original-Method',
]

/** By these, where a request has come in and from whom. */
const PLACES = ['Forwarded', 'X-Forwarded-Server', 'X-Forwarded-Port', 'X-Real-IP']

/** Headers of a client's that no app gets; see `untrueOf`. */
export const OVERRIDES: readonly string[] = [...PATHS, ...METHODS, ...PLACES]

/** Every proxy says these itself. A client's in another spelling would stand beside them. */
export const SAID: readonly string[] = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host']

/**
 * What a client says about path, method and place, by name, for proxies that cannot delete by pattern.
 * @param said what the proxy itself says beside `SAID`: of these only the other spellings
 * @param signs for the other spellings
 */
export const untrueOf = (said: readonly string[], signs: readonly string[]): readonly string[] =>
  [...OVERRIDES, ...SAID].flatMap((header) => [
    ...(SAID.includes(header) || said.includes(header) ? [] : [header]),
    ...aliasesOf(header, signs),
  ])

/** What HTTP allows in the name of a header beside letters, digits and the hyphen (RFC 9110 §5.6.2). */
export const SIGNS: readonly string[] = [
  ...['_', '.', '!', '#', '$', '%', '&', "'", '*', '+', '^', '`', '|', '~'],
]
/** Past this many spellings of one header, further signs are not mixed. */
const MANY = 64

/**
 * Other spellings of a header that CGI and its kin read as the same one, for proxies that can only delete by name. With `_`
 * and `.` every mixture, as long as they are few; of the rarer signs one at a time.
 */
export function aliasesOf(header: string, signs: readonly string[] = SIGNS): readonly string[] {
  const [first = '', ...rest] = header.split(/[^A-Za-z0-9]/)
  const common = ['-', ...signs.filter((sign) => sign === '_' || sign === '.')]
  let mixed = [first]
  for (const part of rest) {
    const tried = mixed.length < MANY ? common : ['-']
    mixed = mixed.flatMap((start) => tried.map((sign) => start + sign + part))
  }
  const uniform = signs.map((sign) => [first, ...rest].join(sign))
  return [...new Set([...mixed, ...uniform])].filter((alias) => alias !== header)
}

/** Every spelling of a header that folds to it, itself among them, as a regular expression over lower-case names. */
export const foldedPattern = (header: string): string =>
  `^${header.toLowerCase().replace(/[^a-z0-9]/g, '[^a-z0-9]')}$`
