/** Where the work on a users file is done: here when the file is small, in a thread of its own when it is large. */
import { extname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { sizeOf } from './disk.ts'
import type { ReadOptions } from './read.ts'
import type { UserRow } from './user-index.ts'
import { type ChangeJob, type ChangeResult, changeFile, type Loaded, loadFile } from './work.ts'

export type Job =
  | {
      readonly kind: 'load'
      readonly path: string
      readonly known: string
      readonly options: ReadOptions
    }
  /** The next users of what was loaded; none: those were all. */
  | { readonly kind: 'more' }
  | {
      readonly kind: 'change'
      readonly path: string
      readonly job: ChangeJob
      readonly options: ReadOptions
    }

export type Reply =
  | { readonly kind: 'loaded'; readonly loaded: Loaded }
  | { readonly kind: 'rows'; readonly rows: readonly UserRow[] }
  | { readonly kind: 'changed'; readonly result: ChangeResult }
  | { readonly kind: 'failed'; readonly failure: string }

/**
 * From this size on, in bytes, a thread does it. YAML's parser takes a tenth of a millisecond a user at most; with some 180
 * bytes each, what stays here holds the event loop for less than ten milliseconds. A thread costs thirty, and memory.
 */
const LARGE = 16 * 1024
/** Sign-ins that make digests anew come one after another; a thread that is not needed again gives its memory back. ms */
const REST = 10_000

/** The work on one file; one job at a time. */
export interface FileWork {
  /** @param take called with the users, a few at a time, other things going on in between */
  load(known: string, take: (row: UserRow) => void): Promise<Loaded>
  change(job: ChangeJob): Promise<ChangeResult>
  close(): Promise<void>
}

const ENDED = 'the thread that reads the users file ended'

/** A thread that is started when it is needed, and stopped when it was not for a while. */
function createThread() {
  let worker: Worker | undefined
  let resting: NodeJS.Timeout | undefined

  function start(): Worker {
    // Beside this file, and in the image's build as much JavaScript as this file is there.
    const url = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url)
    const started = new Worker(url, { name: 'users', stdin: false, env: {} })
    started.once('exit', () => {
      if (worker === started) worker = undefined
    })
    return started
  }

  /** Asks the thread; the process stays for the answer. */
  async function ask(job: Job): Promise<Exclude<Reply, { kind: 'failed' }>> {
    // Another thread would have nothing more to hand out, and the users read so far would pass for all of them.
    if (job.kind === 'more' && worker === undefined) throw new Error(ENDED)
    clearTimeout(resting)
    worker ??= start()
    const thread = worker
    const answer = Promise.withResolvers<Reply>()
    const fail = (error?: unknown) => answer.reject(new Error(ENDED, { cause: error }))
    thread.once('message', answer.resolve)
    thread.once('error', fail)
    thread.once('exit', fail)
    thread.ref()
    thread.postMessage(job)
    try {
      const reply = await answer.promise
      if (reply.kind === 'failed') throw new Error(reply.failure)
      return reply
    } finally {
      thread.off('message', answer.resolve)
      thread.off('error', fail)
      thread.off('exit', fail)
      thread.unref()
      clearTimeout(resting)
      resting = setTimeout(() => void stop(), REST)
      resting.unref()
    }
  }

  async function stop(): Promise<void> {
    clearTimeout(resting)
    const stopped = worker
    worker = undefined
    await stopped?.terminate()
  }

  return { ask, stop }
}

export function createFileWork(path: string, options: ReadOptions): FileWork {
  const { ask, stop } = createThread()

  async function loadThere(known: string, take: (row: UserRow) => void): Promise<Loaded> {
    const reply = await ask({ kind: 'load', path, known, options })
    if (reply.kind !== 'loaded') throw new TypeError(`${reply.kind} is no answer to a load`)
    if (reply.loaded.kind !== 'users') return reply.loaded
    let coming = ask({ kind: 'more' })
    for (;;) {
      const next = await coming
      if (next.kind !== 'rows') throw new TypeError(`${next.kind} is no answer to more`)
      if (next.rows.length === 0) break
      // The thread gets the next ones ready while these are taken.
      coming = ask({ kind: 'more' })
      // Its end may come while nothing waits for it yet: in the next round it is seen.
      coming.catch(() => {})
      for (const row of next.rows) take(row)
      // Messages that have come are handled in one go: requests are answered between two of them.
      await nextTurn()
    }
    // Its heap held every node of the text. The next change starts with a small one.
    await stop()
    return reply.loaded
  }

  const isLarge = async () => (await sizeOf(path)) >= LARGE

  return {
    async load(known, take) {
      if (await isLarge()) return loadThere(known, take)
      const loaded = await loadFile(path, known, options)
      if (loaded.kind === 'users') for (const row of loaded.users) take(row)
      return loaded
    },
    async change(job) {
      if (!(await isLarge())) return changeFile(path, job, options)
      const reply = await ask({ kind: 'change', path, job, options })
      if (reply.kind !== 'changed') throw new TypeError(`${reply.kind} is no answer to a change`)
      return reply.result
    },
    close: stop,
  }
}
