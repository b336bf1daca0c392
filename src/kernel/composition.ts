/**
 * Opens services one after the other, each from what stands above it: the compiler refuses one that asks for a service below
 * it. The last one that was opened is closed first.
 */

/** What takes the place of a service, given the service and those opened up to there. For tests. */
export type Replacements<All> = {
  readonly [K in keyof All]?: (opened: All[K], all: All) => All[K]
}

export interface Composition<Base, All extends Base> {
  /** A service that has `close` is closed with the whole. `open` gets what stands above. */
  add<const K extends string, T>(
    name: K,
    open: (above: All) => T | Promise<T>,
  ): Composition<Base, All & { readonly [P in K]: T }>
  /** When one cannot be opened, those above it are still in `stack`, which the caller disposes of. */
  open(base: Base, stack: AsyncDisposableStack, replace?: Replacements<All>): Promise<All>
}

/** What a composition opens. */
export type Composed<C> = C extends Composition<infer _Base, infer All> ? All : never

interface Step {
  readonly name: string
  readonly open: (above: never) => unknown
}

export const compose = <Base extends object>(): Composition<Base, Base> => after<Base, Base>([])

function after<Base extends object, All extends Base>(
  steps: readonly Step[],
): Composition<Base, All> {
  return {
    add: (name, open) => after([...steps, { name, open }]),
    async open(base, stack, replace = {}) {
      const opened: Record<string, unknown> = Object.fromEntries(Object.entries(base))
      for (const { name, open } of steps) {
        // As: `add` lets a step ask for nothing but the base and the steps before it.
        const service = await open(opened as never)
        if (isClosable(service)) stack.defer(async () => void (await service.close()))
        // As: `Replacements` names the services of this composition alone.
        const other = (replace as Readonly<Record<string, Replace | undefined>>)[name]
        opened[name] = other === undefined ? service : other(service, opened)
      }
      // As: every step was added with its type.
      return opened as All
    },
  }
}

type Replace = (opened: unknown, all: unknown) => unknown

function isClosable(service: unknown): service is { close(): unknown } {
  return (
    typeof service === 'object' &&
    service !== null &&
    'close' in service &&
    typeof service.close === 'function'
  )
}
