import { after, type TestContext } from 'node:test'

/**
 * What a suite's `before` opens, closed after its last test, newest first. Called in the suite's body: an `after` that is
 * registered inside a hook belongs to the hook.
 */
export function suiteCleanup(): Pick<TestContext, 'after'> {
  const work: (() => unknown)[] = []
  after(async () => {
    for (const one of work.reverse()) await one()
  })
  return {
    // The first overload alone is used: a function of no arguments.
    after: ((one: () => unknown) => void work.push(one)) as TestContext['after'],
  }
}
