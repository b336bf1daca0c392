import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Fails when the output holds what may not be printed: a digest, a secret of the data directory, or one of `secrets`
 * (passwords, and cookies as `name=value`).
 */
export function assertDiscreet(
  output: string,
  {
    dataDirectory,
    secrets,
  }: { readonly dataDirectory: string; readonly secrets: readonly string[] },
): void {
  // A hint may show what a digest looks like; its salt is in angle brackets.
  assert.doesNotMatch(output, /\$m=\d+,t=\d+,p=\d+\$[\w+/]|vestibule_session=[\w-]/)
  const folder = join(dataDirectory, 'secrets')
  const kept = existsSync(folder)
    ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8').trim())
    : []
  const values = secrets.map((secret) => secret.replace(/^vestibule_session=/, ''))
  for (const secret of [...kept, ...values]) {
    assert.ok(secret.length > 8, 'too short to be looked for')
    // Not assert.doesNotMatch, whose message would print it.
    assert.ok(!output.includes(secret), 'a secret was printed')
  }
}
