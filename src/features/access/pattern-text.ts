import { z } from 'zod'
import { scalarMeta } from '../../kernel/scalars.ts'
import { parsePattern } from './pattern/index.ts'

/** A pattern of the configuration, kept as text. */
export const pattern = () =>
  z
    .string()
    .min(1)
    .superRefine((source, context) => {
      const message = patternFault(source)
      if (message === undefined) return
      context.addIssue({ code: 'custom', input: source, message, params: { allowed: RE2 } })
    })
    .register(scalarMeta, { form: 'pattern' })

export const RE2 =
  'RE2 syntax: no lookaround, no backreferences; see https://github.com/google/re2/wiki/Syntax'

export function patternFault(source: string): string | undefined {
  const parsed = parsePattern(source)
  if (parsed.ok) return undefined
  const { problem, character } = parsed.fault
  return `is no pattern that RE2 accepts: ${problem}, at character ${character}`
}
