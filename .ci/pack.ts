/**
 * Makes the npm packages in artefacts/packages/: vestibule, and vestibule-node for systems whose Node is older.
 *
 *   node .ci/pack.ts [folder]
 *
 * The package's own package.json is made here: of the checkout's it has what a user of the package needs, and the Node that
 * is a folder there is a package of its own here.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const target = resolve(process.argv[2] ?? 'artefacts/packages')
const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

const folder = mkdtempSync(join(tmpdir(), 'vestibule-package-'))
try {
  // Not in dist/, which the user may be running, and another pack may be building.
  execFileSync(process.execPath, ['.ci/build.ts', join(folder, 'dist')], { stdio: 'inherit' })
  mkdirSync(target, { recursive: true })
  const { scripts: _, devDependencies: __, private: ___, ...manifest } = read('package.json')
  const node = read('.ci/node/package.json')
  manifest.optionalDependencies[node.name] = node.version
  for (const part of [...manifest.files, 'README.md', 'LICENSE'])
    if (part !== 'dist') cpSync(part, join(folder, part), { recursive: true })
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  for (const source of [folder, resolve('.ci/node')])
    execFileSync('npm', ['pack', '--silent', '--pack-destination', target, source], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
