import { file } from './file/definition.ts'

/** Every place where users can live, in order: where two have the same name, the name is the user of the first. */
export const backends = [file] as const
