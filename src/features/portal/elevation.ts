import type { EpochMs } from '../../kernel/clock.ts'

/**
 * Whether a session is elevated: its user proved a short time ago that they are present.
 * @param session `elevatedUntil` is missing where it never was
 */
export function isElevated(
  session: { readonly id: string; readonly elevatedUntil?: EpochMs | undefined },
  now: EpochMs,
): boolean {
  return session.elevatedUntil !== undefined && now < session.elevatedUntil
}
