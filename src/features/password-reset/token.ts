import type { EpochMs } from '../../kernel/clock.ts'
import type { Secret } from '../../kernel/secret.ts'

export interface ResetClaims {
  /** `jti`: the row that makes it valid once. */
  readonly id: string
  /** Canonical. */
  readonly user: string
}

/** The token in a mail's link: a JWT with Authelia's claims. What it says counts only as long as its row is there. */
export interface ResetTokens {
  /** @param issuer the address of the portal at which it may be used */
  sign(claims: ResetClaims & { readonly expiresAt: EpochMs }, issuer: string): Promise<string>
  /** @returns its claims, or why it is refused: for the log, never for the client */
  read(token: string, issuer: string): Promise<ResetClaims | { readonly refused: string }>
}

/** Authelia's name of what the token is for. */
const ACTION = 'ResetPassword'
/** Its own: no other token that is signed with the same secret passes for one. */
const audienceOf = (issuer: string): string => `${issuer}/reset-password`
/** Ours have 500 characters, with a name of 320. */
const MAX_TOKEN = 4096

export function createResetTokens({
  algorithm,
  secret,
  now,
}: {
  /** The one that is accepted: what a token says of its own algorithm decides nothing. */
  readonly algorithm: 'HS256' | 'HS384' | 'HS512'
  readonly secret: Secret
  readonly now: () => EpochMs
}): ResetTokens {
  const key = () => new TextEncoder().encode(secret.reveal())
  return {
    async sign({ id, user, expiresAt }, issuer) {
      const { SignJWT } = await import('jose')
      return new SignJWT({ action: ACTION, username: user })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audienceOf(issuer))
        .setJti(id)
        .setIssuedAt(Math.floor(now() / 1000))
        .setExpirationTime(Math.ceil(expiresAt / 1000))
        .sign(key())
    },
    async read(token, issuer) {
      if (token === '' || token.length > MAX_TOKEN) return { refused: 'malformed' }
      const { jwtVerify, errors } = await import('jose')
      try {
        const { payload } = await jwtVerify(token, key(), {
          algorithms: [algorithm],
          issuer,
          audience: audienceOf(issuer),
          requiredClaims: ['jti', 'iat', 'exp'],
          currentDate: new Date(now()),
        })
        const { jti, action, username } = payload
        if (action !== ACTION || typeof username !== 'string' || typeof jti !== 'string')
          return { refused: 'claims' }
        return { id: jti, user: username }
      } catch (error) {
        if (error instanceof errors.JOSEError) return { refused: error.code }
        throw error
      }
    },
  }
}
