/**
 * The one spelling under which a name is looked up. NFC, because one keyboard sends é as one character and another as
 * two; two names with one spelling are refused at load.
 */
export function lookupKey(
  name: string,
  { caseInsensitive }: { readonly caseInsensitive: boolean },
): string {
  const normal = name.normalize('NFC')
  return caseInsensitive ? normal.toLowerCase() : normal
}

export const mailKey = (mail: string): string => mail.normalize('NFC').toLowerCase()
