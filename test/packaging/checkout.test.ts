import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../support/verdict.ts'

test('npm start runs a bundle once there is one, and never one of code that has changed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-checkout-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  for (const part of ['src', '.ci', 'bin', 'package.json', 'tsconfig.json'])
    cpSync(part, join(folder, part), { recursive: true })
  // A node_modules of its own, for the bundles: the packages in it are ours.
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync('node_modules').filter((entry) => !entry.startsWith('.')))
    symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name))
  const cache = join(folder, 'node_modules/.cache/vestibule-bundle')
  const vestibule = (...args: string[]) =>
    spawnSync(process.execPath, ['bin/vestibule.cjs', ...args], { cwd: folder, encoding: 'utf8' })
  const current = () =>
    spawnSync(process.execPath, ['-p', "String(require('./.ci/checkout.cjs').current())"], {
      cwd: folder,
      encoding: 'utf8',
    }).stdout.trim()

  // The first time src/ runs as it is; the bundle is made beside it.
  assert.equal(vestibule('version').status, 0)
  const bundled = await eventually(current, (path) => path !== 'undefined')
  assert.ok(bundled.startsWith(cache), bundled)
  // It is what runs: a word that stands in the bundle alone is printed.
  const program = join(bundled, '../cli/index.js')
  writeFileSync(program, readFileSync(program, 'utf8').replace('make secrets', 'bundled secrets'))
  assert.match(vestibule('--help').stdout, /bundled secrets/)

  // Any change of what went into it, and it is not.
  appendFileSync(join(folder, 'src/kernel/duration.ts'), '\n')
  assert.equal(current(), 'undefined')
  assert.match(vestibule('--help').stdout, /make secrets/)
  await eventually(current, (path) => path !== 'undefined' && path !== bundled)
})
