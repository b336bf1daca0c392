export { createLogSink } from './log.ts'
export { createTableSink } from './table.ts'
export { createWebhookRoute, createWebhookSink, WEBHOOK } from './webhook.ts'
