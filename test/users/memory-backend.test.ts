import { userBackendConformance } from '../conformance/user-backend.ts'
import type { GivenUser } from '../conformance/user-case.ts'
import { createBindBackend, createDigestBackend } from './memory-backend.ts'
import { cheapPasswords } from './store.ts'

/** Digests of passwords, one for each user and password. */
function digests() {
  const passwords = cheapPasswords()
  const made = new Map<string, string>()
  return async (given: readonly GivenUser[]) => {
    const pairs: (readonly [GivenUser, string])[] = []
    for (const user of given) {
      const key = `${user.name} ${user.password}`
      const digest = made.get(key) ?? (await passwords.hash(user.password, ''))
      made.set(key, digest)
      pairs.push([user, digest])
    }
    return pairs
  }
}

userBackendConformance(
  'with digests in memory',
  async (_t, given) => {
    const withDigests = digests()
    const { backend, replaceAll } = createDigestBackend()
    replaceAll(await withDigests(given))
    return { backend, replaceAll: async (next) => replaceAll(await withDigests(next)) }
  },
  ['writing', 'creation', 'editing', 'removal'],
)

const withPasswords = (given: readonly GivenUser[]) =>
  given.map((user) => [user, user.password] as const)

userBackendConformance(
  'that checks passwords itself',
  async (_t, given) => {
    const { backend, replaceAll } = createBindBackend()
    replaceAll(withPasswords(given))
    return { backend, replaceAll: async (next) => replaceAll(withPasswords(next)) }
  },
  ['writing'],
)
