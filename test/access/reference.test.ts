import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAccess } from '../../src/features/access/index.ts'
import { isCanonical, readPath } from '../../src/features/access/readings.ts'
import { controls, NETWORKS, paths, subjects, targets } from './arbitraries.ts'
import { referenceReadings, referenceVerdict } from './reference.ts'

test('the engine and the naive reading of the text agree on every verdict', () => {
  fc.assert(
    fc.property(controls, subjects, targets, (control, subject, target) => {
      const { refusal, ...verdict } = createAccess(control, NETWORKS).verdict(subject, target)
      assert.deepEqual(verdict, referenceVerdict(control, NETWORKS, subject, target))
      assert.equal(refusal !== undefined, verdict.readings === 0)
    }),
    { numRuns: 3000 },
  )
})

test('an explanation comes to the same verdict as the engine, and names the rule that decides', () => {
  fc.assert(
    fc.property(controls, subjects, targets, (control, subject, target) => {
      const access = createAccess(control, NETWORKS)
      const verdict = access.verdict(subject, target)
      const explanation = access.explain(subject, target)
      assert.deepEqual(explanation.verdict, verdict)
      if (verdict.refusal !== undefined) return
      const first = explanation.rules.find((rule) => rule.verdict !== 'miss')
      assert.equal(first?.index, verdict.rule)
      assert.equal(explanation.askings[explanation.deciding]?.rule ?? undefined, verdict.rule)
      assert.deepEqual(JSON.parse(JSON.stringify(explanation.rules)), explanation.rules)
    }),
    { numRuns: 1000 },
  )
})

test('a path is read in the same ways by the engine and by the naive reading of the text', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const readings = readPath(path)
      const expected = referenceReadings(path)
      if ('refusal' in readings) assert.equal(expected, undefined)
      else assert.deepEqual(new Set(readings.paths), new Set(expected))
    }),
    { numRuns: 5000 },
  )
})

test('a path that passes as canonical has one reading: itself', () => {
  fc.assert(
    fc.property(paths, (path) => {
      if (isCanonical(path)) assert.deepEqual(readPath(path), { paths: [path] })
    }),
    { numRuns: 3000 },
  )
})
