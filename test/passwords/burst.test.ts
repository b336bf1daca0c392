/** What a burst of attempts on one name tells about its digest: when each begins, and when the last one ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createPasswords,
  type Digest,
  makeDigest,
  parseDigest,
} from '../../src/features/passwords/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'

const CHEAP = {
  algorithm: 'argon2',
  variant: 'argon2id',
  iterations: 1,
  memory: 1024,
  parallelism: 1,
  keyLength: 32,
  saltLength: 16,
} as const
const COSTLY = {
  algorithm: 'sha2crypt',
  variant: 'sha512',
  iterations: 30_000,
  saltLength: 16,
} as const
const BURST = 8

async function digestOf(parameters: typeof CHEAP | typeof COSTLY): Promise<Digest> {
  const parsed = parseDigest(await makeDigest(parameters, 'right'))
  assert.ok(parsed.ok)
  return parsed.digest
}

async function house(t: { after(work: () => Promise<void>): void }, concurrency: number) {
  const passwords = createPasswords({
    parameters: CHEAP,
    concurrency,
    queue: 1000,
    clock: systemClock,
  })
  t.after(() => passwords.close())
  const costly = await digestOf(COSTLY)
  const digests = { cheap: await digestOf(CHEAP), costly, none: undefined }
  await passwords.measure(costly)
  /** Attempts on one name at once, each from an address of its own; `ended` is told the name at the end of each. */
  const burst = async (name: keyof typeof digests, ended: (name: string) => void) => {
    const digest = digests[name]
    const turn = { alone: [`user ${name}`], admit: async () => true, settle: async () => {} }
    const attempts = Array.from({ length: BURST }, async (_, i) => {
      const client = `${name} ${i}`
      if (digest === undefined) await passwords.burn('wrong', client, turn)
      else await passwords.verify(digest, 'wrong', client, turn)
      ended(name)
    })
    await Promise.all(attempts)
  }
  return { passwords, digests, burst }
}

test('bursts on three names that begin together end together, whatever the digest', async (t) => {
  const { burst } = await house(t, 3)
  // Were the cheap ones quicker, they would be over before the costly one has got far, each time. A machine whose load changes
  // while it is measured may disturb one round.
  const rounds: string[] = []
  for (let round = 0; round < 4; round++) {
    const ends: string[] = []
    const note = (name: string) => void ends.push(name)
    await Promise.all([burst('none', note), burst('cheap', note), burst('costly', note)])
    const isEven = ['none', 'cheap', 'costly'].every((name) => {
      const before = ends.slice(0, ends.lastIndexOf(name))
      return before.filter((other) => other !== name).length >= 2 * (BURST - 3)
    })
    if (isEven) return
    rounds.push(ends.join(' '))
  }
  assert.fail(rounds.join('\n'))
})

test('the attempt after another one begins at the same time, whatever was checked before it', async (t) => {
  const { passwords, digests } = await house(t, 1)
  // How long a stranger waits behind a check of each kind: in pairs, one after the other, for a busy machine.
  const waits = { cheap: [] as number[], costly: [] as number[] }
  for (let round = 0; round < 15; round++)
    for (const kind of ['cheap', 'costly'] as const) {
      const began = performance.now()
      const first = passwords.verify(digests[kind], 'wrong', '198.51.100.1')
      let waited = 0
      const second = passwords.burn('wrong', '198.51.100.2', {
        admit: async () => {
          waited = performance.now() - began
          return true
        },
        settle: async () => {},
      })
      await Promise.all([first, second])
      waits[kind].push(waited)
    }
  const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0
  const ratio = median(waits.costly) / median(waits.cheap)
  assert.ok(ratio > 0.6 && ratio < 1.6, `${median(waits.cheap)} and ${median(waits.costly)} ms`)
})
