/**
 * Changes the users file as fast as it can, as the program does (passwords, new users) and as people do (a copy is edited
 * and takes the name), and says so, one line each: `? what` is about to be done, `+ what` is done. To be killed.
 */

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { approved } from '../support/approved.ts'
import { CHEAP, cheapPasswords, openUsers } from '../users/store.ts'

const [path = '', round = '', ...changing] = process.argv.slice(2)
const { users } = await openUsers({
  path,
  // As the server's: nothing is to be made anew at a sign-in.
  passwords: cheapPasswords({ ...CHEAP, memory: 64, iterations: 2, keyLength: 32, saltLength: 16 }),
})
/** Straight to the pipe: what was said must not die with the process. */
const say = (line: string) => writeSync(1, `${line}\n`)

async function announced(what: string, work: () => unknown): Promise<void> {
  say(`? ${what}`)
  await work()
  say(`+ ${what}`)
}

/** The number that people keep in the file, one higher. The copy lies elsewhere: an editor's leavings are not ours. */
function editByHand(mark: string): void {
  const text = readFileSync(path, 'utf8').replace(/^# edited: .*$/m, `# edited: ${mark}`)
  const copy = join(dirname(dirname(path)), 'users.yml.edited')
  const file = openSync(copy, 'w', 0o600)
  writeSync(file, text)
  fsyncSync(file)
  closeSync(file)
  renameSync(copy, path)
  const directory = openSync(dirname(path), 'r')
  fsyncSync(directory)
  closeSync(directory)
}

// Far more than the time until the kill allows.
for (let i = 0; i < 100_000; i++) {
  const mark = `${round}-${i}`
  const name = changing[i % changing.length] ?? ''
  await announced(`password ${name} ${mark}`, () => users.setPassword(name, approved(mark)))
  if (i % 4 === 1) await announced(`edit ${mark}`, () => editByHand(mark))
  if (i % 16 === 2)
    await announced(`user u${mark} ${mark}`, () =>
      users.add(`u${mark}`, { displayName: 'New', groups: [], password: approved(mark) }),
    )
}
