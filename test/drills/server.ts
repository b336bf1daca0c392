/** The real server for drills: its log is read as it comes and not kept, however much it says. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mainFile } from '../support/main-file.ts'

/** What a drill may need to show of a log. */
const KEPT_LINES = 50

export interface DrilledServer {
  readonly child: ChildProcess
  /** Resolves when it listens; rejects when it ends before. */
  readonly ready: Promise<void>
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>
  /** Lines of level error and worse, and whatever is no line of the log; the first fifty. */
  readonly complaints: readonly string[]
  /** Other lines, the last fifty. */
  readonly lines: readonly string[]
}

export function spawnServer(folder: string, configFile: string): DrilledServer {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VESTIBULE'))
  const child = spawn(process.execPath, [mainFile(), 'serve', '--config', configFile], {
    cwd: folder,
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const complaints: string[] = []
  const lines: string[] = []
  let listening = (): void => {}
  let failed = (_: Error): void => {}
  const ready = new Promise<void>((resolve, reject) => {
    listening = resolve
    failed = reject
  })
  // Whoever does not wait for it has no use for its failure either.
  ready.catch(() => {})
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      failed(
        new Error(`the server ended before it listened:\n${[...lines, ...complaints].join('\n')}`),
      )
      resolve()
    })
  })
  const read = (line: string, isLog: boolean): void => {
    if (line === '') return
    if (!isLog || isComplaint(line)) {
      if (complaints.length < KEPT_LINES) complaints.push(line)
      return
    }
    lines.push(line)
    if (lines.length > KEPT_LINES) lines.shift()
    if (line.includes('msg="listening on ')) listening()
  }
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) read(line, stream === child.stdout)
    })
  }
  return { child, ready, ended, complaints, lines }
}

/** A wrong password is an error to fail2ban, and nothing unusual here. */
const isComplaint = (line: string): boolean =>
  /^\S+ level=(?:error|fatal) /.test(line) && !line.includes('msg="Unsuccessful 1FA ')
