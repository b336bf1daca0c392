import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where Debian keeps what only root is thought to run. */
const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`

/** Whether a program is there. */
export const isInstalled = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`], { env: { ...process.env, PATH } }).status === 0

/** Why tests that need a program can't run here; undefined when they can. */
export const missing = (program: string): string | undefined =>
  isInstalled(program) ? undefined : `${program} is not installed`

/** A folder with these files in it, until the test ends. */
export function folderWith(
  t: Pick<TestContext, 'after'>,
  files: Readonly<Record<string, string>>,
): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-proxy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** Runs a server in a folder of its own until the test ends; resolves once it takes connections on `port`. */
export async function startProgram(
  t: Pick<TestContext, 'after'>,
  command: string,
  args: readonly string[],
  {
    folder,
    port,
    log,
  }: {
    readonly folder: string
    readonly port: number
    /** Where it writes what goes wrong, when not to its standard error. */
    readonly log?: string
  },
): Promise<void> {
  let output = ''
  const said = () =>
    log !== undefined && existsSync(log) ? output + readFileSync(log, 'utf8') : output
  const child = spawn(command, args, {
    cwd: folder,
    // Not the settings and files of the user who runs the tests.
    env: { PATH, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: some have workers that outlive them.
    detached: true,
  })
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = `${output}${chunk}`.slice(-10_000)
    })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  t.after(async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 2_000)
    await ended
    clearTimeout(late)
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch (error) {
      // No process of the group is left.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  })
  for (let tries = 0; tries < 1200; tries++) {
    if (child.exitCode !== null) throw new Error(`${command} ended: ${said()}`)
    if (await connects(port)) return
    await sleep(25)
  }
  throw new Error(`${command} does not answer: ${said()}`)
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
