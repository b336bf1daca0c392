/**
 * No key may be passed over in silence. Each that is known is an old name, or one that the loader speaks of when it is
 * written (no effect yet, or refused), or one whose name is read by code outside of the manifests.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import test from 'node:test'
import ts from 'typescript'
import { stringify } from 'yaml'
import { partition } from '../../src/config/authelia/partition.ts'
import { addUnsupported } from '../../src/config/authelia/unsupported/index.ts'
import { hasUnsupported, type Known, knownOf, patternsOf, settled } from '../../src/config/known.ts'
import { remarks } from '../../src/config/remarks.ts'
import { slicesOf } from '../../src/config/slices.ts'
import { type MapTree, toPlain, treeOf } from '../../src/config/tree.ts'
import { features } from '../../src/features.ts'
import { load } from './house.ts'

const SOURCE = join(import.meta.dirname, '../../src')
/** They declare keys, or know them all. */
const DECLARES = /^(manifest|postgres-config|hashing-check)\.ts$/

/** Names that are read of something, and texts, of all code that is no declaration of keys. */
function usedWords(): { readonly names: ReadonlySet<string>; readonly texts: ReadonlySet<string> } {
  const names = new Set<string>()
  const texts = new Set<string>()
  const visit = (node: ts.Node): void => {
    // What a type allows, nobody need ask for.
    if (ts.isTypeNode(node)) return
    if (ts.isPropertyAccessExpression(node)) names.add(node.name.text)
    else if (ts.isBindingElement(node)) names.add((node.propertyName ?? node.name).getText())
    else if (ts.isStringLiteralLike(node)) texts.add(node.text)
    ts.forEachChild(node, visit)
  }
  for (const path of globSync('**/*.ts', { cwd: SOURCE })) {
    if (path.startsWith('config/') || DECLARES.test(basename(path))) continue
    const text = readFileSync(join(SOURCE, path), 'utf8')
    visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true))
  }
  return { names, texts }
}

/** Words that no code asks for, and why that is no silence. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  yescrypt: 'refused',
  mobile_push: "said by the second factors' own check",
  open: 'of enrolment: what is not invited',
  ...Object.fromEntries(
    ['indirect', 'direct', 'discouraged', 'preferred'].map((word) => [
      word,
      'goes to the browser as it is (webauthn)',
    ]),
  ),
  ...Object.fromEntries(
    ['HS256', 'HS384', 'HS512'].map((word) => [word, 'goes to jose as it is (password-reset)']),
  ),
  warn: "the logger's own word; of replica_acks, what is neither off nor require",
}

/** Numbers and durations of Authelia's whose 0 is neither refused nor spoken of, and why. */
const SAME_ZERO: Readonly<Record<string, string>> = {
  'regulation.max_retries': 'turns bans off there too',
  'regulation.find_time': "said by the throttle's own check",
  'regulation.ban_time': "said by the throttle's own check",
  'webauthn.timeout': 'is the default there too',
  'password_policy.standard.max_length': 'is no limit there too',
  'session.redis.database_index': 'is the first database there too',
  'server.endpoints.authz.*.authn_strategies[].scheme_basic_cache_lifespan': 'no cache there too',
}

const slices = slicesOf(features)
const known = knownOf(slices)
addUnsupported(known)
const all = [...patternsOf(known)]

/** A configuration in which that key is all that was written. */
function writing(pattern: string, value: unknown): MapTree {
  const steps = pattern.replaceAll('[]', '.[]').split('.')
  const whole = steps.reduceRight<unknown>(
    (inner, step) => (step === '[]' ? [inner] : { [step === '*' ? 'free' : step]: inner }),
    value,
  )
  return treeOf(whole, { source: 'c.yml' }) as MapTree // of a map
}

const sampleOf = (node: Known): unknown => {
  const { leaf, item } = settled(node)
  if (leaf === undefined) return item === undefined ? { anything: 1 } : [sampleOf(item)]
  const [word] = leaf.values
  return word ?? (leaf.types.has('boolean') ? true : leaf.types.has('number') ? 7 : '7 s')
}

test('every key that no feature reads is spoken of when it is written', () => {
  let count = 0
  for (const { pattern, node } of all) {
    if (node.built || node.nameOf !== undefined || pattern.endsWith('*')) continue
    const root = writing(pattern, sampleOf(node))
    assert.ok(hasUnsupported(root, known), pattern)
    const { faults, notices } = partition(root, known)
    assert.ok(faults.length + notices.length > 0, pattern)
    count++
  }
  assert.ok(count > 250, String(count))
})

test('every key that a feature declares is read somewhere, or says itself that it does nothing', () => {
  const { names, texts } = usedWords()
  const forgotten: string[] = []
  let idle = 0
  for (const { pattern, node } of all) {
    if (!node.built || (node.leaf === undefined && node.item?.leaf === undefined)) continue
    if (node.leaf?.idle !== undefined) {
      idle++
      const said = remarks(writing(pattern, sampleOf(node)), known)
      assert.match(said[0]?.message ?? '', /has no effect/, pattern)
      continue
    }
    const [, key = ''] = /([^.[\]*]+)(?:\[\]|\.\*)*$/.exec(pattern) ?? []
    if (!names.has(key) && !texts.has(key) && !texts.has(pattern)) forgotten.push(pattern)
  }
  assert.deepEqual(forgotten, [])
  assert.ok(idle >= 8, String(idle))
})

test('every word that a key may hold is one that code asks for, or that a warning is about', () => {
  const { texts } = usedWords()
  const forgotten = new Set<string>()
  for (const { pattern, node } of all) {
    if (!node.built || node.leaf?.idle !== undefined) continue
    for (const word of node.leaf?.values ?? []) {
      if (typeof word !== 'string' || texts.has(word) || Object.hasOwn(OTHER_WORDS, word)) continue
      forgotten.add(`${pattern}: ${word}`)
    }
  }
  assert.deepEqual([...forgotten], [])
})

test('a 0 that is not what it is in Authelia is refused or spoken of, for every number and duration', async (t) => {
  const rows = readFileSync(join(import.meta.dirname, '../fixtures/authelia/keys.tsv'), 'utf8')
  const silent: string[] = []
  let count = 0
  for (const row of rows.split('\n')) {
    const [pattern = '', kind = ''] = row.split('\t')
    const node = all.find((one) => one.pattern === pattern)?.node
    if (!/^(number|duration)$/.test(kind) || !node?.built || node.leaf === undefined) continue
    count++
    if (node.leaf.idle !== undefined || Object.hasOwn(SAME_ZERO, pattern)) continue
    const said = remarks(writing(pattern, 0), known).some(({ message }) => /^is 0, /.test(message))
    if (said) continue
    const { text } = await load(
      t,
      { 'c.yml': stringify(toPlain(writing(pattern, 0))) },
      { features },
    )
    const path = pattern.replaceAll('[]', '[0]').replaceAll('*', 'free')
    if (!text.includes(` ${path}: `)) silent.push(pattern)
  }
  assert.deepEqual(silent, [])
  assert.ok(count > 25, String(count))
})
