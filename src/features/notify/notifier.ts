import { resolve } from 'node:path'
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import type { Outbox, Outcome, Route } from '../outbox/index.ts'
import { isMailAddress } from './addresses.ts'
import type { Channel } from './channel.ts'
import type { NotifierConfig } from './manifest.ts'
import type { Notification } from './notification.ts'
import type { Templates } from './templates/index.ts'

/** Tells users. */
export interface Notifier {
  /**
   * Takes a message; it leaves by itself, as soon as it can. No request waits for the mail server.
   * @returns whether it is kept: true once it is in the database, false (and a line in the log) when it could not be. Never
   * rejects, so that a caller that does not need to know need not wait.
   */
  send(notification: Notification): Promise<boolean>
}

interface Place {
  readonly config: NotifierConfig
  /** What relative paths are relative to. */
  readonly cwd: string
  /** Certificates that are trusted, all of them; undefined: Node's. */
  readonly trusted: readonly string[] | undefined
  readonly clock: Clock
}

/** The channel of the outbox. */
export const NOTIFICATION = 'notification'
const PARALLEL = 4
const DAY = 86_400_000

/**
 * How mails leave the outbox. Tries the mail server or the file, unless the configuration says not to.
 * @throws OperatorError when it cannot be used
 */
export async function openNotificationRoute(place: Place): Promise<Route> {
  const channel = await openChannel(place)
  if (!place.config.disable_startup_check) await channel.check()
  return { deliver: delivery(channel, place), parallel: PARALLEL }
}

export interface NotifierOptions {
  /** With the channel `NOTIFICATION`. */
  readonly outbox: Pick<Outbox, 'add'>
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'error'>
}

export function createNotifier({ outbox, clock, log }: NotifierOptions): Notifier {
  return {
    async send(notification) {
      const { kind, to, expiresAt } = notification
      if (!isMailAddress(to.address)) {
        log.error({ kind }, 'a message was not sent: the user has no usable mail address')
        return false
      }
      try {
        await outbox.add({
          channel: NOTIFICATION,
          kind,
          payload: JSON.stringify(notification),
          // A time plus a duration is a time; arithmetic drops the brand.
          expiresAt: expiresAt ?? ((clock.now() + DAY) as EpochMs),
        })
        return true
      } catch (error) {
        log.error({ err: error, kind }, 'a message was not sent: it could not be stored')
        return false
      }
    },
  }
}

/** Sends one message at once, without the outbox: for trying the configuration. */
export async function sendNow(
  place: Place,
  notification: Notification,
  id: string,
): Promise<Outcome> {
  const channel = await openChannel(place)
  await channel.check()
  const limit = AbortSignal.timeout(60_000)
  return delivery(channel, place)(JSON.stringify(notification), id, limit)
}

function delivery(channel: Channel, { config, cwd }: Place) {
  const folder = config.template_path
  let read: Templates | undefined
  return async (payload: string, id: string, signal: AbortSignal): Promise<Outcome> => {
    const { composeMail, readTemplates } = await import('./templates/index.ts')
    // With the first mail. That all of them can be used was seen at the start.
    read ??= readTemplates(folder === undefined ? undefined : resolve(cwd, folder)).templates
    const templates = read
    // Written by `send` alone, and sealed since.
    const notification = JSON.parse(payload) as Notification
    return channel.deliver(composeMail(notification, templates, id), signal)
  }
}

async function openChannel({ config, cwd, trusted, clock }: Place): Promise<Channel> {
  const { createFileChannel, createSmtpChannel } = await import('./channels/index.ts')
  const { filesystem, smtp } = config
  if (filesystem !== undefined)
    return createFileChannel({ path: resolve(cwd, filesystem.filename), clock })
  if (smtp === undefined) throw new TypeError('the configuration was checked: there is a channel')
  return createSmtpChannel({ config: smtp, trusted })
}
