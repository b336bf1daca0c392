import { database } from './database/definition.ts'
import { file } from './file/definition.ts'

/** Every place where users can live, in order: where two have the same name, the name is the user of the first. */
export const backends = [database, file] as const

/** Those that are used: the ones that are configured, or else the default. */
export function backendsIn(
  config: Readonly<Record<string, unknown>>,
): readonly (typeof backends)[number][] {
  const chosen = backends.filter(({ key, isDefault }) => !isDefault && config[key] !== undefined)
  return chosen.length > 0 ? chosen : backends.filter(({ isDefault }) => isDefault)
}
