import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { withFeatures } from '../../.ci/architecture.ts'
import { cite } from '../../.ci/citations.ts'
import { checkRequirements } from '../../.ci/requirements.ts'

const HERE = 'docs/pages.test.ts'
/** As the test below is called: names are read where they are written out. */
const NAME = 'the line of a test that moved is corrected'

suite('a page', () => {
  test('the line of a test that moved is corrected', () => {
    const right = `- [${HERE}](../test/${HERE}): ${NAME}`
    for (const line of [`- ?: ${NAME}`, `- [a.test.ts](../test/a.test.ts): ${NAME}`, right])
      assert.deepEqual(cite('docs/x.md', line), { text: right, faults: [] })
  })

  test('that names no test is told, with the nearest', () => {
    const { faults } = cite('docs/x.md', `- ?: ${NAME}!`)
    assert.equal(faults.length, 1)
    assert.ok(faults[0]?.includes(`the nearest is "${NAME}"`), faults[0])
  })

  test('has the file of a name corrected, and a name that is gone told', () => {
    const { text, faults } = cite('docs/x.md', '[`requireGuard`](../src/gone.ts)')
    assert.equal(text, '[`requireGuard`](../src/http/guard.ts)')
    assert.deepEqual(faults, [])
    assert.equal(cite('docs/x.md', '[`requireNothing`](../src/http/guard.ts)').faults.length, 1)
  })

  test('with a link or a path that leads nowhere is told', () => {
    assert.equal(cite('docs/x.md', '[a](gone.md)').faults.length, 1)
    assert.equal(cite('docs/x.md', 'see `src/gone.ts`').faults.length, 1)
    assert.equal(cite('docs/x.md', '[a](glossary.md#gone)').faults.length, 1)
    assert.deepEqual(cite('docs/x.md', '## Of "it", all\n[a](#of-it-all)').faults, [])
    assert.deepEqual(cite('README.md', '[a](docs/glossary.md#rules) `src/main.ts`').faults, [])
  })

  test('of the architecture has all features, whatever stood there', () => {
    const page = readFileSync('docs/architecture.md', 'utf8')
    const emptied = page.replace(/(<!-- features: .*? -->).*(<!-- \/features -->)/s, '$1$2')
    assert.notEqual(emptied, page)
    assert.equal(withFeatures(emptied), withFeatures(page))
    assert.match(withFeatures(emptied), /sessions --> users/)
  })
})

suite('the requirements', () => {
  const page = readFileSync('docs/requirements.md', 'utf8')

  test('are whole', () => assert.deepEqual(checkRequirements(page), []))

  test('with a built one without a test are told', () => {
    const cut = page.replace(/(?<=^## 38 .*)^- .*?\n/gms, '')
    assert.deepEqual(checkRequirements(cut), [
      'docs/requirements.md: requirement 38 is built and names no test',
    ])
  })

  test('that lack a number which code cites are told', () => {
    const faults = checkRequirements(page.replace(/^## 20 /m, '## 200 '))
    assert.ok(faults.some((fault) => fault.includes('src/http/headers.ts cites requirement 20')))
  })

  test('that lack an advisory which code cites are told', () => {
    const faults = checkRequirements(page.replace(/^\| 46 /m, '| 460 '))
    assert.ok(faults.some((fault) => fault.includes('test/http/peers.test.ts cites advisory 46')))
  })
})

suite('the glossary', () => {
  const GLOSSARY = [
    '| Word | Means | Not |',
    '|---|---|---|',
    '| request context | … | `visit` |',
    '| connection | … | `link` in `src/storage` |',
    'Not in comments and texts: "whoever".',
  ].join('\n')

  const check = (
    t: TestContext,
    files: Readonly<Record<string, string>>,
    budget: unknown = { names: {}, comments: {}, texts: {} },
    ...flags: readonly string[]
  ) => {
    const folder = mkdtempSync(join(tmpdir(), 'glossary-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const all = {
      'docs/glossary.md': GLOSSARY,
      '.ci/glossary-budget.json': JSON.stringify(budget),
      ...files,
    }
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const script = resolve('.ci/glossary.ts')
    return spawnSync(process.execPath, [script, ...flags], { cwd: folder, encoding: 'utf8' })
  }

  test('forbids its synonyms in names of files and declarations, in part too', (t) => {
    for (const [path, text] of [
      ['src/http/visit.ts', ''],
      ['src/http/a.ts', 'export const readVisit = 1'],
      ['src/http/a.ts', 'interface A { readonly VISIT_COUNT: number }'],
      ['src/http/a.ts', 'const f = ({ visit }: { visit?: 1 }) => visit'],
      ['src/storage/a.ts', 'type RedisLink = 1'],
    ] as const) {
      const { status, stderr } = check(t, { [path]: text })
      assert.equal(status, 1, `${path} ${text}`)
      assert.ok(stderr.includes(path), stderr)
    }
  })

  test('leaves other names, other folders and texts alone', (t) => {
    const text = "const link = 'visit' // the visitor\nexport const revisited = link"
    const { status, stderr } = check(t, { 'src/http/a.ts': text })
    assert.equal(status, 0, stderr)
  })

  test('forbids phrases in comments, each at its line', (t) => {
    const { status, stderr } = check(t, {
      'src/http/a.ts':
        "const a = '// the user'\n/**\n * For\n * whoever asks.\n */\nexport const b = a",
    })
    assert.equal(status, 1)
    assert.match(stderr, /a\.ts:4 says "whoever" in comments/)
    assert.match(stderr, /1 comments/)
  })

  test('forbids phrases in texts, parts of templates and messages, each at its line', (t) => {
    const { status, stderr } = check(t, {
      'src/http/a.ts': "export const a = [\n'// whoever',\n`$" + '{1}\nwhoever`,\n]',
      'src/features/login/messages/en.json': '{\n"a": "Whoever you are"\n}',
    })
    assert.equal(status, 1)
    for (const line of ['a.ts:2', 'a.ts:4', 'en.json:2'])
      assert.ok(new RegExp(`${line} says "whoever" in texts`, 'i').test(stderr), stderr)
    assert.match(stderr, /2 texts/)
  })

  test('lets what is budgeted stand, and no budget rise', (t) => {
    const files = { 'src/http/visit.ts': 'export const visit = 1' }
    assert.equal(check(t, files, { names: { 'src/http': 2 }, comments: {}, texts: {} }).status, 0)
    assert.equal(check(t, files, { names: { 'src/http': 1 }, comments: {}, texts: {} }).status, 1)
    assert.equal(
      check(t, files, { names: { src: 1 }, comments: {}, texts: {} }, '--update').status,
      1,
    )
    assert.equal(
      check(t, files, { names: { src: 2 }, comments: {}, texts: {} }, '--update').status,
      0,
    )
  })
})
