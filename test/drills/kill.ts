/**
 * The kill drill: kill -9 a hundred times while sessions begin and end and the users file is changed, by the program and by
 * people. Every start afterwards is clean, and nothing that was acknowledged is lost. One process at a time changes the
 * users file: what two of them do to each other is not asked here.
 *
 *     npm run drill:kill -- [--seed N] [--size N]
 *
 * Size is the number of kills. Ends with status 1, and keeps the data directory, when a promise is broken.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import {
  countWeak,
  FIRST_PASSWORD,
  faultsOf,
  type House,
  openHouse,
  signIn,
  signOut,
  usersText,
  verifyAll,
  weaken,
} from './kill-house.ts'
import { createLedger, type Ledger, noteLines } from './kill-ledger.ts'
import { type Cleanup, createCleanup, readOptions } from './options.ts'
import { type Random, randomOf } from './random.ts'
import type { DrilledServer } from './server.ts'

const WRITER = new URL('kill-writer.ts', import.meta.url).pathname
/** Their sessions begin and end; their entries are never touched. */
const VISITORS = ['v0', 'v1', 'v2', 'v3', 'v4', 'v5']
/** Their passwords change. */
const CHANGING = ['c0', 'c1', 'c2']

/** What a kill came into the middle of. */
type Moment = 'at work' | 'while starting' | 'on the first start'

const tally = {
  'at work': 0,
  'while starting': 0,
  'on the first start': 0,
  /** Sessions whose password had changed when the server was killed. */
  outdated: 0,
}

async function kill(server: DrilledServer): Promise<void> {
  server.child.kill('SIGKILL')
  await server.ended
}

