import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchEach } from '../../src/features/access/criteria.ts'
import {
  indexMethods,
  indexNetworks,
  indexSubjects,
} from '../../src/features/access/criteria-index.ts'
import { indexQueries } from '../../src/features/access/query-index.ts'
import type { Asking } from '../../src/features/access/question.ts'
import { makeRules } from '../../src/features/access/rules.ts'
import { longControls, NETWORKS, queries, subjects } from './arbitraries.ts'

/** Networks of every length, and addresses a bit away from them. */
const networks = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat(32)).map(([base, prefix]) => `${base}/${prefix}`),
  fc.tuple(fc.ipV6(), fc.nat(128)).map(([base, prefix]) => `${base}/${prefix}`),
  fc.ipV4(),
)
const addresses = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('', 'x', '::ffff:10.0.0.1'))

const asking: Asking = {
  subject: { user: 'john', groups: [], clientId: '' },
  isAnonymous: false,
  method: 'GET',
  address: '',
  path: '/',
  query: undefined,
  pathAlone: false,
  text: '/',
}

const isIn = (bits: Int32Array | undefined, index: number): boolean =>
  bits === undefined || ((bits[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0

test('the index of networks holds exactly the rules whose networks hold the address', () => {
  const lists = fc.array(fc.array(networks, { minLength: 1, maxLength: 3 }), { minLength: 1 })
  fc.assert(
    fc.property(lists, addresses, fc.nat(10), fc.nat(127), (written, free, which, bit) => {
      const rules = makeRules(
        written.map((list) => ({ policy: 'deny' as const, networks: list })),
        {},
      )
      const index = indexNetworks(rules)
      // One bit away from the base of a network: outside of it or not, by its length
      const base = rules[which % rules.length]?.networks?.[0]
      const bytes = base?.bytes.map((byte, i) =>
        i === (bit >> 3) % base.bytes.length ? byte ^ (128 >> (bit & 7)) : byte,
      )
      const near =
        base?.version === 4
          ? bytes?.join('.')
          : Array.from({ length: 8 }, (_, i) =>
              (((bytes?.[i * 2] ?? 0) << 8) | (bytes?.[i * 2 + 1] ?? 0)).toString(16),
            ).join(':')
      for (const address of [free, near ?? '', base?.text.split('/')[0] ?? '']) {
        const bits = index?.(address)
        for (const [at, rule] of rules.entries())
          assert.equal(
            isIn(bits, at),
            matchEach(rule, { ...asking, address }).networks !== 'miss',
            `${address} in ${written[at]}`,
          )
      }
    }),
    { numRuns: 3000 },
  )
})

test('the other indexes hold exactly what their criterion lets pass', () => {
  fc.assert(
    fc.property(longControls, subjects, queries, (control, subject, query) => {
      const rules = makeRules(control.rules, NETWORKS)
      const known = subject.user !== '' || subject.groups.length > 0 || subject.clientId !== ''
      const one = { ...asking, subject, isAnonymous: !known, query, method: 'POST' }
      const methods = indexMethods(rules)?.('POST')
      const holders = known ? indexSubjects(rules)?.(subject) : undefined
      const asked = indexQueries(rules)?.(query, { left: Infinity })
      for (const [at, rule] of rules.entries()) {
        const each = matchEach(rule, one)
        assert.equal(isIn(methods, at), each.methods !== 'miss', 'methods')
        assert.equal(isIn(holders, at), each.subject !== 'miss', 'subject')
        assert.equal(isIn(asked, at), each.query !== 'miss', 'query')
      }
    }),
    { numRuns: 500 },
  )
})
