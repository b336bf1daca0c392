import { readHtpasswd } from '../import/password-files.ts'
import { textOf } from './import-report.ts'
import { importUsers } from './import-users.ts'

export const configure = importUsers('htpasswd', 'password files of Apache or nginx', (cli, file) =>
  readHtpasswd(file, textOf(cli, file)),
)
