import { connect } from 'node:net'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { addressOf, answerSchema, MAX_ANSWER, type Request, socketPath } from './protocol.ts'

/**
 * Asks the server that runs on this data directory to do something.
 * @param options.timeout milliseconds for the whole exchange, 10,000 by default
 * @returns what the command answered; its shape is the caller's to check
 * @throws OperatorError when no server runs there, it may not be asked, does not answer in time, or refuses
 */
export async function askServer(
  dataDirectory: string,
  command: string,
  args: unknown,
  options: { readonly timeout?: number } = {},
): Promise<unknown> {
  const line = await exchange(
    dataDirectory,
    `${JSON.stringify({ command, args } satisfies Request)}\n`,
    options.timeout ?? 10_000,
  )
  const answer = answerSchema.safeParse(parseJson(line))
  if (!answer.success) throw new OperatorError('the server answered something that cannot be read')
  if (answer.data.ok) return answer.data.data
  throw new OperatorError(answer.data.error.message, answer.data.error.hint)
}

async function exchange(dataDirectory: string, line: string, timeout: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const { address, release } = reach(dataDirectory)
  const socket = connect(address, () => socket.write(line))
  const timer = setTimeout(() => {
    reject(new OperatorError(`the server did not answer within ${timeout / 1000} seconds`))
  }, timeout)
  let received = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    received += chunk
    if (received.length > MAX_ANSWER)
      reject(new OperatorError('the answer of the server is too long'))
  })
  socket.on('end', () => resolve(received))
  socket.on('error', (error) => reject(unreachable(dataDirectory, error)))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.destroy()
    release()
  }
}

function reach(dataDirectory: string): ReturnType<typeof addressOf> {
  try {
    return addressOf(socketPath(dataDirectory))
  } catch (error) {
    throw error instanceof OperatorError ? error : unreachable(dataDirectory, error)
  }
}

function unreachable(dataDirectory: string, error: unknown): OperatorError {
  const code = systemCode(error)
  if (code === 'EACCES' || code === 'EPERM') {
    return new OperatorError(
      `the server on the data directory ${dataDirectory} may only be asked by the user it runs as`,
      'run this command as that user, or as root',
      { cause: error },
    )
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') {
    return new OperatorError(
      `no server is running on the data directory ${dataDirectory}`,
      'start it, or pass the --config it was started with, whose data_directory counts',
      { cause: error },
    )
  }
  return new OperatorError(`the server cannot be asked (${code || 'unknown'})`, undefined, {
    cause: error,
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
