import type { Clock } from '../../kernel/clock.ts'
import type { CookieDomain } from './cookie-domain.ts'
import { keysOf } from './credential.ts'
import type { Endings } from './endings.ts'
import type { Linked } from './linked.ts'
import type { Repository } from './repository.ts'
import type { Session } from './session.ts'

/** How sessions end from outside; what `Sessions.end`, `revokeUser` and `revokeById` promise. */
export function createRevocation({
  repository,
  endings,
  linked,
  clock,
  onRemoved,
}: {
  readonly repository: Repository
  readonly endings: Endings
  readonly linked: Linked
  readonly clock: Clock
  readonly onRemoved: ((user: string, count: number) => void) | undefined
}) {
  /** Users who were removed or changed, and whose sessions have not ended yet. */
  const removed = new Set<string>()

  const endUsers = (names: readonly string[]): Promise<number> =>
    endings.run(new Set(names), clock.now(), () =>
      repository.dropUsers(names, (name, count) => {
        if (removed.delete(name) && count > 0) onRemoved?.(name, count)
      }),
    )

  const endHeirs = async (
    of: Parameters<Repository['findReplaced']>[0],
    isMeant: (replaced: Session) => boolean = () => true,
  ): Promise<readonly Session[]> =>
    linked.endHeirs((await repository.findReplaced(of)).filter(isMeant))

  return {
    endUser: (user: string): Promise<number> => endUsers([user]),

    /** The users are gone or have changed. */
    async endRemoved(names: readonly string[]): Promise<void> {
      for (const name of names) removed.add(name)
      await endUsers(names)
    },

    /** What a failing store has not ended yet. */
    async endPending(): Promise<void> {
      const names = endings.pending()
      if (names.length > 0) await endUsers(names)
    },

    /** @returns those that ended, alive or not */
    async endCarried(
      values: readonly string[],
      { domain }: CookieDomain,
    ): Promise<readonly Session[]> {
      const keys = keysOf(values)
      const { sessions, unreadable } = await repository.findMany(keys)
      // With another secret in use they would be alive again, and their owner has signed out.
      await repository.drop(unreadable)
      const isHere = (session: Session): boolean => session.domain === domain
      const ended = await linked.end(sessions.filter(isHere))
      // The request was sent before the browser had the cookie of the session that took their place.
      const found = new Set(sessions.map(({ key }) => key))
      const heirs = await endHeirs({ keys: [...keys].filter((key) => !found.has(key)) }, isHere)
      return [...ended, ...heirs]
    },

    async endByKey(key: string): Promise<void> {
      if ((await repository.drop([key])) === 0) await endHeirs({ keys: [key] })
    },

    async endById(id: string): Promise<readonly string[]> {
      const found = await repository.findById(id)
      if (found === undefined) return (await endHeirs({ id })).map((session) => session.id)
      if (found.session !== undefined)
        return (await linked.end([found.session])).map((session) => session.id)
      // No request can use what does not open; the caller who names it wants it gone all the same.
      return (await repository.drop([found.key])) > 0 ? [id] : []
    },
  }
}
