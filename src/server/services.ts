/** Everything that the server consists of. A start that fails half-way closes what was opened, and so does its end. */
import { type App, createApp } from '../app.ts'
import { commandsOf } from '../control/commands.ts'
import { socketPath } from '../control/protocol.ts'
import { openControlServer } from '../control/server.ts'
import { bindOperations } from '../kernel/operation.ts'
import { operations as allOperations } from '../operations.ts'
import { forOperations, type Services, services } from '../services/index.ts'
import { openResources, type Setting } from '../services/resources.ts'

/** Disposing of it closes everything. */
export interface Opened extends AsyncDisposable {
  readonly services: Services
  readonly app: App
}

/** @throws OperatorError when a part cannot be opened; nothing is open then */
export async function openServices(setting: Setting): Promise<Opened> {
  await using opened = new AsyncDisposableStack()
  const resources = await openResources(setting, opened)
  const open = await services.open(resources, opened)
  const operations = bindOperations(allOperations, forOperations(open))
  const app = await createApp(open, operations)
  opened.defer(() => app.fastify.close())
  const control = await openControlServer({
    path: socketPath(open.data.path),
    commands: commandsOf(operations),
    log: setting.log,
  })
  opened.defer(() => control.close())

  // From here on the caller owns what is open.
  const all = opened.move()
  return { services: open, app, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
