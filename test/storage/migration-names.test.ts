import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOf } from '../../.ci/migrations.ts'
import { migrations } from '../../src/features.ts'

test('holes, doubles and late numbers among the migrations are refused', () => {
  assert.deepEqual(faultsOf(['0001_a', '0002_b', '0003_c'], []), [])
  assert.deepEqual(faultsOf(['0001_a', '0003_c'], [2]), [], 'a number that was given up')
  assert.match(faultsOf(['0001_a', '0003_c'], []).join(), /no migration has the number 0002/)
  assert.match(faultsOf(['0001_a', '0001_b'], []).join(), /0001_a and 0001_b have one number/)
  assert.match(faultsOf(['0001_a', '0002_b', '0003_c'], [2]).join(), /0002_b .* passed already/)
  assert.match(faultsOf(['1_a'], []).join(), /is not called NNNN_what/)
})

test('those of this version have no such fault', () => {
  assert.deepEqual(faultsOf(Object.keys(migrations)), [])
})
