import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccess, type Subject } from '../../src/features/access/index.ts'
import type { AccessControl } from '../../src/features/access/manifest.ts'
import decisions from '../fixtures/access-decisions.json' with { type: 'json' }
import { target } from './rules.ts'

/** The engine takes rule sets that the configuration refuses (rules about no host, bypass with a subject). */
const subjects: Readonly<Record<string, Subject & { readonly address: string }>> =
  decisions.subjects

for (const { name, control, cases } of decisions.suites) {
  test(`${name}: every subject meets the policy that Authelia's rules give`, () => {
    // The JSON's own type is wider: policies and operators are any text in it.
    const written = { default_policy: 'deny', ...control } as unknown as AccessControl
    const access = createAccess(written, {})
    for (const [who = '', method = '', url = '', policy] of cases) {
      const subject = subjects[who]
      assert.ok(subject, who)
      const asked = target(url, { method, address: subject.address })
      assert.equal(access.verdict(subject, asked).policy, policy, `${who} ${method} ${url}`)
      assert.equal(access.explain(subject, asked).verdict.policy, policy, `explain ${who} ${url}`)
    }
  })
}

test('the fixture holds all 196 cases', () => {
  assert.equal(
    decisions.suites.reduce((sum, { cases }) => sum + cases.length, 0),
    196,
  )
})
