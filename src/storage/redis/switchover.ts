import type { Redis } from 'ioredis'
import { type Dialer, dismiss } from './dial.ts'

const CHANNEL = '+switch-master'

/**
 * Listens to the sentinels: when one says that another server is the master now, the old one may still answer, for
 * seconds, as if it were. Every sentinel is heard, for they do not learn of it at the same moment.
 *
 * The library's own detector prints what goes wrong with a sentinel, and outlives connections that were given up.
 *
 * @param switched the master is another one
 * @returns stops it
 */
export async function watchSentinels(dialer: Dialer, switched: () => void): Promise<() => void> {
  const sentinels: Redis[] = await dialer.openSentinels()
  for (const sentinel of sentinels) {
    // One that is away is tried again by itself.
    sentinel.on('error', () => {})
    sentinel.on('message', (_channel: string, text: string) => {
      if (text.split(' ', 1)[0] === dialer.group) switched()
    })
    // At every connection: what was said while it was away is lost, and asked for by whoever connects to the master.
    sentinel.on('ready', () => void sentinel.subscribe(CHANNEL).catch(() => {}))
    sentinel.connect().catch(() => {})
  }
  return () => {
    for (const sentinel of sentinels) dismiss(sentinel)
  }
}
