/** Small changes at one place of a value. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type Step = string | number

/** Every place of a value, the deepest included. */
export function placesOf(value: Json, path: readonly Step[] = []): (readonly Step[])[] {
  const below = Array.isArray(value)
    ? value.flatMap((item, i) => placesOf(item, [...path, i]))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, item]) => placesOf(item, [...path, key]))
      : []
  return path.length === 0 ? below : [path, ...below]
}

export type Mutation =
  | { readonly kind: 'delete' }
  | { readonly kind: 'rename'; readonly to: string }
  | { readonly kind: 'retype'; readonly to: Json }

/** The value with a change at that place; a place that is not there changes nothing. */
export function mutate(root: Json, path: readonly Step[], mutation: Mutation): Json {
  const [step, ...rest] = path
  if (step === undefined) return mutation.kind === 'retype' ? mutation.to : root
  if (Array.isArray(root)) {
    if (rest.length === 0 && mutation.kind === 'delete') return root.filter((_, i) => i !== step)
    return root.map((item, i) => (i === step ? mutate(item, rest, mutation) : item))
  }
  if (typeof root !== 'object' || root === null) return root
  return Object.fromEntries(
    Object.entries(root).flatMap(([key, item]): [string, Json][] => {
      if (key !== step) return [[key, item]]
      if (rest.length > 0) return [[key, mutate(item, rest, mutation)]]
      if (mutation.kind === 'delete') return []
      return [mutation.kind === 'rename' ? [mutation.to, item] : [key, mutation.to]]
    }),
  )
}
