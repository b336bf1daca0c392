import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areaUnderCurve, judge } from './classify.ts'
import { createRandom } from './random.ts'

test('the area under the curve is 1 for what is always higher, 0 for always lower, and half for what is the same', () => {
  assert.equal(areaUnderCurve([1, 2, 3], [4, 5]), 1)
  assert.equal(areaUnderCurve([4, 5], [1, 2, 3]), 0)
  assert.equal(areaUnderCurve([7, 7], [7, 7, 7]), 0.5)
  assert.equal(areaUnderCurve([1, 3], [2, 4]), 0.75)
})

test('every classifier sees a difference of thirty milliseconds behind a jitter of eighty-five, and none where there is none', () => {
  const random = createRandom(1)
  const list = (shift: number, width: number) =>
    Array.from({ length: 2000 }, () => 250 + shift + random.next() * width)
  for (const { classifier, auc } of judge(list(0, 85), list(30, 85)))
    assert.ok(auc > 0.6, `${classifier} ${auc}`)
  for (const { classifier, auc } of judge(list(0, 85), list(0, 85)))
    assert.ok(auc < 0.55, `${classifier} ${auc}`)
})
