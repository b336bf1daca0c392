import type { TotpChoice } from '../method.ts'

/** What codes are made from. */
export interface TotpSecret extends TotpChoice {
  readonly secret: Uint8Array
}

const isCode = (code: string): boolean => /^(?:\d{6}|\d{8})$/.test(code)

// Loaded when the first code is made or checked: the start does not wait for it.
const library = () => import('otpauth')

async function generatorOf({ secret, algorithm, digits, period }: TotpSecret, label = {}) {
  const { Secret, TOTP } = await library()
  // A copy: the library wants a buffer of its own.
  const own = new Secret({ buffer: new Uint8Array(secret).buffer })
  return new TOTP({ ...label, secret: own, algorithm, digits, period })
}

/**
 * The step of time whose code this is (RFC 6238 §4.2), within so many steps before and after now.
 * @param now milliseconds since the epoch
 * @returns undefined: it is the code of none
 */
export async function stepOf(
  from: TotpSecret,
  code: string,
  { now, skew }: { readonly now: number; readonly skew: number },
): Promise<number | undefined> {
  if (!isCode(code)) return undefined
  const generator = await generatorOf(from)
  const delta = generator.validate({ token: code, timestamp: now, window: skew })
  return delta === null ? undefined : generator.counter({ timestamp: now }) + delta
}

/** The code of a moment. */
export async function codeAt(from: TotpSecret, now: number): Promise<string> {
  return (await generatorOf(from)).generate({ timestamp: now })
}

/** How an app is told of it: the secret as text, and the address that a QR code holds. */
export async function enrolmentOf(
  from: TotpSecret,
  label: { readonly issuer: string; readonly user: string },
): Promise<{ readonly secret: string; readonly url: string }> {
  const generator = await generatorOf(from, { issuer: label.issuer, label: label.user })
  return { secret: generator.secret.base32, url: generator.toString() }
}

/** A secret as apps take it: base32 (RFC 4648 §6), without padding. */
export async function base32Of(secret: Uint8Array): Promise<string> {
  const { Secret } = await library()
  return new Secret({ buffer: new Uint8Array(secret).buffer }).base32
}

/** @throws TypeError for a text that is no base32 */
export async function bytesOf(base32: string): Promise<Uint8Array> {
  const { Secret } = await library()
  return Secret.fromBase32(base32).bytes
}
