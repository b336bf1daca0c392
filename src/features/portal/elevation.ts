import type { Clock, EpochMs } from '../../kernel/clock.ts'
import type { Identity } from '../sessions/index.ts'

/** What a feature knows of elevation beyond the session's record. */
export interface ElevationCheck {
  /** Until when the session may change security settings; undefined: it may not. */
  until(identity: Identity): Promise<EpochMs | undefined>
  /** Whether a second factor is what is missing. */
  needsSecondFactor(identity: Identity): Promise<boolean>
}

/** Whether a session is elevated: its user proved a short time ago that they are present. */
export async function isElevated(
  identity: Identity,
  { elevation, clock }: { readonly elevation: ElevationCheck | undefined; readonly clock: Clock },
): Promise<boolean> {
  const until =
    elevation === undefined ? identity.session.elevatedUntil : await elevation.until(identity)
  return until !== undefined && clock.now() < until
}
