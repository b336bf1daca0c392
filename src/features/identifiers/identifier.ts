import { randomUUID } from 'node:crypto'

/** What identifiers are made for; Authelia's names. */
export const SERVICES = ['openid'] as const
export type Service = (typeof SERVICES)[number]

export const newIdentifier = (): string => randomUUID()

/**
 * A random UUID (RFC 9562, version 4) in its one form, lower case.
 * @returns undefined for anything else: UUIDs of other versions tell a time or a machine
 */
export function parseIdentifier(text: string): string | undefined {
  const lower = text.toLowerCase()
  return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(lower)
    ? lower
    : undefined
}
