import { z } from 'zod'
import { parseNetwork } from '../../kernel/cidr.ts'
import { networkText, oneOrMany } from '../../kernel/scalars.ts'

/** `definitions`: networks by the names that rules use. */
export const Definitions = z
  .strictObject({
    network: z
      .record(
        z.string().refine((name) => parseNetwork(name) === undefined && /^\S.{0,99}$/.test(name), {
          error: 'a name that is no address itself',
        }),
        oneOrMany(networkText()),
      )
      .default({})
      .describe('Networks by name, for `access_control.rules[].networks`.'),
  })
  .prefault({})
export type Definitions = z.infer<typeof Definitions>
