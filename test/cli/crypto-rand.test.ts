import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { randomText } from '../../src/cli/crypto-rand.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'

test('by default 72 letters and digits are printed, never the same', async (t) => {
  const [first, second] = [await runCli(t, ['crypto', 'rand']), await runCli(t, ['crypto', 'rand'])]
  assert.match(first.out, /^[A-Za-z0-9]{72}\n$/)
  assert.notEqual(first.out, second.out)
})

test('length and characters can be chosen', async (t) => {
  const patterns: Record<string, RegExp> = {
    'alphanumeric-lower': /^[a-z0-9]{300}\n$/,
    'alphabetic-upper': /^[A-Z]{300}\n$/,
    numeric: /^\d{300}\n$/,
    'numeric-hex': /^[0-9A-F]{300}\n$/,
    ascii: /^[!-~]{300}\n$/,
    rfc3986: /^[A-Za-z0-9._~-]{300}\n$/,
  }
  for (const [charset, pattern] of Object.entries(patterns)) {
    assert.match((await runCli(t, ['crypto', 'rand', '-n', '300', '-x', charset])).out, pattern)
  }
  const { out } = await runCli(t, ['crypto', 'rand', '-n', '50', '--characters', 'aab'])
  assert.match(out, /^[ab]{50}\n$/)
})

test('no character is likelier than another', () => {
  // 160 characters: a byte modulo 160 would give the first 96 of them twice as often as the rest.
  const alphabet = Array.from({ length: 160 }, (_, i) => String.fromCharCode(0x100 + i))
  const text = randomText(64_000, alphabet)
  const early = [...text].filter((character) => character < (alphabet[96] ?? '')).length
  // Expected 38,400 with a deviation of 124; a byte's remainder would give 48,000.
  assert.ok(Math.abs(early - 38_400) < 8 * 124, `${early}`)
})

test('with --file nothing is printed, the file is for its owner alone, and none is overwritten', async (t) => {
  const cwd = temporaryDirectory(t)
  const argv = ['crypto', 'rand', '--file', 'a', '--file', 'b']
  assert.deepEqual(await runCli(t, argv, { cwd }), { status: 0, out: '', err: '' })
  const [a, b] = [readFileSync(join(cwd, 'a'), 'utf8'), readFileSync(join(cwd, 'b'), 'utf8')]
  assert.match(a, /^[A-Za-z0-9]{72}$/)
  assert.notEqual(a, b)
  assert.equal(statSync(join(cwd, 'a')).mode & 0o777, 0o600)

  const again = await runCli(t, ['crypto', 'rand', '--file', 'a'], { cwd })
  assert.equal(again.status, 1)
  assert.match(again.err, /exists already and was left alone/)
  assert.equal(readFileSync(join(cwd, 'a'), 'utf8'), a)
  assert.match((await runCli(t, ['crypto', 'rand', '--file', 'no/x'], { cwd })).err, /ENOENT/)
  assert.deepEqual(readdirSync(cwd).sort(), ['a', 'b'])
})
