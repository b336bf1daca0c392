import { readTinyauth } from '../import/password-files.ts'
import { textOf } from './import-report.ts'
import { importUsers } from './import-users.ts'

export const configure = importUsers(
  'tinyauth',
  'the users file, or a file with the variable USERS',
  (cli, file) => readTinyauth(file, textOf(cli, file)),
)
