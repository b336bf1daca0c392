import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { argon2Binding } from '../../src/features/passwords/argon2-binding.ts'

const niceOfMain = (): number =>
  Number(/\) (.*)$/s.exec(readFileSync('/proc/self/stat', 'utf8'))?.[1]?.split(' ')[16])

test('hashing gives way to the event loop: its threads have a lower priority, and the main one has not', {
  skip: process.platform !== 'linux' && 'threads have priorities of their own on Linux alone',
}, async () => {
  const before = niceOfMain()
  await argon2Binding()
  const nice = new Map<string, Set<number>>()
  for (const thread of readdirSync('/proc/self/task')) {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
    // proc(5): the 19th field, the name in parentheses being the second.
    const [, name = '', rest = ''] = /\((.*)\) (.*)$/s.exec(stat) ?? []
    const values = nice.get(name) ?? new Set()
    nice.set(name, values.add(Number(rest.split(' ')[16])))
  }
  // The tests themselves may run at any priority.
  assert.deepEqual([...(nice.get('libuv-worker') ?? [])], [Math.max(10, before)])
  assert.equal(niceOfMain(), before)
})
