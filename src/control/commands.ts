import { type BoundOperation, forOperator, OPERATOR } from '../kernel/operation.ts'
import type { Command } from './server.ts'

/** The operations as commands of the socket, by name. */
export const commandsOf = (
  operations: readonly BoundOperation[],
): Readonly<Record<string, Command>> =>
  Object.fromEntries(
    operations.map(({ name, execute }) => [
      name,
      (args) => forOperator(() => execute(args, OPERATOR)),
    ]),
  )
