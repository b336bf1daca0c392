/**
 * Runs every step of the Dockerfile that needs no container engine, in clean folders: the commands are the Dockerfile's own.
 * What comes out is the image's /app, which then has to start, hash a password and be well.
 *
 *   node .ci/image.ts [--keep]    --keep leaves the folder and prints its size by part
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join, matchesGlob, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

interface Step {
  readonly instruction: string
  readonly text: string
}

interface Stage {
  readonly name: string
  readonly steps: readonly Step[]
}

/** The Dockerfile's stages, continuation lines joined and comments left out. */
export function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
  const stages: { name: string; steps: Step[] }[] = []
  for (const line of lines) {
    const [, instruction = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? []
    if (instruction === 'FROM') stages.push({ name: / AS (\S+)/i.exec(text)?.[1] ?? '', steps: [] })
    else if (instruction !== '') stages.at(-1)?.steps.push({ instruction, text })
  }
  return stages
}

/** What `docker build` would send: everything but .dockerignore's patterns, which are plain here. */
function contextFiles(): string[] {
  const ignored = readFileSync('.dockerignore', 'utf8').trim().split('\n')
  return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .filter(
      (file) =>
        !ignored.some((pattern) => matchesGlob(file, pattern) || file.startsWith(`${pattern}/`)),
    )
}

/** `COPY a b dir/` from a folder; in the context only what docker would have. */
function copy(text: string, from: string, to: string, allowed?: ReadonlySet<string>): void {
  const words = text.split(/\s+/).filter((word) => !word.startsWith('--'))
  const target = words.pop() ?? '.'
  for (const word of words) {
    const source = resolve(from, word.replace(/^\/app\/?/, './'))
    const isInto = target.endsWith('/') || target === '.'
    const isFile = statSync(source).isFile()
    const place = isInto && isFile ? join(to, target, basename(source)) : join(to, target)
    cpSync(source, place, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => {
        if (allowed === undefined) return true
        const name = relative(from, path)
        return (
          name === '' || allowed.has(name) || [...allowed].some((a) => a.startsWith(`${name}/`))
        )
      },
    })
  }
}

function run(command: string, cwd: string): void {
  console.log(`RUN ${command}`)
  const { status } = spawnSync('sh', ['-ec', command], { cwd, stdio: 'inherit', env: clean })
  if (status !== 0) throw new Error(`the image does not build: ${command}`)
}

/** As a container has it: no variables of npm or of ours, and the Node that runs this. */
const clean = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_|VESTIBULE|INIT_CWD|NODE_ENV)/.test(name),
    ),
  ),
  PATH: [resolve(process.execPath, '..'), process.env['PATH']].join(delimiter),
}

async function starts(app: string, folder: string): Promise<void> {
  const socket = join(folder, 'v.sock')
  const env = {
    ...clean,
    VESTIBULE_DEFAULT_CONFIG: join(app, 'default/config.yml'),
    VESTIBULE_SERVER_ADDRESS: `unix://${socket}`,
    VESTIBULE_DATA_DIRECTORY: join(folder, 'data'),
  }
  const cli = (...args: string[]) =>
    spawnSync(process.execPath, [join(app, 'bin/vestibule.cjs'), ...args], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
  // The image has it on its PATH by a link, and calls it without naming Node.
  for (const entry of ['vestibule.cjs', 'container.cjs'])
    accessSync(join(app, 'bin', entry), constants.X_OK)
  const said = cli('version')
  if (!/^vestibule \d+\.\d+\.\d+\n$/.test(said.stdout)) throw new Error(said.stderr)
  const digest = cli('hash-password', '-m', '1', '-i', '1', 'x')
  if (!digest.stdout.includes('$argon2id$')) throw new Error(digest.stderr)
  const server = spawn(process.execPath, [join(app, 'bin/vestibule.cjs'), 'serve'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    for (let tries = 0; cli('healthcheck').status !== 0; tries++) {
      if (tries === 100 || server.exitCode !== null)
        throw new Error('what was built does not start')
      await sleep(100)
    }
  } finally {
    server.kill('SIGTERM')
  }
  console.log(`${said.stdout.trim()} starts and is healthy`)
}

const folder = mkdtempSync(join(tmpdir(), 'vestibule-image-'))
try {
  const [build, image] = stagesOf(readFileSync('Dockerfile', 'utf8'))
  if (build === undefined || image === undefined) throw new Error('the Dockerfile has two stages')
  const [built, app] = [join(folder, 'build/app'), join(folder, 'image/app')]
  mkdirSync(built, { recursive: true })
  mkdirSync(app, { recursive: true })
  const allowed = new Set(contextFiles())
  for (const { instruction, text } of build.steps) {
    if (instruction === 'RUN') run(text, built)
    if (instruction === 'COPY') copy(text, process.cwd(), built, allowed)
  }
  // The image's own RUN makes users' directories: that takes an engine.
  for (const { instruction, text } of image.steps)
    if (instruction === 'COPY') copy(text, built, app)
  await starts(app, folder)
  console.log(execFileSync('du', ['-sh', ...globSync(join(app, '*'))], { encoding: 'utf8' }))
} finally {
  if (process.argv.includes('--keep')) console.log(folder)
  else rmSync(folder, { recursive: true, force: true })
}
