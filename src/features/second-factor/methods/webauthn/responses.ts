import { z } from 'zod'

/** What browsers send (`PublicKeyCredential.toJSON()`), bounded; other names are dropped. */

const encoded = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/)

/** A credential id has at most 1023 bytes (Web Authentication Level 3, §4). */
const keyId = encoded(1364)
const clientData = encoded(8192)

const about = {
  id: keyId,
  rawId: keyId,
  type: z.literal('public-key'),
  authenticatorAttachment: z.string().max(32).nullish(),
}

export const RegistrationResponse = z.object({
  ...about,
  response: z.object({
    clientDataJSON: clientData,
    attestationObject: encoded(60_000),
    transports: z.array(z.string().max(32)).max(16).nullish(),
  }),
  clientExtensionResults: z
    .object({ credProps: z.object({ rk: z.boolean().nullish() }).nullish() })
    .nullish(),
})
export type RegistrationResponse = z.infer<typeof RegistrationResponse>

export const AssertionResponse = z.object({
  ...about,
  response: z.object({
    clientDataJSON: clientData,
    authenticatorData: encoded(8192),
    signature: encoded(8192),
    userHandle: z.string().max(128).nullish(),
  }),
})
export type AssertionResponse = z.infer<typeof AssertionResponse>

const ClientData = z.object({
  type: z.string(),
  challenge: z.string().max(128),
  origin: z.string(),
  crossOrigin: z.boolean().nullish(),
  topOrigin: z.unknown().optional(),
})
export type ClientData = z.infer<typeof ClientData>

/** What the browser signed of itself; undefined when it cannot be read. */
export function readClientData(encodedJson: string): ClientData | undefined {
  try {
    return ClientData.safeParse(
      JSON.parse(
        new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encodedJson, 'base64url')),
      ),
    ).data
  } catch {
    // JSON.parse and the decoder say "no" by throwing.
    return undefined
  }
}