/** Signs in and out until the server is gone, and writes down what was acknowledged. */
async function visit({ port }: House, user: string, ledger: Ledger, random: Random): Promise<void> {
  const { sessions, counts } = ledger
  const mine = [...sessions].filter((entry) => entry[1].user === user && entry[1].state === 'alive')
  let last = mine.at(-1)?.[0] ?? ''
  const ending = async (value: string, work: () => Promise<boolean>): Promise<void> => {
    const session = sessions.get(value)
    if (session !== undefined) session.state = 'unknown'
    if ((await work()) && session !== undefined) session.state = 'over'
  }
  try {
    // Far more than the time until the kill allows.
    for (let i = 0; i < 100_000; i++) {
      // A sign-in ends the session that came with it.
      const replaced = random.chance(0.3) ? last : ''
      let value: string | undefined
      await ending(replaced, async () => {
        value = await signIn(port, user, FIRST_PASSWORD, replaced)
        return value !== undefined
      })
      if (value === undefined) throw new Error(`${user} cannot sign in`)
      sessions.set(value, { user, state: 'alive' })
      counts.logins++
      last = value
      if (random.chance(0.5)) continue
      await ending(value, () => signOut(port, last))
      if (sessions.get(value)?.state === 'over') counts.logouts++
      last = ''
    }
  } catch (error) {
    // The connection ended with the server; anything else is a fault.
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}

/** Lets people come and go while the server makes their weak digests anew, and kills it at a random moment. */
async function workAlone(house: House, server: DrilledServer, ledger: Ledger, random: Random) {
  const visits = VISITORS.map((user) => visit(house, user, ledger, random))
  const failed = Promise.all(visits)
  const until = performance.now() + random.next() * 400
  while (performance.now() < until) await Promise.race([turn(), failed])
  await kill(server)
  await Promise.race([failed, sleep(2000, undefined, { ref: false })])
}

/** Lets people come and go while the users file changes, and kills both at a random moment. */
async function workTogether(
  house: House,
  server: DrilledServer,
  ledger: Ledger,
  round: number,
  random: Random,
) {
  const writer = spawn(process.execPath, [WRITER, house.usersFile, String(round), ...CHANGING], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const writerEnded = new Promise<void>((resolve) => writer.once('close', () => resolve()))
  const visits = VISITORS.map((user) => visit(house, user, ledger, random))
  const failed = Promise.all(visits).then(() => 'gone' as const)
  // The writer takes its time to start: the moments that count begin with its first change.
  for (let i = 0; i < 400 && said === '' && writer.exitCode === null; i++)
    await Promise.race([sleep(10), failed])
  await sleep(random.below(600))
  // Then into the middle of a change, which takes some milliseconds.
  await Promise.race([once(writer.stdout, 'data'), sleep(500)])
  const until = performance.now() + random.next() * 12
  while (performance.now() < until) await turn()
  // Both have their turn to be the first.
  const order = random.shuffle([writer, server.child])
  order[0]?.kill('SIGKILL')
  await sleep(random.below(100))
  order[1]?.kill('SIGKILL')
  await kill(server)
  await writerEnded
  // An answer that was cut off half-way ends no request of Node's.
  await Promise.race([failed, sleep(2000, undefined, { ref: false })])
  if (writer.signalCode !== 'SIGKILL') throw new Error('the writer ended by itself')
  // A line that was cut off was not said.
  noteLines(ledger, said.split('\n').slice(0, -1))
}

/** A first start that is killed; the one after it has to show a way in. */
async function firstStart(cleanup: Cleanup, random: Random): Promise<readonly string[]> {
  const house = await openHouse(cleanup, undefined)
  const passwordIn = ({ lines }: DrilledServer): string | undefined =>
    lines.map((line) => /^Password: (\S+)$/.exec(line)?.[1]).find((found) => found !== undefined)
  const killed = house.start()
  let hasListened = false
  killed.ready.then(
    () => {
      hasListened = true
    },
    () => {},
  )
  await sleep(random.below(1200))
  await kill(killed)
  const again = house.start()
  await again.ready
  const shown = passwordIn(again)
  const faults: string[] = [...again.complaints]
  const password = hasListened ? passwordIn(killed) : (shown ?? passwordIn(killed))
  if (hasListened && shown !== undefined) faults.push('a second first start')
  if (password === undefined || (await signIn(house.port, 'admin', password)) === undefined)
    faults.push(
      `nobody can sign in after the first start (it ${hasListened ? 'listened' : 'did not listen'})`,
    )
  await kill(again)
  rmSync(house.folder, { recursive: true, force: true })
  return faults
}

async function drill(seed: number, size: number, cleanup: Cleanup): Promise<readonly string[]> {
  const house = await openHouse(cleanup, usersText([...VISITORS, ...CHANGING]))
  const original = readFileSync(house.usersFile, 'utf8')
  const ledger = createLedger([...VISITORS, ...CHANGING], FIRST_PASSWORD, 'never')
  /** Sessions of people whose passwords change, perhaps unnoticed by any server. */
  let weakened: readonly string[] = []
  let doubtful: { readonly user: string; readonly password: string; readonly value: string }[] = []
  for (let round = 0; round <= size; round++) {
    const random = randomOf(seed, round)
    const server = house.start()
    cleanup.after(() => kill(server))
    await server.ready
    const faults = [...(await faultsOf(house, server, ledger, original, weakened))]
    const outdated = doubtful.filter(
      ({ user, password }) => ledger.passwords.get(user)?.includes(password) === false,
    )
    const alive = await verifyAll(
      house.port,
      outdated.map(({ value }) => value),
    )
    tally.outdated += outdated.length
    const survivors = [...alive.values()].filter(({ status }) => status === 200).length
    if (survivors > 0) faults.push(`${survivors} sessions outlived a change of their password`)
    if (faults.length > 0) {
      cpSync(house.folder, `${house.folder}-kept`, { recursive: true })
      return [`after kill ${round} (--seed ${seed}); kept in ${house.folder}-kept`, ...faults]
    }
    if (round === size) break
    doubtful = await Promise.all(
      CHANGING.map(async (user) => {
        const [password = ''] = ledger.passwords.get(user) ?? []
        return { user, password, value: (await signIn(house.port, user, password)) ?? '' }
      }),
    )
    const moment: Moment =
      weakened.length > 0 || random.chance(0.75)
        ? 'at work'
        : random.chance(0.6)
          ? 'while starting'
          : 'on the first start'
    tally[moment]++
    if (moment === 'at work') {
      if (weakened.length === 0) await workTogether(house, server, ledger, round, random)
      else {
        await workAlone(house, server, ledger, random)
        ledger.counts.anew += weakened.length - countWeak(house.usersFile)
      }
      weakened = random.chance(0.4) ? VISITORS : []
      await weaken(house.usersFile, weakened)
      // The digests are new ones, and nothing says that they are of the same password: the next start ends these sessions.
      for (const session of ledger.sessions.values())
        if (weakened.includes(session.user)) session.state = 'over'
    } else {
      await kill(server)
      if (moment === 'while starting') {
        const again = house.start()
        await sleep(random.below(900))
        await kill(again)
      } else {
        const found = await firstStart(cleanup, random)
        if (found.length > 0) return [`first start of round ${round} (--seed ${seed})`, ...found]
      }
    }
  }
  const { counts, sessions } = ledger
  const states = [...sessions.values()].map(({ state }) => state)
  const count = (wanted: string) => states.filter((state) => state === wanted).length
  console.log(
    `acknowledged: ${counts.logins} sign-ins, ${counts.logouts} sign-outs, ${counts.passwords} passwords, ${counts.users} users, ${counts.edits} edits by hand; ${counts.anew} digests made anew`,
  )
  console.log(
    `in the end: ${count('alive')} sessions alive, ${count('over')} over, ${count('unknown')} were under way at a kill`,
  )
  return counts.logins * counts.passwords === 0
    ? ['nothing was acknowledged: nothing is shown']
    : []
}

const { seed, size } = readOptions(100)
console.log(`drill:kill --seed ${seed} --size ${size}`)
const cleanup = createCleanup()
try {
  const started = performance.now()
  const faults = await drill(seed, size, cleanup)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `${size} kills in ${seconds} s: ${tally['at work']} at work, ${tally['while starting']} while starting, ${tally['on the first start']} on a first start`,
  )
  console.log(`${tally.outdated} sessions of passwords that changed just before a kill`)
  for (const fault of faults) console.log(`violation: ${fault}`)
  console.log(faults.length === 0 ? 'passed' : 'FAILED')
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await cleanup.run()
}
