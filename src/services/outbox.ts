import { createWebhookRoute, WEBHOOK } from '../features/audit/index.ts'
import { NOTIFICATION, openNotificationRoute } from '../features/notify/index.ts'
import { createOutbox, type Outbox, type Route } from '../features/outbox/index.ts'
import type { Resources } from './resources.ts'

/** Mails and the posts of the webhook. Where none are configured, nothing is opened. */
export async function openOutbox(base: Resources): Promise<Outbox | undefined> {
  const { config } = base
  const section = config['notifier']
  const { webhook } = config['audit']
  const channels: Record<string, Route> = {}
  if (section !== undefined)
    channels[NOTIFICATION] = await openNotificationRoute({ ...base, config: section })
  if (webhook !== undefined) channels[WEBHOOK] = createWebhookRoute({ ...base, ...webhook })
  return Object.keys(channels).length === 0 ? undefined : createOutbox({ ...base, channels })
}
