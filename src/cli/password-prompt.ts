/** Reading a password: typed without echo, or from a pipe. */
import { StringDecoder } from 'node:string_decoder'
import { OperatorError } from '../kernel/operator-error.ts'
import type { Cli, Input } from './invocation.ts'

/** More than any password, less than trouble. */
const MAX_BYTES = 64 * 1024

/**
 * Asks for a password on the terminal, twice; without a terminal, reads standard input to its end, where one line break at
 * the end is no part of the password.
 * @throws OperatorError when the two differ, when nobody types one, or when there is too much of it
 */
export async function readPassword(cli: Cli): Promise<string> {
  const stdin = cli.stdin()
  if (stdin.isTTY !== true) return readPipe(stdin)
  const lines = terminalLines(stdin)
  try {
    const first = await ask(cli, lines, 'Password: ')
    const second = await ask(cli, lines, 'Again: ')
    if (first !== second) throw new OperatorError('the two passwords differ')
    return first
  } finally {
    lines.close()
  }
}

async function ask(cli: Cli, lines: TerminalLines, prompt: string): Promise<string> {
  cli.complain(prompt)
  try {
    return await lines.next()
  } finally {
    cli.complain('\n')
  }
}

async function readPipe(stdin: Input): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_BYTES)
      throw new OperatorError('there is too much on standard input for a password')
    chunks.push(bytes)
  }
  return decode(Buffer.concat(chunks)).replace(/\r?\n$/, '')
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new OperatorError('the password on standard input is not UTF-8', undefined, {
      cause: error,
    })
  }
}

/** What an arrow or a function key sends; nobody means it as part of a password. ECMA-48 §5.4. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins with ESC
const ESCAPE_SEQUENCE = /\x1b(\[[0-9;]*[A-Za-z~]|O.|.)?/g

interface TerminalLines {
  next(): Promise<string>
  close(): void
}

/** Lines typed on a terminal in raw mode: nothing is echoed, so the little editing there is, is done here. */
function terminalLines(stdin: Input): TerminalLines {
  const decoder = new StringDecoder('utf8')
  const typed: string[] = []
  let current: string[] = []
  let waiting: PromiseWithResolvers<string> | undefined
  let stopped: OperatorError | undefined

  const settle = (): void => {
    if (waiting === undefined) return
    const [next] = typed
    if (next !== undefined) {
      typed.shift()
      waiting.resolve(next)
    } else if (stopped !== undefined) waiting.reject(stopped)
    else return
    waiting = undefined
  }
  const press = (key: string): void => {
    if (key === '\r' || key === '\n') {
      typed.push(current.join(''))
      current = []
    } else if (key === '\x03' || (key === '\x04' && current.length === 0)) {
      stopped = new OperatorError('no password was typed')
    } else if (key === '\x7f' || key === '\b') current.pop()
    else if (key === '\x15') current = []
    else if (key >= ' ' && current.length < MAX_BYTES) current.push(key)
  }
  const onData = (chunk: Buffer | string): void => {
    const text = decoder.write(Buffer.from(chunk)).replace(ESCAPE_SEQUENCE, '')
    for (const key of text.replace(/\r\n/g, '\n')) press(key)
    settle()
  }
  const onEnd = (): void => {
    stopped = new OperatorError('no password was typed')
    settle()
  }

  stdin.setRawMode?.(true)
  stdin.on('data', onData)
  stdin.on('end', onEnd)
  stdin.resume()
  return {
    next() {
      const line = Promise.withResolvers<string>()
      waiting = line
      settle()
      return line.promise
    },
    close() {
      stdin.off('data', onData)
      stdin.off('end', onEnd)
      stdin.setRawMode?.(false)
      stdin.pause()
    },
  }
}
