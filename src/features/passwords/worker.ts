/** What runs in a thread of threads.ts. */
import { parentPort } from 'node:worker_threads'
import { lowerOwnPriority } from './priority.ts'
import { shaCrypt } from './sha-crypt.ts'
import type { Reply, Task } from './threads.ts'

async function keyOf(task: Task): Promise<string> {
  switch (task.kind) {
    case 'bcrypt':
      return bcrypt(task)
    case 'sha-crypt':
      return shaCrypt(task)
    default:
      return task satisfies never
  }
}

/** 2a, 2b and 2y are one function here: the faults that told them apart were other programs'. */
async function bcrypt({ password, cost, salt }: Extract<Task, { kind: 'bcrypt' }>) {
  const { hashSync } = await import('bcryptjs')
  const before = `$2b$${String(cost).padStart(2, '0')}$${salt}`
  return hashSync(password, before).slice(before.length)
}

lowerOwnPriority()

parentPort?.on('message', async ({ id, task }: { readonly id: number; readonly task: Task }) => {
  let reply: Reply
  try {
    reply = { id, key: await keyOf(task) }
  } catch (error) {
    reply = { id, failure: error instanceof Error ? error.message : 'failed' }
  }
  parentPort?.postMessage(reply)
})
