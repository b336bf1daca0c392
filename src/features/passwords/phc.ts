/** The string format of the Password Hashing Competition: `$id$v=19$m=65536,t=3$salt$key`. */

/** One `name=value` list; values are whole numbers without sign or leading zero. */
export type PhcParameters = ReadonlyMap<string, number>

export interface Phc {
  readonly id: string
  readonly version: number | undefined
  readonly parameters: PhcParameters
  readonly salt: Buffer
  readonly key: Buffer
}

/**
 * Takes a digest apart; what the parameters mean, and their bounds, is the scheme's affair. Any order is accepted.
 *
 * @returns the parts, or a sentence that says which one is malformed and repeats nothing of it
 */
export function parsePhc(text: string): Phc | string {
  const [before, id = '', ...rest] = text.split('$')
  if (before !== '') return 'does not begin with $'
  const version = /^v=([1-9]\d{0,8})$/.exec(rest[0] ?? '')?.[1]
  if (version !== undefined) rest.shift()
  const [list, saltText, keyText, ...more] = rest
  if (list === undefined || saltText === undefined || keyText === undefined || more.length > 0)
    return 'does not have the parts $id$v=…$parameters$salt$key'
  const parameters = parseList(list)
  if (typeof parameters === 'string') return parameters
  const salt = decodeBase64(saltText)
  if (salt === undefined) return 'has a salt that is not base64 without padding'
  const key = decodeBase64(keyText)
  if (key === undefined) return 'has a key that is not base64 without padding'
  return {
    id,
    version: version === undefined ? undefined : Number(version),
    parameters,
    salt,
    key,
  }
}

function parseList(list: string): PhcParameters | string {
  const parameters = new Map<string, number>()
  for (const item of list.split(',')) {
    const [, name, digits] = /^([a-z][a-z0-9-]{0,31})=(0|[1-9]\d{0,14})$/.exec(item) ?? []
    if (name === undefined || digits === undefined)
      return 'has parameters that are not of the form name=number,name=number'
    if (parameters.has(name)) return `says the parameter ${name} twice`
    parameters.set(name, Number(digits))
  }
  return parameters
}

/** Standard alphabet, no padding. Bits left over at the end are ignored, as Authelia does. */
export function decodeBase64(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]*$/.test(text) || text.length % 4 === 1) return undefined
  return Buffer.from(text, 'base64')
}

/** Base64 without padding, as `parsePhc` reads it. */
export function encodeBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
