import { formatFaults, formatNotice } from '../config/index.ts'
import { unknownSubjectsIn } from '../features/access/index.ts'
import { loadForStart } from '../server/start-checks.ts'
import { describeFiles, readUsersOf } from './config.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command.action(async () => {
    const loaded = await loadForStart({
      files: cli.configFiles(),
      filters: cli.configFilters(),
      env: cli.env,
      cwd: cli.cwd,
      also: async (config, report) => {
        const users = await readUsersOf(cli, config)
        if (users === undefined) return
        for (const { path, message } of unknownSubjectsIn(config['access_control'], users))
          report.warn(path, message)
      },
    })
    if (!loaded.ok) {
      const { length } = loaded.faults
      cli.complain(`${formatFaults(loaded.faults)}\n`)
      for (const warning of loaded.warnings) cli.complain(`warning: ${formatNotice(warning)}\n`)
      cli.complain(`${describeFiles(cli)}: ${length === 1 ? 'one fault' : `${length} faults`}.\n`)
      cli.finish(1)
      return
    }
    const { warnings, revision } = loaded
    for (const warning of warnings) cli.print(`warning: ${formatNotice(warning)}\n`)
    const besides =
      warnings.length === 0
        ? ''
        : warnings.length === 1
          ? ', with one warning'
          : `, with ${warnings.length} warnings`
    cli.print(`${describeFiles(cli)}: valid${besides} (revision ${revision}).\n`)
  })
}
