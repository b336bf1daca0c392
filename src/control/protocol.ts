/**
 * How the command line talks to a running server: one line of JSON each way over a unix socket in the data directory.
 *
 *     {"command":"sessions.list","args":{"user":"john"}}
 *     {"ok":true,"data":[…]}   or   {"ok":false,"error":{"message":"…","hint":"…"}}
 *
 * A process that can open the socket (0600) can read the database beside it as well: there is no other check.
 */
import { closeSync, constants, openSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { OperatorError } from '../kernel/operator-error.ts'

/** An import of second factors: some ten thousand. */
export const MAX_REQUEST = 16 * 1024 * 1024
/** Some hundred thousand sessions. */
export const MAX_ANSWER = 64 * 1024 * 1024

export const requestSchema = z.strictObject({
  command: z.string().max(64),
  args: z.unknown(),
})
export type Request = z.infer<typeof requestSchema>

export const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), data: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error: z.object({ message: z.string(), hint: z.string().optional() }),
  }),
])
export type Answer = z.infer<typeof answerSchema>

export const socketPath = (dataDirectory: string): string => join(dataDirectory, 'control.sock')

/** sun_path holds 108 bytes with its NUL on Linux, 104 elsewhere. */
const MAX_SOCKET_PATH = process.platform === 'linux' ? 107 : 103

/**
 * A name for the socket that fits into the system's address, however deep the data directory lies: past the limit, the way
 * through an open descriptor of its directory. The file itself stays where it is.
 * @returns `release` when the name is no longer used
 * @throws OperatorError where that way does not exist
 */
export function addressOf(path: string): { readonly address: string; release(): void } {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return { address: path, release() {} }
  if (process.platform !== 'linux') {
    throw new OperatorError(
      `the path of the control socket ${path} is longer than ${MAX_SOCKET_PATH} bytes`,
      'set data_directory to a shorter path',
    )
  }
  const descriptor = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  let open = true
  return {
    address: `/proc/self/fd/${descriptor}/${basename(path)}`,
    release() {
      // Once: by the second time the number may be that of another file.
      if (open) closeSync(descriptor)
      open = false
    },
  }
}
