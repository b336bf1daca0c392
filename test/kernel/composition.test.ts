import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compose } from '../../src/kernel/composition.ts'

/** A service that writes down when it is closed. */
const service = (name: string, closed: string[]) => ({ name, close: () => void closed.push(name) })

test('each service gets those above it, and the last that was opened is closed first', async () => {
  const closed: string[] = []
  const stack = new AsyncDisposableStack()
  const all = await compose<{ readonly prefix: string }>()
    .add('first', ({ prefix }) => service(`${prefix}1`, closed))
    .add('missing', () => undefined)
    .add('second', async ({ first }) => service(`${first.name}+2`, closed))
    .open({ prefix: 'a' }, stack)
  assert.deepEqual([all.first.name, all.missing, all.second.name], ['a1', undefined, 'a1+2'])
  await stack.disposeAsync()
  assert.deepEqual(closed, ['a1+2', 'a1'])
})

test('when one cannot be opened, those above it are left to be closed', async () => {
  const closed: string[] = []
  const stack = new AsyncDisposableStack()
  const broken = compose<object>()
    .add('first', () => service('1', closed))
    .add('second', () => Promise.reject(new Error('no room')))
    .add('third', () => service('3', closed))
  await assert.rejects(broken.open({}, stack), /no room/)
  await stack.disposeAsync()
  assert.deepEqual(closed, ['1'])
})

test('what takes the place of a service is what the next ones get; the service itself is closed', async () => {
  const closed: string[] = []
  const stack = new AsyncDisposableStack()
  const all = await compose<object>()
    .add('first', () => service('1', closed))
    .add('second', ({ first }) => first.name)
    .open({}, stack, { first: ({ close }) => ({ name: 'another', close }) })
  assert.equal(all.second, 'another')
  await stack.disposeAsync()
  assert.deepEqual(closed, ['1'])
})
