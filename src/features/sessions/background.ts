import type { BaseLogger } from 'pino'

/** Work that no request waits for. */
export interface Background {
  /** @param failure is logged when the work rejects */
  run(work: Promise<unknown>, failure: string): void
  /** Resolves when all of it is done. */
  settle(): Promise<void>
}

export function createBackground(log: Pick<BaseLogger, 'error'>): Background {
  const running = new Set<Promise<void>>()
  return {
    run(work, failure) {
      const done = work
        .then(() => {})
        .catch((error: unknown) => log.error({ err: error }, failure))
        .finally(() => running.delete(done))
      running.add(done)
    },
    async settle() {
      await Promise.all(running)
    },
  }
}
