import { isSafeRedirect } from '../../kernel/redirect.ts'

/**
 * What the portal's pages carry from request to request, in hidden fields and links, until the user is where they wanted to
 * go: through the sign-in form, through the hub, through a second factor. This file is the only one that knows the names of
 * these fields.
 */
export interface Carried {
  /** The wanted target, as it was sent; empty for none. */
  readonly rd: string
  /** The method of the request that was refused; empty for none. */
  readonly rm: string
  /** The id of an OpenID interaction that waits for the user; empty for none. */
  readonly interaction: string
}

export const NOTHING_CARRIED: Carried = { rd: '', rm: '', interaction: '' }

/** A form may hold a target of 16 KiB, percent-encoded, beside a name and a password. Bytes. */
export const FORM_LIMIT = 64 * 1024

/** Authelia's names: `flow=openid_connect&flow_id=<id>`. */
const OPENID = 'openid_connect'
const INTERACTION_ID = /^[A-Za-z0-9_-]{1,64}$/
const METHOD = /^[A-Z]{1,32}$/
const NAMES: ReadonlySet<string> = new Set(['rd', 'rm', 'flow', 'flow_id'])

/** Whether a field of a query belongs to what is carried. */
export const isCarriedName = (name: string): boolean => NAMES.has(name)

/** @param source a parsed query or form */
export function readCarried(source: unknown): Carried {
  const { rd = '', rm = '', flow = '', flow_id: id = '' } = textFields(source)
  return {
    rd,
    rm: METHOD.test(rm) ? rm : '',
    interaction: flow === OPENID && INTERACTION_ID.test(id) ? id : '',
  }
}

/** The fields that `readCarried` reads again; empty ones are left out. */
export const carriedFields = ({
  rd,
  rm,
  interaction,
}: Carried): Readonly<Record<string, string>> => ({
  ...(rd !== '' && { rd }),
  ...(rm !== '' && { rm }),
  ...(interaction !== '' && { flow: OPENID, flow_id: interaction }),
})

/** `/path?rd=…&rm=…`, the empty ones left out. */
export function withCarried(
  path: string,
  carried: Carried,
  more: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams({ ...carriedFields(carried), ...more }).toString()
  return query === '' ? path : `${path}?${query}`
}

/** The same without a target that is not followed (requirement 15). @param domains canonical cookie domains */
export const withoutUnsafe = (carried: Carried, domains: readonly string[]): Carried =>
  isSafeRedirect(carried.rd, domains) ? carried : { ...carried, rd: '', rm: '' }

/** The fields that are there exactly once. A repeated field counts as missing: its meaning is ambiguous. */
export function textFields(source: unknown): Readonly<Record<string, string>> {
  if (typeof source !== 'object' || source === null) return {}
  return Object.fromEntries(
    Object.entries(source).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}
