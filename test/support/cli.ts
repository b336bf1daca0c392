import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { run } from '../../src/cli/index.ts'

export interface Ran {
  readonly status: number
  readonly out: string
  readonly err: string
}

/** Collects what is written to it. */
export class Collector extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk
    done()
  }
}

/** A terminal to type on; `raw` tells whether the echo is off. */
export class Keyboard extends PassThrough {
  readonly isTTY = true
  raw = false
  setRawMode(mode: boolean): this {
    this.raw = mode
    return this
  }
}

/** Runs a command line in this process, in an empty directory unless one is given. */
export async function runCli(
  t: TestContext,
  argv: readonly string[],
  given: {
    readonly cwd?: string
    readonly env?: Readonly<Record<string, string>>
    readonly stdin?: string | Keyboard
  } = {},
): Promise<Ran> {
  const stdout = new Collector()
  const stderr = new Collector()
  const { stdin = '' } = given
  const input = typeof stdin === 'string' ? new PassThrough().end(stdin) : stdin
  const status = await run({
    argv,
    env: given.env ?? {},
    cwd: given.cwd ?? temporaryDirectory(t),
    stdin: () => input,
    stdout,
    stderr,
  })
  return { status, out: stdout.text, err: stderr.text }
}

export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'vestibule-cli-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
