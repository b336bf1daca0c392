import type { Clock, EpochMs } from '../../../../kernel/clock.ts'

/** The names of the keys; index.ts says what they hold. */
export interface Keys {
  live(key: string): string
  row(key: string): string
  replaced(key: string): string
  era(owner: string): string
  owned(owner: string): string
  id(id: string): string
  /** What every live key begins with, and every owner's era. */
  readonly livePrefix: string
  readonly eraPrefix: string
  /** The session's key that a live key is for. @param name without `livePrefix` */
  keyIn(name: string): string
}

export function createKeys(prefix: string): Keys {
  return {
    live: (key) => `${prefix}s:{${key}}`,
    row: (key) => `${prefix}t:{${key}}`,
    replaced: (key) => `${prefix}r:{${key}}`,
    era: (owner) => `${prefix}e:${owner}`,
    owned: (owner) => `${prefix}o:${owner}`,
    id: (id) => `${prefix}i:${id}`,
    livePrefix: `${prefix}s:`,
    eraPrefix: `${prefix}e:`,
    keyIn: (name) => name.slice(1, -1),
  }
}

/** What a live key holds: whose session it is, and since which era. */
export interface LiveValue {
  readonly era: string
  readonly owner: string
}

export const formatLive = ({ era, owner }: LiveValue): string => `${era} ${owner}`

export function parseLive(value: string | Buffer): LiveValue {
  const text = value.toString()
  const space = text.indexOf(' ')
  return { era: text.slice(0, space), owner: text.slice(space + 1) }
}

/** Milliseconds until then, as Redis takes them: at least one. */
export const msUntil = (clock: Clock, time: EpochMs): number =>
  Math.max(1, Math.ceil(time - clock.now()))
