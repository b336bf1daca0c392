import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type WatchOptions, watchFiles } from '../../src/files/watcher.ts'
import { type EpochMs, systemClock } from '../../src/kernel/clock.ts'
import { until } from '../support/pace.ts'
import { temporaryDirectory } from './directory.ts'

/** So seldom that only events count. Milliseconds. */
const NEVER = 600_000

const told = (condition: () => boolean) => until('a change to be told', condition)

/** Watches, and counts what it is told. */
function watched(t: TestContext, files: readonly string[], options: Partial<WatchOptions> = {}) {
  const seen = { changes: 0, unwatched: [] as string[] }
  const watcher = watchFiles({
    files: () => files,
    rest: 20,
    pollEvery: NEVER,
    changed: () => seen.changes++,
    unwatched: (directory) => seen.unwatched.push(directory),
    ...options,
  })
  t.after(() => watcher.close())
  return { seen, close: watcher.close }
}

test('a caller that does not say when it read is told once at the beginning', async (t) => {
  const path = join(temporaryDirectory(t), 'file')
  writeFileSync(path, 'one')
  const { seen } = watched(t, [path], { pollEvery: 20 })
  await told(() => seen.changes > 0)
  writeFileSync(path, 'two')
  await told(() => seen.changes > 1)
})

test('a write, a rename over the file and its removal are heard of, in each of several directories', async (t) => {
  const directory = temporaryDirectory(t)
  const paths = ['a', 'b'].map((name) => {
    mkdirSync(join(directory, name))
    return join(directory, name, 'file')
  })
  for (const path of paths) writeFileSync(path, 'one')
  const { seen } = watched(t, paths, { readAt: systemClock.now() })
  const changes: ((path: string) => void)[] = [
    (path) => writeFileSync(path, 'two'),
    (path) => {
      writeFileSync(`${path}.new`, 'three')
      renameSync(`${path}.new`, path)
    },
    (path) => rmSync(path),
  ]
  for (const path of paths)
    for (const change of changes) {
      const before = seen.changes
      change(path)
      await told(() => seen.changes > before)
    }
})

test('other files of the directory are told of only where their names count', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file.yml')
  writeFileSync(path, 'one')
  const options = { readAt: systemClock.now() }
  const strict = watched(t, [path], options).seen
  const wide = watched(t, [path], { ...options, alsoNames: /\.yml$/ }).seen
  appendFileSync(join(directory, 'log'), 'line')
  for (const text of ['one', 'two']) {
    const before = wide.changes
    writeFileSync(join(directory, 'other.yml'), text)
    await told(() => wide.changes > before)
  }
  assert.equal(strict.changes, 0)
  writeFileSync(path, 'two')
  await told(() => strict.changes > 0)
})

test('a file that is written again and again is told of when it rests', async (t) => {
  const path = join(temporaryDirectory(t), 'file')
  writeFileSync(path, '')
  // Longer than a busy machine takes from one write to the next.
  const { seen } = watched(t, [path], { readAt: systemClock.now(), rest: 1_500 })
  for (let i = 0; i < 50; i++) {
    appendFileSync(path, 'line\n')
    await new Promise(setImmediate)
  }
  assert.equal(seen.changes, 0)
  await told(() => seen.changes > 0)
  assert.equal(seen.changes, 1)
})

test('a new file of the directory is told of when its writing rests, though the others look the same', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file.yml')
  writeFileSync(path, 'one')
  const options = { readAt: systemClock.now(), alsoNames: /\.yml$/ }
  const { seen } = watched(t, [path], { ...options, rest: 1_500 })
  const quick = watched(t, [path], { ...options, rest: 1 }).seen
  // Longer in all than one rest, and never for a rest without a write: each is waited for by a watcher that rests less.
  const start = performance.now()
  while (performance.now() - start < 2_000) {
    const before = quick.changes
    appendFileSync(join(directory, 'other.yml'), 'line\n')
    await told(() => quick.changes > before)
  }
  assert.equal(seen.changes, 0)
  await told(() => seen.changes > 0)
})

test('without events, a written file and a turned link are found by comparing', async (t) => {
  const directory = temporaryDirectory(t)
  for (const name of ['a', 'b', 'middle', 'conf']) mkdirSync(join(directory, name))
  for (const name of ['a', 'b']) writeFileSync(join(directory, name, 'file'), name)
  const link = join(directory, 'middle', 'now')
  symlinkSync('../a', link)
  const path = join(directory, 'conf', 'file')
  symlinkSync('../middle/now/file', path)
  const { seen } = watched(t, [path], { pollEvery: 20 })
  await told(() => seen.changes > 0)
  const before = seen.changes
  // The directory of this link is neither the file's nor its target's.
  rmSync(link)
  symlinkSync('../b', link)
  await told(() => seen.changes > before)
})

test('what was written before the caller read is no change, what was written since is', async (t) => {
  const path = join(temporaryDirectory(t), 'file')
  writeFileSync(path, 'one')
  const now = systemClock.now()
  // Later than the file by more than the steps of a file system's time. A sum of times is a time.
  const later = (now + 60_000) as EpochMs
  const before = watched(t, [path], { readAt: later, pollEvery: 20 }).seen
  const since = watched(t, [path], { readAt: now, pollEvery: 20 }).seen
  await told(() => since.changes > 0)
  assert.equal(before.changes, 0)
  writeFileSync(path, 'two')
  await told(() => before.changes > 0)
})

test('a directory that cannot be watched is reported once, and watched once it is there', async (t) => {
  const directory = join(temporaryDirectory(t), 'later')
  const path = join(directory, 'file')
  const { seen } = watched(t, [path], { pollEvery: 20 })
  await told(() => seen.changes === 1)
  mkdirSync(directory)
  writeFileSync(path, 'one')
  await told(() => seen.changes > 1)
  assert.deepEqual(seen.unwatched, [directory])
})

test('the list of files may change while it is watched', async (t) => {
  const directory = temporaryDirectory(t)
  const files = [join(directory, 'a')]
  for (const name of ['a', 'b']) writeFileSync(join(directory, name), 'one')
  const { seen } = watched(t, files, { pollEvery: 20 })
  await told(() => seen.changes > 0)
  files.push(join(directory, 'b'))
  await told(() => seen.changes > 1)
  writeFileSync(join(directory, 'b'), 'two')
  await told(() => seen.changes > 2)
})

test('a closed watcher tells nothing more', async (t) => {
  const path = join(temporaryDirectory(t), 'file')
  writeFileSync(path, 'one')
  const options = { readAt: systemClock.now() }
  const { seen, close } = watched(t, [path], options)
  const other = watched(t, [path], options).seen
  close()
  writeFileSync(path, 'two')
  await told(() => other.changes > 0)
  assert.equal(seen.changes, 0)
})
