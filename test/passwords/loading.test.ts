import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

const DOOR = new URL('../../src/features/passwords/index.ts', import.meta.url).href

/** Which packages a process asks for that does this with the passwords room. */
function packagesOf(t: TestContext, work: string): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'vestibule-loading-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const script = join(directory, 'script.mjs')
  writeFileSync(
    script,
    `import { registerHooks } from 'node:module'
    const asked = []
    registerHooks({ resolve: (name, context, next) => (asked.push(name), next(name, context)) })
    const { createPasswords, parseDigest } = await import('${DOOR}')
    const clock = { now: () => 0, monotonic: () => 0 }
    const argon2 = createPasswords({ clock, queue: 1, parameters: {
      algorithm: 'argon2', variant: 'argon2id', iterations: 1, memory: 64, parallelism: 1, keyLength: 32, saltLength: 16,
    } })
    const sha512 = createPasswords({ clock, queue: 1, parameters: {
      algorithm: 'sha2crypt', variant: 'sha512', iterations: 1000, saltLength: 16,
    } })
    ${work}
    console.log(asked.filter((name) => /^[a-z@]/.test(name) && !/^(node|file):/.test(name)).join(' '))`,
  )
  return execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim().split(/\s+/)
}

test('no hashing library is loaded before there is something to hash', (t) => {
  const digests = JSON.stringify([
    '$argon2id$v=19$m=65536,t=3,p=4$QmkpoTw3W72fzd7RrWofuw$r0xig+VVj7ynnE2S1jrE5us7dPKv2S2ff6Z6ts4mVuU',
    '$2b$10$3o9IF74Phgdz4Q6j7K7s0unovt.v.7YBLKFyV73pGTd2.tfdz/F8e',
  ])
  const read = `for (const one of ${digests}) if (!parseDigest(one).ok) throw new Error(one)`
  const libraries = (names: readonly string[]) => names.filter((name) => /argon2|crypt/.test(name))
  assert.deepEqual(libraries(packagesOf(t, read)), [])
  assert.deepEqual(libraries(packagesOf(t, `${read}; await sha512.hash('x', '')`)), [])
  const [first] = libraries(packagesOf(t, `${read}; await argon2.hash('x', '')`))
  assert.equal(first, '@node-rs/argon2')
})
