import type { Configure } from './invocation.ts'
import { version } from './version.ts'

export const configure: Configure = (command, cli) => {
  command.action(async () => {
    const { serve } = await import('../server/index.ts')
    cli.finish(
      await serve({
        files: cli.configFiles(),
        filters: cli.configFilters(),
        env: cli.env,
        cwd: cli.cwd,
        stdout: cli.stdout,
        stderr: cli.stderr,
        isTTY: cli.stdout.isTTY === true,
        version: version(),
      }),
    )
  })
}
