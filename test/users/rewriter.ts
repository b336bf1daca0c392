/** Changes a password over and over and says each time that it is done; ends when it is killed. */
import { approved } from '../support/approved.ts'
import { openUsers } from './store.ts'

const [path = '', first = '0'] = process.argv.slice(2)
const { users } = await openUsers({ path })
for (let n = Number(first); n < Number(first) + 10_000; n++) {
  await users.setPassword('john', approved(`password ${n}`))
  process.stdout.write(`${n}\n`)
}
