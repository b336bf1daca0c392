import { openFileUsers } from './file.ts'

/** Every place users can live in, by its key under `authentication_backend`. */
export const backends = { file: openFileUsers } as const
