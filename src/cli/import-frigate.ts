import { readFrigate } from '../import/frigate.ts'
import { importUsers, pathOf } from './import-users.ts'

export const configure = importUsers('Frigate', 'Frigate’s database, frigate.db', (cli, file) =>
  readFrigate(pathOf(cli, file)),
)
