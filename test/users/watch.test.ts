import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { approved } from '../support/approved.ts'
import { DIGEST, makeStore, OTHER_DIGEST, openStore, type Store, until } from './store.ts'

const file = (...names: string[]) =>
  `users:\n${names.map((name) => `  ${name}: {displayname: D, password: "${DIGEST}"}\n`).join('')}`

/** Polls so seldom that only what is heard of the file counts. */
async function watched(
  t: TestContext,
  store: Pick<Store, 'path'>,
  { pollEvery = 60_000, rest }: { readonly pollEvery?: number; readonly rest?: number } = {},
) {
  const opened = await openStore(t, store, {
    watch: true,
    pollEvery,
    ...(rest !== undefined && { rest }),
  })
  return {
    ...opened,
    has: (name: string) => () => opened.users.profile(name) !== undefined,
    taken: () => opened.lines.filter(({ message }) => /is taken up/.test(message)).length,
  }
}

test('an edit in place and a rename over the file are taken up', async (t) => {
  const store = makeStore(t, file('john'))
  const { has, text } = await watched(t, store)
  store.write(file('john', 'bob'))
  await until(has('bob'))
  const draft = join(store.directory, '.users.yml.swp')
  writeFileSync(draft, file('john', 'carol'))
  renameSync(draft, store.path)
  await until(has('carol'))
  assert.equal(has('bob')(), false)
  store.write(file('john', 'dave'))
  await until(has('dave'))
  assert.match(text(), /info the users file changed and is taken up/)
})

test('a file that is removed and made again, as some editors do, is taken up', async (t) => {
  const store = makeStore(t, file('john'))
  const { has, text } = await watched(t, store)
  rmSync(store.path)
  await until(() => /users\.yml: does not exist/.test(text()))
  assert.match(text(), /revision [0-9a-f]{12} stays in force/)
  assert.equal(has('john')(), true)
  store.write(file('bob'))
  await until(has('bob'))
})

test('an editor that empties the file and fills it in pieces makes nobody lose a session', async (t) => {
  const store = makeStore(t, file('john', 'bob'))
  // Longer than a busy machine takes from one line to the next.
  const { users, has } = await watched(t, store, { rest: 2_000 })
  const removed: string[] = []
  users.onInvalidated((names) => removed.push(...names))
  truncateSync(store.path)
  // Line by line: after each of them the file is a right one, with somebody missing.
  for (const line of file('carol', 'john', 'bob').split(/(?<=\n)/)) {
    appendFileSync(store.path, line)
    await sleep(5)
  }
  await until(has('carol'))
  assert.deepEqual(removed, [])
})

test('a config map that turns its ..data link is taken up', async (t) => {
  const { directory } = makeStore(t, undefined)
  const publish = (version: string, text: string) => {
    mkdirSync(join(directory, version))
    writeFileSync(join(directory, version, 'users.yml'), text)
    symlinkSync(version, join(directory, '..data_tmp'))
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
  }
  publish('..1', file('john'))
  const path = join(directory, 'users.yml')
  symlinkSync('..data/users.yml', path)
  const { has } = await watched(t, { path })
  publish('..2', file('bob'))
  rmSync(join(directory, '..1'), { recursive: true })
  await until(has('bob'))
  publish('..3', file('carol'))
  await until(has('carol'))
})

test('a change that nobody tells of is found by looking', async (t) => {
  const { directory } = makeStore(t, undefined)
  // Behind two links, the directory in the middle is watched by nobody.
  for (const name of ['a', 'b', 'middle']) mkdirSync(join(directory, name))
  writeFileSync(join(directory, 'a', 'users.yml'), file('john'))
  writeFileSync(join(directory, 'b', 'users.yml'), file('bob'))
  symlinkSync('../a', join(directory, 'middle', 'now'))
  mkdirSync(join(directory, 'conf'))
  const path = join(directory, 'conf', 'users.yml')
  symlinkSync('../middle/now/users.yml', path)
  const { has } = await watched(t, { path }, { pollEvery: 50 })
  rmSync(join(directory, 'middle', 'now'))
  symlinkSync('../b', join(directory, 'middle', 'now'))
  await until(has('bob'))
})

test('a wrong file is refused once, however often it is heard of; the next right one is taken up', async (t) => {
  const store = makeStore(t, file('john'))
  const { has, lines, text } = await watched(t, store, { pollEvery: 50 })
  store.write('users: [\n')
  await until(() => lines.some(({ level }) => level === 'error'))
  await sleep(300)
  assert.equal(lines.filter(({ message }) => /stays in force/.test(message)).length, 1)
  assert.match(text(), /users\.yml:\d+:\d+/)
  assert.equal(has('john')(), true)
  store.write(file('bob'))
  await until(has('bob'))
})

test('our own writes are not read again', async (t) => {
  const store = makeStore(t, file('john'))
  const { users, taken, has } = await watched(t, store)
  for (let i = 0; i < 5; i++) await users.setPassword('john', approved(`password ${i}`))
  await sleep(400)
  assert.equal(taken(), 0)
  store.write(file('bob'))
  await until(has('bob'))
  assert.equal(taken(), 1)
})

test('without watching, a change waits for the reload', async (t) => {
  const store = makeStore(t, file('john'))
  const { users } = await openStore(t, store, { watch: false, pollEvery: 20 })
  store.write(file('john').replace(DIGEST, OTHER_DIGEST).replace('D,', 'Other,'))
  await sleep(200)
  assert.equal((await users.profile('john'))?.displayName, 'D')
  await users.reload()
  assert.equal((await users.profile('john'))?.displayName, 'Other')
})
