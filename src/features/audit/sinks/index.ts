export { createLogSink } from './log.ts'
export { createTableSink, type TableSink } from './table.ts'
export { createWebhookSink } from './webhook.ts'
