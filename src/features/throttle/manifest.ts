import { z } from 'zod'
import type { Manifest } from '../../kernel/feature.ts'
import { scalarMeta } from '../../kernel/scalars.ts'
import { parseLimits, type Windows } from './limits.ts'

const limits = () =>
  z
    .string()
    .transform((value, context): Windows => {
      const parsed = parseLimits(value)
      if (parsed.ok) return parsed.windows
      context.issues.push({
        code: 'custom',
        input: value,
        message: parsed.problem,
        params: { allowed: parsed.allowed },
      })
      return z.NEVER
    })
    .register(scalarMeta, {
      form: 'limits',
      pattern: '^\\s*([Dd][Ii][Ss][Aa][Bb][Ll][Ee]|\\d+\\s*(/|[Pp][Ee][Rr]).*)\\s*$',
    })

export default {
  config: {
    failed_login_rate_limit: limits()
      .prefault('1/second;5/minute;20/hour')
      .describe(
        'How many wrong passwords one client address may try: `N/period` or `N per M periods`, from second to year, ' +
          'several of them separated by `;`, `,` or `|`. All hold at once; right passwords do not count. IPv6 counts by ' +
          '/64; a browser that somebody has signed in with before counts by itself. Past it the answer is 429 with ' +
          'Retry-After. `disable` turns it off.',
      ),
  },
} as const satisfies Manifest
