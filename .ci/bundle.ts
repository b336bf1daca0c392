/**
 * src/ → plain JavaScript in one file, our packages inside. What a command or a configuration does not use is in it too and
 * not evaluated; V8 compiles a function when it is first called. Files that are no code keep their place relative to the
 * module that reads them.
 */
import { cpSync, globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'

/**
 * What stays outside: native packages, which the system loads as files, and what is loaded by its name. They are the
 * `dependencies` of package.json; what the bundle holds is a devDependency.
 */
export const EXTERNALS = ['@node-rs/argon2', 'argon2', 're2js'] as const

/** Packages that ask for `require` find it: the output is ES modules. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

/** Loaded by main.ts once the cache of compiled code is on, so that it is in it. */
const PROGRAM = 'src/cli/index.ts'

/**
 * `import.meta.url` of a module is that of the file it went into; what it reads lies where src/ has it. And of zod only what
 * is used goes in: a named `z` is an object with all of it, every language's messages among them, a namespace is none.
 */
function sources(entry: string): Plugin {
  const root = resolve('src')
  const home = dirname(resolve(entry))
  return {
    name: 'sources',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^\.\/cli\/index\.ts$/ }, ({ importer }) =>
        importer === join(root, 'main.ts') ? { path: './cli/index.js', external: true } : undefined,
      )
      onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        if (!path.startsWith(`${root}/`)) return undefined
        const text = await readFile(path, 'utf8')
        const place = JSON.stringify(relative(home, path))
        return {
          loader: 'ts',
          contents: text
            .replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`)
            .replace("import { z } from 'zod'", "import * as z from 'zod'"),
        }
      })
    },
  }
}

/**
 * Parts of Fastify that are asked for by routes with schemas and by `inject`, of which the server has none: a quarter of the
 * code. Asking all the same is an error that says so.
 */
const ABSENT =
  /^(@fastify\/ajv-compiler|@fastify\/fast-json-stringify-compiler|fast-json-stringify\/lib\/validator|light-my-request)$/

const absent: Plugin = {
  name: 'absent',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: ABSENT }, ({ path }) => ({ path, namespace: 'absent' }))
    onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `module.exports = () => { throw new Error(${JSON.stringify(`${path} is not in the bundle`)}) }`,
    }))
  },
}

/**
 * An `import` of a builtin module reads every export that it has, which for http loads all of fetch, and for crypto all of
 * WebCrypto. It also happens at the start, whether or not the module that asks is ever evaluated.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }))
  },
}

/**
 * @param outdir is written to, not emptied
 * @returns what went in, by path relative to the working directory
 */
export async function bundle(outdir: string): Promise<Metafile['inputs']> {
  const inputs: Metafile['inputs'] = {}
  for (const entry of ['src/main.ts', PROGRAM, ...globSync('src/**/*worker.ts')]) {
    const { metafile } = await build({
      entryPoints: [entry],
      outbase: 'src',
      outdir,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      // The names of classes and functions are said in the log and in stack traces.
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      // pg asks for it and goes on without.
      external: [...EXTERNALS, 'pg-native'],
      banner: { js: REQUIRE },
      plugins: [sources(entry), absent, builtins],
      metafile: true,
      logLevel: 'warning',
    })
    Object.assign(inputs, metafile.inputs)
    for (const file of Object.keys(metafile.outputs)) await insistOnAscii(file)
  }
  for (const file of globSync('src/**/*.*').filter((name) => !/(\.ts|\/en\.json)$/.test(name)))
    cpSync(file, join(outdir, relative('src', file)))
  return Object.fromEntries(
    Object.entries(inputs).filter(([path]) => !/^(absent|builtin):/.test(path)),
  )
}

/** V8 keeps the text of a module, two bytes a character as soon as one is beyond Latin-1's half: megabytes for one dot. */
async function insistOnAscii(file: string): Promise<void> {
  const found = /[^\0-\x7f]/.exec(await readFile(file, 'utf8'))
  if (found === null) return
  const around = found.input.slice(Math.max(0, found.index - 60), found.index + 20)
  throw new Error(`write an escape or an entity in place of ${found[0]} in: ${around}`)
}
