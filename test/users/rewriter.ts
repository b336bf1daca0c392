/** Changes a password over and over and says each time that it is done; ends when it is killed. */
import { openFileUsers } from '../../src/features/users/backends/file.ts'
import { cheapPasswords, keptLog } from './store.ts'

const [path = '', first = '0'] = process.argv.slice(2)
const users = await openFileUsers({
  path,
  watch: false,
  search: { email: false, caseInsensitive: false },
  extraAttributes: {},
  separator: ',',
  passwords: cheapPasswords(),
  log: keptLog().log,
})
for (let n = Number(first); n < Number(first) + 10_000; n++) {
  await users.setPassword('john', `password ${n}`)
  process.stdout.write(`${n}\n`)
}
