import assert from 'node:assert/strict'
import { appendFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readWhole } from '../../src/features/users/backends/file/read.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { userBackendConformance } from '../conformance/user-backend.ts'
import type { GivenUser } from '../conformance/user-case.ts'
import { approved } from '../support/approved.ts'
import {
  cheapPasswords,
  DIGEST,
  makeStore,
  OTHER_DIGEST,
  openStore,
  openUsers,
  until,
} from './store.ts'

/** Of `password`, and weaker than the server's own. */
const BCRYPT = '$2b$04$9AXtgS2VfjottmzcdcySsugyQTR6ZLn0WUBDASXJ2F7AYNRNrYUcC'
const CLIENT = '192.0.2.1'

const entry = (name: string, digest = DIGEST, more = '') =>
  `  ${name}:   # by hand\n    displayname: "${name}"\n    unknown: kept\n    password: '${digest}'\n    groups: [everybody, "g"]\n${more}`
const fillers = (count: number, digest?: string): string =>
  Array.from({ length: count }, (_, i) => entry(`u${i}`, digest)).join('')
const fileOf = (count: number, digest?: string): string =>
  `# People\nusers:\n${fillers(count, digest)}`

/** Given users behind enough others for a thread to read them. */
function writer() {
  const passwords = cheapPasswords()
  const digests = new Map<string, string>()
  return async (given: readonly GivenUser[]): Promise<string> => {
    let text = fileOf(150)
    for (const { name, displayName, email, groups, password, disabled } of given) {
      const key = `${name}\0${password}`
      const digest = digests.get(key) ?? (await passwords.hash(password, ''))
      digests.set(key, digest)
      const user = { displayname: displayName, password: digest, email, groups, disabled }
      text += `  ${JSON.stringify(name)}: ${JSON.stringify(user)}\n`
    }
    return text
  }
}

userBackendConformance(
  'file, large',
  async (t, given) => {
    const write = writer()
    const store = makeStore(t, given.length === 0 ? undefined : await write(given))
    const { backend } = await openUsers({ path: store.path })
    return {
      backend,
      isOther: (name) => /^u\d+$/.test(name),
      async replaceAll(next) {
        store.write(await write(next))
        const result = await backend.reload()
        assert.ok(result.ok)
      },
    }
  },
  ['writing', 'creation', 'editing', 'removal'],
)

const milliseconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000

/** The most that this thread computed in one turn of the event loop while the work ran, in ms. Others may want the processor. */
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let over = false
  const watching = (async () => {
    while (!over) {
      const before = process.threadCpuUsage()
      // Seldom enough to leave the processor to the work.
      await sleep(1)
      longest = Math.max(longest, milliseconds(process.threadCpuUsage(before)))
    }
  })()
  try {
    await work()
  } finally {
    over = true
    await watching
  }
  return longest
}

/** What the parser takes for this text, in ms: what must not happen on the event loop. */
function costOfReading(text: string): number {
  const before = process.threadCpuUsage()
  const options = {
    source: 'users.yml',
    separator: ',',
    search: { email: false, caseInsensitive: false },
    extraAttributes: {},
  }
  assert.ok(readWhole(text, options).ok)
  return milliseconds(process.threadCpuUsage(before))
}

test('with 10,000 users neither a sign-in that makes a digest anew nor a reload holds the event loop', async (t) => {
  const store = makeStore(t, fileOf(10_000, BCRYPT))
  const { users, text } = await openStore(t, store, { rehash: true })
  const before = store.read()
  const signIn = async (name: string) => {
    assert.equal((await users.authenticate(name, 'password', CLIENT)).kind, 'accepted')
    await until(() => !new RegExp(`"${name}"\\n.*\\n    password: '\\$2b`).test(store.read()))
  }
  // What is loaded once, is.
  await signIn('u1')
  const cost = costOfReading(before)
  const names = ['u0', 'u5000', 'u9999']
  const signIns = await longestTurn(async () => {
    for (const name of names)
      assert.equal((await users.authenticate(name, 'password', CLIENT)).kind, 'accepted')
    await until(() => text().split('made anew').length - 1 === names.length + 1)
  })
  appendFileSync(store.path, entry('late'))
  const reload = await longestTurn(() => users.reload())
  t.diagnostic(
    `longest turns: ${signIns.toFixed(1)} ms at sign-ins, ${reload.toFixed(1)} ms at a reload; the parser takes ${cost.toFixed(0)} ms`,
  )
  assert.ok(users.profile('late') !== undefined)
  for (const held of [signIns, reload]) assert.ok(held < cost / 20, `${held} of ${cost}`)
  const kept = (whole: string) => whole.replace(/^ {4}password: .*$/gm, '')
  assert.equal(kept(store.read()), kept(before) + kept(entry('late')), 'nothing else changed')
  assert.equal(store.read().split(BCRYPT).length - 1, 10_000 - names.length - 1)
})

test('of two servers that share a large file neither loses what the other or a person writes', async (t) => {
  const store = makeStore(t, fileOf(400))
  const [first, second] = [await openStore(t, store), await openStore(t, store)]
  for (let round = 0; round < 3; round++) {
    await Promise.all([
      first.users.setPassword('u1', approved(`first ${round}`)),
      second.users.setPassword('u2', approved(`second ${round}`)),
      first.users.add(`a${round}`, { displayName: 'A', groups: ['x'], password: approved('new') }),
    ])
    appendFileSync(store.path, entry(`hand${round}`, OTHER_DIGEST, '    # mine\n'))
  }
  await second.users.setPassword('u3', approved('third'))
  await first.users.reload()
  const right = async (name: string, password: string) =>
    assert.equal((await first.users.authenticate(name, password, CLIENT)).kind, 'accepted', name)
  await right('u1', 'first 2')
  await right('u2', 'second 2')
  await right('u3', 'third')
  for (let round = 0; round < 3; round++) {
    await right(`a${round}`, 'new')
    await right(`hand${round}`, 'password')
  }
  assert.equal(store.read().match(/^ {4}# mine$/gm)?.length, 3)
})

test('what is wrong with a large file is said with its place, and it is not written to', async (t) => {
  const store = makeStore(t, fileOf(300))
  const { users } = await openStore(t, store)
  const wrong = fileOf(300).replace(
    '    groups: [everybody, "g"]\n  u200:',
    '    groups: 1: 2\n  u200:',
  )
  store.write(wrong)
  const result = await users.reload()
  assert.ok(!result.ok)
  assert.deepEqual(
    result.faults.map(({ line }) => line),
    [2 + 200 * 5],
  )
  await assert.rejects(
    users.setPassword('u1', approved('new')),
    (error) => error instanceof AppError && error.code === 'USERS_UNWRITABLE',
  )
  assert.equal(store.read(), wrong)
  store.write(fileOf(300, OTHER_DIGEST))
  assert.ok((await users.reload()).ok)
})

test('a small file starts no thread, a large one does', async (t) => {
  const count = () => readdirSync('/proc/self/task').length
  const threadsFor = async (users: number) => {
    const store = makeStore(t, fileOf(users))
    const opened = await openStore(t, store)
    await opened.users.setPassword('u1', approved('new'))
    store.write(fileOf(users + 1))
    await opened.users.reload()
    await opened.users.setPassword('u1', approved('newer'))
    return count()
  }
  // The first time starts what hashing and reading files take.
  const before = await threadsFor(20)
  assert.equal(await threadsFor(20), before)
  assert.ok((await threadsFor(400)) > before)
})
