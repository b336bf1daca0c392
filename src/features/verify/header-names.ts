/** `identity_headers`: the names of the headers that tell an application who is there. */
import { z } from 'zod'
import type { ConfigReport } from '../../kernel/feature.ts'

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/
/** Names that mean something to a proxy or a browser by themselves. */
const RESERVED =
  /^(host|connection|keep-alive|te|trailer|upgrade|transfer-encoding|content-.*|cookie|set-cookie2?|location|date|via|forwarded|x-forwarded-.*|x-original-.*|authorization|proxy-.*|www-authenticate|cache-control|pragma|expires|vary|server|retry-after|strict-transport-security)$/i

const headerName = (name: string) =>
  z
    .string()
    .regex(TOKEN, { error: 'is no name for a header' })
    .refine((value) => !RESERVED.test(value), {
      error: 'has a meaning of its own in HTTP',
      params: { allowed: 'a name of your own, such as X-User' },
    })
    .default(name)

export const identityHeaders = z.strictObject({
  user: headerName('Remote-User').describe('Carries the user name.'),
  groups: headerName('Remote-Groups').describe('Carries the groups, joined by `separator`.'),
  name: headerName('Remote-Name').describe('Carries the display name.'),
  email: headerName('Remote-Email').describe('Carries the e-mail address.'),
  separator: z
    .string()
    .regex(/^[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]$/, {
      error: 'is no separator',
    })
    .default(',')
    .describe(
      'Joins the groups: one character, no letter or digit. A group whose name contains it is left out.',
    ),
})

/** Two headers that a proxy or an application server reads as one are one: `X_User` is `X-User` to many. */
export function checkHeaderNames(
  { separator: _, ...names }: z.infer<typeof identityHeaders>,
  report: ConfigReport,
): void {
  const seen = new Map<string, string>()
  for (const [key, name] of Object.entries(names)) {
    const folded = name.toLowerCase().replaceAll(/[_.]/g, '-')
    const first = seen.get(folded)
    if (first === undefined) seen.set(folded, key)
    else report.fault(['identity_headers', key], `is the same header as identity_headers.${first}`)
  }
}
