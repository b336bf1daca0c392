/** The portal's own query, carried from request to request in hidden fields and links. */
export interface Carried {
  /** Where somebody wanted to go, as it was sent; empty for nowhere. */
  readonly rd: string
  /** The method of the request that was refused; empty for none. */
  readonly rm: string
}

/** @param source a parsed query or form */
export function readCarried(source: unknown): Carried {
  const { rd = '', rm = '' } = textFields(source)
  return { rd, rm: /^[A-Z]{1,32}$/.test(rm) ? rm : '' }
}

/** `/path?rd=…&rm=…`, the empty ones left out. */
export function withCarried(
  path: string,
  { rd, rm }: Carried,
  more: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams({
    ...(rd !== '' && { rd }),
    ...(rm !== '' && { rm }),
    ...more,
  }).toString()
  return query === '' ? path : `${path}?${query}`
}

/** The fields that are there exactly once. A repeated field is no field: nobody can say which one was meant. */
export function textFields(source: unknown): Readonly<Record<string, string>> {
  if (typeof source !== 'object' || source === null) return {}
  return Object.fromEntries(
    Object.entries(source).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
}
