import assert from 'node:assert/strict'
import { test } from 'node:test'
import { argon2Binding, bindings } from '../../src/features/passwords/argon2-binding.ts'
import type { Argon2Parameters } from '../../src/features/passwords/index.ts'

const PARAMETERS: Argon2Parameters = {
  variant: 'argon2id',
  iterations: 1,
  memory: 64,
  parallelism: 1,
  keyLength: 32,
  saltLength: 16,
}
const SALT = Buffer.from('0123456789abcdef')

const CASES: readonly (readonly [
  what: string,
  parameters: Partial<Argon2Parameters>,
  password?: string,
  salt?: Buffer,
])[] = [
  ['argon2id', {}],
  ['argon2i', { variant: 'argon2i' }],
  ['argon2d', { variant: 'argon2d' }],
  ['several passes', { iterations: 5 }],
  ['several lanes', { parallelism: 3, memory: 100 }],
  ['as many lanes as there can be', { parallelism: 255, memory: 8 * 255 }],
  ['the least memory', { memory: 8 }],
  ['memory that is no multiple of anything', { memory: 1009, parallelism: 7 }],
  ['the shortest key', { keyLength: 16 }],
  ['a key of an odd length', { keyLength: 33 }],
  ['a key longer than one block of BLAKE2b', { keyLength: 65 }],
  ['the longest key', { keyLength: 512 }],
  ['the shortest salt', {}, 'password', Buffer.from('01234567')],
  ['a salt of an odd length', {}, 'password', Buffer.from('0123456789abc')],
  ['the longest salt', {}, 'password', Buffer.alloc(256, 0xff)],
  ['a salt that is no text', {}, 'password', Buffer.from('00ff80c3280000000d0a', 'hex')],
  ['an empty password', {}, ''],
  ['a password in several scripts', {}, 'pässwörd пароль 密码 \u{1f511}'],
  ['a composed and a decomposed character', {}, '\u00e9e\u0301'],
  ['half a surrogate pair', {}, 'x\ud83dy'],
  ['a password with a NUL', {}, 'pass\0word'],
  ['the longest password', {}, 'ä'.repeat(512)],
  ['the default of requirement 7', { memory: 65_536, iterations: 3, parallelism: 4 }],
]

for (const [what, parameters, password = 'password', salt = SALT] of CASES) {
  test(`the libraries agree on ${what}`, async () => {
    const keys = new Map<string, string>()
    for (const bind of bindings) {
      const { name, derive } = await bind()
      const key = await derive(password, { ...PARAMETERS, ...parameters }, salt)
      keys.set(name, key.toString('hex'))
    }
    assert.equal(keys.size, 2)
    assert.equal(new Set(keys.values()).size, 1)
    const [key = ''] = keys.values()
    assert.equal(key.length, 2 * (parameters.keyLength ?? PARAMETERS.keyLength))
  })
}

test('the first library that loads is used, and loaded once', async () => {
  const binding = await argon2Binding()
  assert.equal(binding.name, (await bindings[0]?.())?.name)
  assert.equal(await argon2Binding(), binding)
})
