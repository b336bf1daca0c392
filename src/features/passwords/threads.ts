import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Work in plain JavaScript that would hold up the event loop. Answers are the key as its digest writes it. */
export type Task =
  | {
      readonly kind: 'bcrypt'
      readonly password: string
      /** Binary logarithm of the rounds. */
      readonly cost: number
      /** 22 characters of bcrypt's own base64. */
      readonly salt: string
    }
  | {
      readonly kind: 'sha-crypt'
      readonly variant: 'sha256' | 'sha512'
      readonly password: string
      readonly rounds: number
      readonly salt: string
    }

export type Reply =
  | { readonly id: number; readonly key: string }
  | { readonly id: number; readonly failure: string }

/** A few worker threads, started when they are first needed. They keep no process alive. */
export interface Threads {
  /** @throws Error when its thread ends before the answer, or the threads are closed */
  run(task: Task): Promise<string>
  /** Ends the threads; what they were at fails. */
  close(): Promise<void>
}

interface Thread {
  readonly worker: Worker
  readonly waiting: Map<number, PromiseWithResolvers<string>>
}

/** @param size how many threads at most; tasks beyond it wait in the threads' own queues */
export function createThreads(size: number): Threads {
  const threads = new Set<Thread>()
  let closed = false
  let count = 0

  function start(): Thread {
    // Beside this file, and in the image's build as much JavaScript as this file is there.
    const url = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url)
    const worker = new Worker(url, { name: 'passwords', stdin: false, env: {} })
    const thread: Thread = { worker, waiting: new Map() }
    worker.on('message', (reply: Reply) => {
      const answer = thread.waiting.get(reply.id)
      thread.waiting.delete(reply.id)
      rest(thread)
      if ('key' in reply) answer?.resolve(reply.key)
      else answer?.reject(new Error(reply.failure))
    })
    const end = (error: Error) => {
      threads.delete(thread)
      for (const { reject } of thread.waiting.values()) reject(error)
      thread.waiting.clear()
    }
    worker.on('error', end)
    worker.on('exit', () => end(new Error('a hashing thread ended')))
    threads.add(thread)
    return thread
  }

  /** A thread that works keeps the process alive; an idle one does not. */
  const rest = ({ worker, waiting }: Thread) => (waiting.size === 0 ? worker.unref() : worker.ref())

  function pick(): Thread {
    let best: Thread | undefined
    for (const thread of threads) {
      if (best === undefined || thread.waiting.size < best.waiting.size) best = thread
    }
    if (best === undefined || (best.waiting.size > 0 && threads.size < size)) return start()
    return best
  }

  return {
    async run(task) {
      if (closed) throw new Error('the hashing threads are closed')
      const thread = pick()
      const id = ++count
      const answer = Promise.withResolvers<string>()
      thread.waiting.set(id, answer)
      rest(thread)
      thread.worker.postMessage({ id, task })
      return answer.promise
    },
    async close() {
      closed = true
      await Promise.all([...threads].map(({ worker }) => worker.terminate()))
    },
  }
}
