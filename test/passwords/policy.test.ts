import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createPasswordPolicy, type PolicyFault } from '../../src/features/passwords/index.ts'
import { isBreached } from '../../src/features/passwords/policy/breached.ts'
import { PolicyConfig } from '../../src/features/passwords/policy/config.ts'
import { isOwnName, ownNames } from '../../src/features/passwords/policy/rules.ts'

const JOHN = { name: 'john', displayName: 'John Doe-Smith', email: 'j.doe42@wonderland.example' }

function folderOf(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-policy-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function policyOf(t: Pick<TestContext, 'after'>, config: unknown, folder = '/') {
  const policy = createPasswordPolicy(PolicyConfig.parse(config), (path) => join(folder, path))
  t.after(() => policy.close())
  /** What it says of a password. */
  const faults = async (password: string): Promise<readonly PolicyFault[]> => {
    const { faults: found } = await policy.strength(password, JOHN)
    // What is shown while typing is what counts at the end.
    const approves = await policy.approve(password, JOHN).then(
      (approved) => approved.reveal() === password,
      () => false,
    )
    assert.equal(approves, found.length === 0, password)
    return found
  }
  return { policy, faults }
}

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase()

test('without a configured rule every password is approved of', async (t) => {
  const { policy, faults } = policyOf(t, {})
  assert.equal(policy.isOn, false)
  for (const password of ['', 'x', 'john', 'password']) assert.deepEqual(await faults(password), [])
})

test('standard counts bytes and asks for kinds of characters, as Authelia does', async (t) => {
  const all = { require_lowercase: true, require_uppercase: true, require_number: true }
  const { faults } = policyOf(t, {
    standard: { enabled: true, min_length: 8, max_length: 12, ...all, require_special: true },
  })
  assert.deepEqual(await faults('aB3$aB3$'), [])
  assert.deepEqual(await faults('\u00e4\u00e4aB3$'), [], 'eight bytes')
  assert.deepEqual(await faults('aB3$'), ['min_length'])
  assert.deepEqual(await faults('aB3$aB3$aB3$a'), ['max_length'])
  assert.deepEqual(await faults('        '), ['lowercase', 'uppercase', 'number'])
  assert.deepEqual(await faults('ABCDEFGH'), ['lowercase', 'number', 'special'])
  assert.deepEqual(await faults(''), ['min_length', 'lowercase', 'uppercase', 'number', 'special'])
})

test('own names are refused, with digits and signs around them too', () => {
  const names = ownNames(JOHN)
  for (const name of ['john', 'John Doe-Smith', 'johndoe-smith', 'DOE', 'smith', '!wonderland2024'])
    assert.equal(isOwnName(name, names), true, name)
  for (const name of ['john1987!', '12-j.doe42', 'j.doe42@wonderland.example'])
    assert.equal(isOwnName(name, names), true, name)
  for (const name of ['johnathan', 'a long sentence about john', '1234', ''])
    assert.equal(isOwnName(name, names), false, name)
  assert.deepEqual(ownNames({ name: 'x', displayName: '', email: '' }), [])
})

test('own names count under every policy', async (t) => {
  const { faults } = policyOf(t, { standard: { enabled: true, min_length: 4 } })
  assert.deepEqual(await faults('john1987!'), ['own_name'])
  const guessed = policyOf(t, { zxcvbn: { enabled: true } })
  assert.deepEqual(await guessed.faults('Wonderland1'), ['own_name', 'guessable'])
})

test('zxcvbn refuses what is easy to guess, however long, and takes little time for what is made to be slow', async (t) => {
  const { policy, faults } = policyOf(t, { zxcvbn: { enabled: true, min_score: 3 } })
  for (const easy of ['password', 'qwertyuiop', 'abcabcabcabc', 'P@ssw0rd', '19871206', ''])
    assert.deepEqual(await faults(easy), ['guessable'], easy)
  for (const hard of ['correct zebra stapler violin', 'k3#Vq9!xTm2z']) {
    assert.deepEqual(await faults(hard), [], hard)
  }
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  t.after(() => clearInterval(timer))
  for (const slow of [
    'ab1'.repeat(341),
    '1'.repeat(1024),
    'password'.repeat(128),
    '4@8('.repeat(256),
  ])
    await policy.strength(slow, JOHN)
  clearInterval(timer)
  assert.ok(turns > 0, 'the event loop goes on meanwhile')
})

test('of many questions at once those past the bound are refused, and the rest is answered', async (t) => {
  const { policy } = policyOf(t, { zxcvbn: { enabled: true } })
  const answers = await Promise.allSettled(
    Array.from({ length: 200 }, (_, i) => policy.strength(`word ${i}`, JOHN)),
  )
  const right = answers.filter(({ status }) => status === 'fulfilled').length
  assert.equal(right, 32)
  await policy.strength('again', JOHN)
})

test('a breached password is found anywhere in a large sorted file, and no other is', async (t) => {
  const path = join(folderOf(t), 'pwned.txt')
  const count = 200_000
  const lines = Array.from({ length: count }, (_, i) => `${sha1(`p${i}`)}:${(i * 7919) % 100_000}`)
  lines.sort()
  const byHash = new Map(Array.from({ length: count }, (_, i) => [sha1(`p${i}`), `p${i}`]))
  const at = (index: number) => byHash.get(lines.at(index)?.slice(0, 40) ?? '') ?? ''
  for (const [end, last] of [
    ['\r\n', '\r\n'],
    ['\n', ''],
  ]) {
    writeFileSync(path, lines.join(end) + last)
    for (const password of [at(0), at(1), at(-1), at(-2), at(count / 2)])
      assert.equal(await isBreached(path, password), true, password)
    for (let i = 0; i < count; i += 991)
      assert.equal(await isBreached(path, `p${i}`), true, `p${i}`)
    for (let i = 0; i < 200; i++) assert.equal(await isBreached(path, `q${i}`), false, `q${i}`)
  }
})

test('a breached file of one line, of none, and of another form', async (t) => {
  const path = join(folderOf(t), 'pwned.txt')
  for (const end of ['', '\n', '\r\n']) {
    writeFileSync(path, `${sha1('secret').toLowerCase()}:3${end}`)
    assert.equal(await isBreached(path, 'secret'), true)
    assert.equal(await isBreached(path, 'other'), false)
  }
  writeFileSync(path, '')
  assert.equal(await isBreached(path, 'secret'), false)
  writeFileSync(path, 'password\n123456\n'.repeat(100))
  await assert.rejects(isBreached(path, 'secret'), /not SHA1:COUNT/)
})

test('lists in files refuse what is in them; a list that is gone refuses everything', async (t) => {
  const folder = folderOf(t)
  writeFileSync(join(folder, 'common.txt'), 'Sunshine\r\nletmein\n\n')
  writeFileSync(join(folder, 'pwned.txt'), `${sha1('tr0ub4dor')}:1\n`)
  const { policy, faults } = policyOf(
    t,
    { common_file: 'common.txt', breached_file: 'pwned.txt' },
    folder,
  )
  assert.deepEqual(await faults('SUNSHINE'), ['common'])
  assert.deepEqual(await faults('tr0ub4dor'), ['breached'])
  assert.deepEqual(await faults(''), [])
  writeFileSync(join(folder, 'common.txt'), 'another list\n')
  assert.deepEqual(await faults('sunshine'), [])
  assert.deepEqual(await faults('another list'), ['common'])
  rmSync(join(folder, 'pwned.txt'))
  await assert.rejects(policy.approve('anything', JOHN), { code: 'STORE_UNAVAILABLE' })
})
