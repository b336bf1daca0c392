import { resolve } from 'node:path'
import { OperatorError } from '../kernel/operator-error.ts'
import { printable } from '../kernel/printable.ts'
import { trustedCertificates } from '../storage/index.ts'
import { examine, type Finding } from '../storage/redis/doctor.ts'
import { readConfig } from './config.ts'
import type { Configure } from './invocation.ts'

const WORDS: Readonly<Record<Finding['verdict'], string>> = {
  ok: 'ok  ',
  note: 'note',
  bad: 'BAD ',
}

export const configure: Configure = (command, cli) => {
  command.action(async () => {
    const config = await readConfig(cli)
    if (config === undefined) return
    const redis = config['session.redis']
    if (redis === undefined)
      throw new OperatorError('there is no session.redis in the configuration')
    const certificates = config['certificates_directory'] ?? ''
    const trusted = trustedCertificates(certificates && resolve(cli.cwd, certificates))
    for await (const { verdict, text } of examine(redis, trusted)) {
      cli.print(`${WORDS[verdict]}  ${printable(text)}\n`)
      if (verdict === 'bad') cli.finish(1)
    }
  })
}
