import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DIGEST, makeStore, openStore } from './store.ts'

const REWRITER = fileURLToPath(new URL('./rewriter.ts', import.meta.url))
const KILLS = 10

/** Lets it change passwords for a while, then kills it. @returns the last change that it said was done */
async function rewriteAndKill(path: string, first: number, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [REWRITER, path, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const started = once(child.stdout, 'data')
  await Promise.race([started, exited])
  await sleep(afterMs)
  child.kill('SIGKILL')
  const [, signal] = await exited
  assert.equal(signal, 'SIGKILL', 'it ran until it was killed')
  return Math.max(first - 1, ...said.split('\n').slice(0, -1).map(Number))
}

test('killed at any moment of a write, the file is whole and holds the last change that was acknowledged', async (t) => {
  const others = Array.from(
    { length: 50 },
    (_, i) => `  u${i}: {displayname: "U", password: "${DIGEST}"} # ${i}\n`,
  ).join('')
  const store = makeStore(
    t,
    `# kept\nusers:\n  john:\n    displayname: J # kept too\n    password: "${DIGEST}"\n${others}`,
  )
  const rest = (text: string) => text.replace(/^ {4}password:.*$/m, '')
  const original = rest(store.read())
  let next = 0
  let drafts = 0
  let changes = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const done = await rewriteAndKill(store.path, next, kill * 6)
    assert.equal(rest(store.read()), original, 'nothing else changed')
    drafts += store.names().length - 1
    const { users } = await openStore(t, store)
    assert.deepEqual(store.names(), ['users.yml'], 'what the kill left is gone at the next start')
    // The change after the last acknowledged one may have made it, or not.
    const kinds: string[] = []
    for (const n of [done, done + 1])
      kinds.push((await users.authenticate('john', `password ${n}`, '192.0.2.1')).kind)
    assert.ok(kinds.includes('accepted'), `after change ${done}: ${kinds}`)
    changes += done - next + 1
    next = done + 2
  }
  t.diagnostic(`${changes} acknowledged changes, ${KILLS} kills, ${drafts} drafts left behind`)
})
