import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { noNginx } from '../support/nginx.ts'

/** Runs a drill to its end. */
function run(file: string, ...args: readonly string[]) {
  return runWith({}, file, ...args)
}

async function runWith(env: NodeJS.ProcessEnv, file: string, ...args: readonly string[]) {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const [status] = await once(child, 'close')
  return { status, said }
}

// The full sizes: npm run drill:verify, drill:proxies, drill:portal, drill:enumeration, drill:storm, drill:kill, drill:redis.
suite('drills, small', () => {
  test('of ten thousand mutated verify requests none is let in, refused or answered as the reference would not', async (t) => {
    const { status, said } = await run('verify-fuzz.ts', '--seed', '1', '--size', '10000')
    t.diagnostic(said)
    assert.equal(status, 0, said)
  })

  // Every proxy is asked in its own suite (test/system); this is the command.
  test('through nginx, the app receives what was judged and allowed, and nothing else', {
    skip: noNginx,
  }, async (t) => {
    const options = ['--seed', '2', '--size', '50', '--proxy', 'nginx']
    const { status, said } = await run('proxies.ts', ...options)
    t.diagnostic(said)
    assert.equal(status, 0, said)
  })

  test('nor is one of ten thousand that all go through the router', async (t) => {
    const router = { VERIFY_ENTRANCE: 'router' }
    const { status, said } = await runWith(
      router,
      'verify-fuzz.ts',
      '--seed',
      '2',
      '--size',
      '10000',
    )
    t.diagnostic(said)
    assert.equal(status, 0, said)
  })

  test('of 2,500 mutated requests to the portal none breaks what every answer promises', async (t) => {
    const { status, said } = await run('portal-fuzz.ts', '--seed', '1', '--size', '2500')
    t.diagnostic(said)
    assert.equal(status, 0, said)
  })

  // With so few, chance alone passes the mark now and then; it does not twice.
  for (const [only, size, name] of [
    [
      'answers',
      '200',
      'by the time of two hundred failures each, no two kinds of users are told apart',
    ],
    ['bursts', '24', 'nor by the time of the last of sixteen answers to a burst'],
  ] as const)
    test(name, async (t) => {
      const drill = (seed: string) =>
        run('enumeration.ts', '--seed', seed, '--size', size, '--only', only)
      const once = await drill('1')
      t.diagnostic(once.said)
      if (once.status === 0) return
      const again = await drill('2')
      assert.equal(again.status, 0, `${once.said}\n${again.said}`)
    })

  test('a storm of sign-ins takes no more memory than its hashes, and verify goes on', async (t) => {
    const { status, said } = await run('storm.ts', '--size', '150')
    t.diagnostic(said)
    assert.equal(status, 0, said)
  })

  test('after each of five kills the server starts clean, and what was acknowledged holds', async (t) => {
    const { status, said } = await run('kill.ts', '--seed', '9', '--size', '5')
    t.diagnostic(said)
    assert.equal(status, 0, said)
  })

  test('Redis may be killed, paused, failed over and resharded: nobody gets in without a right, and nothing acknowledged is undone', async (t) => {
    const { status, said } = await run('redis.ts', '--seed', '1', '--size', '1')
    t.diagnostic(said)
    assert.equal(status, 0, said)
  })
})
