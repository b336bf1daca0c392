import { Secret } from '../kernel/secret.ts'
import { checkOf, checkSealed, findKey, sealerOf, wrongKey } from '../storage/index.ts'
import type { Configure } from './invocation.ts'
import { onStorage } from './storage.ts'
import { formatTable } from './table.ts'

/** Rows that are named without --verbose. */
const SOME = 10

export const configure: Configure = (command, cli) => {
  command
    .option('--encryption-key <key>', 'in place of the key that the server would use')
    .option('--verbose', 'name every value that does not open')
    .action(() => {
      const { encryptionKey, verbose } = command.opts<{ encryptionKey?: string; verbose?: true }>()
      return onStorage(cli, {}, async ({ storage, encryption }) => {
        const check = await checkOf(encryption)
        const given = encryptionKey === undefined ? undefined : new Secret(encryptionKey)
        const key = given ?? findKey(encryption, check)?.secret
        if (key === undefined) throw wrongKey(encryption, check)
        const reports = await checkSealed(storage, sealerOf(key), encryption.columns)
        cli.print(
          formatTable(
            ['TABLE', 'COLUMN', 'VALUES', 'DO NOT OPEN'],
            reports.map(({ table, column, values, broken }) => [
              table,
              column,
              String(values),
              String(broken.length),
            ]),
          ),
        )
        const broken = reports.flatMap(({ table, column, broken }) =>
          broken.map(
            (row) => `${table}.${column} of ${row.map((one) => JSON.stringify(one)).join(', ')}`,
          ),
        )
        if (broken.length === 0) return
        cli.finish(1)
        for (const line of verbose ? broken : broken.slice(0, SOME)) cli.complain(`${line}\n`)
        if (!verbose && broken.length > SOME)
          cli.complain(`and ${broken.length - SOME} more: --verbose names them all\n`)
      })
    })
}
