/** A reporter for node's test runner that says which tests did not run, and why: a line each. */
import type { TestEvent } from 'node:test/reporters'

export default async function* skipped(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { skip, todo, name, file } = event.data
    const reason = skip ?? todo
    if (reason === undefined || reason === false) continue
    yield `${file ?? ''}: ${name}: ${typeof reason === 'string' && reason !== '' ? reason : 'no reason given'}\n`
  }
}
