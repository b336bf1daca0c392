/** What sentinels know: which server is the master, and when another one becomes it. */
import type { Redis } from 'ioredis'
import { RedisFault, toFault } from './fault.ts'

export interface MasterAddress {
  readonly host: string
  readonly port: number
}

interface Answer extends MasterAddress {
  /** Counts up with every failover; the sentinel that led it has it first. */
  readonly epoch: number
}

const CHANNEL = '+switch-master'
/** What the slower half of the sentinels gets once the faster one has answered. Milliseconds. */
const GRACE = 60

/**
 * Asks all sentinels, and believes the one with the latest epoch: the others may name, for seconds, a master that was
 * replaced, which takes itself for one as long as it was not told (found by npm run drill:redis). The majority has to have
 * answered, or it may be us who are cut off.
 *
 * @param sentinels clients that are not connected yet; they are closed by the caller
 * @throws RedisFault
 */
export async function findMaster(
  sentinels: readonly Redis[],
  group: string,
): Promise<MasterAddress> {
  const answers: Answer[] = []
  let fault = new RedisFault('LATE', 'no sentinel answers')
  const enough = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  const asked = sentinels.map(async (sentinel) => {
    // What the promise says is often only that the connection is closed.
    let said: unknown
    sentinel.once('error', (error) => {
      said = error
    })
    try {
      await sentinel.connect()
      answers.push(await ask(sentinel, group))
    } catch (error) {
      fault = toFault(said ?? error)
    }
    if (answers.length > sentinels.length / 2) timer ??= setTimeout(enough.resolve, GRACE)
  })
  await Promise.race([Promise.all(asked), enough.promise])
  clearTimeout(timer)
  const [latest] = answers.sort((a, b) => b.epoch - a.epoch)
  if (latest !== undefined && answers.length > sentinels.length / 2) return latest
  throw new RedisFault(
    fault.code,
    `${answers.length} of ${sentinels.length} sentinels answered; the last that did not: ${fault.message}`,
  )
}

async function ask(sentinel: Redis, group: string): Promise<Answer> {
  const [address, about] = await Promise.all([
    // While a failover is under way this is the new one already, and what MASTER says the old one.
    sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', group),
    sentinel.call('SENTINEL', 'MASTER', group),
  ])
  if (!Array.isArray(address) || !Array.isArray(about))
    throw new RedisFault('', `the sentinel knows no ${group}`)
  const [host, port] = address.map(String)
  const fields = about.map(String)
  const epoch = Number(fields[fields.indexOf('config-epoch') + 1])
  return { host: host ?? '', port: Number(port), epoch: Number.isFinite(epoch) ? epoch : 0 }
}

/**
 * Listens to the sentinels: when one says that another server is the master now, the old one may still answer, for
 * seconds, as if it were. Every sentinel is heard, for they do not learn of it at the same moment.
 *
 * The library's own detector prints what goes wrong with a sentinel, and outlives connections that were given up.
 *
 * @param sentinels clients that come back by themselves, not connected yet; they are closed by the caller
 * @param switched the master is another one
 */
export function watchSentinels(
  sentinels: readonly Redis[],
  group: string,
  switched: () => void,
): void {
  for (const sentinel of sentinels) {
    sentinel.on('message', (_channel: string, text: string) => {
      if (text.split(' ', 1)[0] === group) switched()
    })
    // At every connection: what was said while it was away is lost, and asked for when the master is connected to.
    sentinel.on('ready', () => void sentinel.subscribe(CHANNEL).catch(() => {}))
    // One that is away is tried again by itself.
    sentinel.connect().catch(() => {})
  }
}
