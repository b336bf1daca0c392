/**
 * src/ → plain JavaScript, our packages inside. What a command or a configuration does not use is a file of its own, so
 * that it is not loaded. Files that are no code keep their place relative to the module that reads them.
 */
import { cpSync, globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'

/**
 * What stays outside: native packages, which the system loads as files, and what is loaded by its name. They are the
 * `dependencies` of package.json; what the bundle holds is a devDependency.
 */
export const EXTERNALS = ['@node-rs/argon2', 'argon2', 're2js'] as const

/** Packages that ask for `require` find it: the output is ES modules. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"

/** `import.meta.url` of a module is that of the chunk it went into; what it reads lies where src/ has it. */
const places: Plugin = {
  name: 'places',
  setup({ onLoad }) {
    const root = resolve('src')
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      if (!path.startsWith(`${root}/`)) return undefined
      const text = await readFile(path, 'utf8')
      const place = JSON.stringify(relative(root, path))
      return {
        loader: 'ts',
        contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`),
      }
    })
  },
}

/**
 * @param outdir is written to, not emptied
 * @returns what went in and what came out, by path relative to the working directory
 */
export async function bundle(outdir: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: ['src/main.ts', ...globSync('src/**/*worker.ts')],
    outbase: 'src',
    outdir,
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Names stay, for stack traces; shorter syntax loads faster.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // pg asks for it and goes on without.
    external: [...EXTERNALS, 'pg-native'],
    banner: { js: REQUIRE },
    plugins: [places],
    metafile: true,
    logLevel: 'warning',
  })
  for (const file of globSync('src/**/*.*').filter((name) => !/\.(ts|json)$/.test(name)))
    cpSync(file, join(outdir, relative('src', file)))
  return metafile
}
