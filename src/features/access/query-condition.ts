import { z } from 'zod'
import { patternFault, RE2 } from './pattern-text.ts'

const OPERATORS = ['present', 'absent', 'equal', 'not equal', 'pattern', 'not pattern'] as const
export type QueryOperator = (typeof OPERATORS)[number]

/** A condition on the query, as it is written. */
export const condition = z
  .strictObject({
    operator: z
      .enum(OPERATORS)
      .optional()
      .describe(
        'How the value is compared. Without it: `equal` when there is a value, else `present`.',
      ),
    key: z.string().min(1).describe('The name of the parameter. Of several, the first counts.'),
    value: z
      .union([z.string(), z.number(), z.boolean()])
      .transform(String)
      .optional()
      .describe('What the parameter is compared with; for the pattern operators a pattern (RE2).'),
  })
  .superRefine(({ operator, value }, context) => {
    const say = (message: string, allowed: string) =>
      context.addIssue({
        code: 'custom',
        input: value,
        path: ['value'],
        message,
        params: { allowed },
      })
    if (operator === undefined) return
    const takesValue = operator !== 'present' && operator !== 'absent'
    if (takesValue && value === undefined) say('is missing', `what \`${operator}\` compares with`)
    if (!takesValue && value !== undefined)
      say(`has no meaning with \`${operator}\``, 'no value, or another operator')
    if (value === undefined || !operator.endsWith('pattern')) return
    const message = patternFault(value)
    if (message !== undefined) say(message, RE2)
  })
