/**
 * Signs people in and out as fast as it can and says so, one line each, once it was acknowledged: `+ value user` and
 * `- value`; `? value` is about to be revoked. To be killed; `kill.system.test.ts` then looks at what is left.
 */
import { writeSync } from 'node:fs'
import { createSessions, createSqliteStore } from '../../src/features/sessions/index.ts'
import manifest from '../../src/features/sessions/manifest.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { openStorage } from '../../src/storage/index.ts'
import { Roster, SECRET, TWO_DOMAINS, valueIn } from './house.ts'

const [path = '', round = ''] = process.argv.slice(2)
const storage = await openStorage({ path, migrations: manifest.migrations, log: { info() {} } })
const users = new Roster()
const sessions = createSessions({
  config: manifest.config.session.parse(TWO_DOMAINS),
  store: createSqliteStore(storage),
  secrets: [SECRET],
  users,
  clock: systemClock,
  log: { warn: console.error, error: console.error },
})
const [domain] = sessions.domains
if (domain === undefined) throw new TypeError('no domain')
/** Straight to the pipe: what was said must not die with the process. */
const say = (line: string) => writeSync(1, `${line}\n`)

async function visitor(lane: number): Promise<void> {
  let last: { value: string; key: string } | undefined
  // Far more than the time until the kill allows.
  for (let i = 0; i < 100_000; i++) {
    if (domain === undefined) return
    const name = `user-${round}-${lane}-${i}`
    const { session, cookie } = await sessions.start({
      domain,
      profile: users.add(name),
      factors: ['password'],
      remember: false,
      address: '198.51.100.7',
      userAgent: 'kill',
      replaces: [],
    })
    const value = valueIn(cookie)
    say(`+ ${value} ${name}`)
    if (last !== undefined && i % 2 === 0) {
      say(`? ${last.value}`)
      await sessions.revoke(last.key)
      say(`- ${last.value}`)
    }
    last = { value, key: session.key }
  }
}

await Promise.all([visitor(1), visitor(2), visitor(3)])
