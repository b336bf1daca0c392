/** What runs in the thread of thread.ts: one job at a time, its users handed out a few at a time. */
import { parentPort } from 'node:worker_threads'
import type { Job, Reply } from './thread.ts'
import type { UserRow } from './user-index.ts'
import { changeFile, loadFile } from './work.ts'

/** To take so many keeps the event loop busy for about a millisecond. */
const CHUNK = 200

let rows: readonly UserRow[] = []
let given = 0

async function answer(job: Job): Promise<Reply> {
  switch (job.kind) {
    case 'load': {
      const loaded = await loadFile(job.path, job.known, job.options)
      if (loaded.kind !== 'users') return { kind: 'loaded', loaded }
      rows = loaded.users
      given = 0
      return { kind: 'loaded', loaded: { ...loaded, users: [] } }
    }
    case 'more': {
      const chunk = rows.slice(given, given + CHUNK)
      given += chunk.length
      if (chunk.length === 0) rows = []
      return { kind: 'rows', rows: chunk }
    }
    case 'change':
      return { kind: 'changed', result: await changeFile(job.path, job.job, job.options) }
    default:
      return job satisfies never
  }
}

parentPort?.on('message', async (job: Job) => {
  let reply: Reply
  try {
    reply = await answer(job)
  } catch (error) {
    reply = { kind: 'failed', failure: error instanceof Error ? (error.stack ?? '') : 'failed' }
  }
  parentPort?.postMessage(reply)
})
