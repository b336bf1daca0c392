import { z } from 'zod'
import { defineManifest } from '../kernel/feature.ts'
import { filePath } from '../kernel/scalars.ts'

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const

const log = z.strictObject({
  level: z
    .enum([...LOG_LEVELS, 'warning'])
    .transform((level) => (level === 'warning' ? 'warn' : level))
    .default('info')
    .describe(
      'The least serious kind of event that is written. `warning` is another word for `warn`. At `info` a request that ' +
        'was let through writes nothing; `debug` and `trace` add a stack to every error.',
    ),
  format: z
    .enum(['text', 'json'])
    .default('text')
    .describe(
      '`text` is logfmt (short and coloured when standard output is a terminal), `json` one object a line. fail2ban ' +
        'reads both.',
    ),
  file_path: filePath()
    .min(1)
    .optional()
    .describe(
      'Writes to this file in place of standard output. The file is made with mode 0600 and appended to; SIGHUP opens ' +
        'it again without truncating it, for logrotate. `%d` or `{datetime}` in the name becomes the time of the start.',
    ),
  keep_stdout: z
    .boolean()
    .default(false)
    .describe('With `file_path`: writes to standard output too.'),
})

export type LogConfig = z.infer<typeof log>

export default defineManifest({
  config: { log: log.prefault({}).describe('What the server says, and where to.') },
  live: ['log'],
  async look({ log: { file_path } }, place, report) {
    if (file_path === undefined) return
    const { lookAtLogFile } = await import('./look.ts')
    lookAtLogFile(place.resolve(file_path), report)
  },
})
