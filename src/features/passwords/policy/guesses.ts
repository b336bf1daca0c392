import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { AppError } from '../../../kernel/errors.ts'

export interface Question {
  readonly password: string
  readonly names: readonly string[]
  /** Absolute. */
  readonly commonFile: string | undefined
  readonly wantsScore: boolean
}

export interface Guess {
  /** 0 to 4; undefined when it was not asked for. */
  readonly score: number | undefined
  readonly common: boolean
}

type Reply =
  | { readonly id: number; readonly guess: Guess }
  | { readonly id: number; readonly failure: string }

/** How hard a password is to guess: asked of a thread, which is started with the first question and ends when it is idle. */
export interface Guesses {
  /** @throws AppError HASHING_BUSY when too many wait; Error when the thread fails or takes too long */
  ask(question: Question): Promise<Guess>
  close(): Promise<void>
}

const MOST_WAITING = 32
/** Milliseconds. What takes longer was made to. */
const ANSWER_WITHIN = 10_000
/** The dictionaries take some 40 MB. */
const IDLE = 60_000

export function createGuesses(): Guesses {
  const waiting = new Map<number, PromiseWithResolvers<Guess>>()
  let worker: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  let count = 0

  const end = (error: Error): Promise<unknown> => {
    const ended = worker
    worker = undefined
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    return ended?.terminate() ?? Promise.resolve()
  }

  function start(): Worker {
    // Beside this file, and in the image's build as much JavaScript as this file is there.
    const url = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url)
    const started = new Worker(url, { name: 'password-policy', stdin: false, env: {} })
    started.on('message', (reply: Reply) => {
      const answer = waiting.get(reply.id)
      waiting.delete(reply.id)
      if (waiting.size === 0) rest(started)
      if ('guess' in reply) answer?.resolve(reply.guess)
      else answer?.reject(new Error(reply.failure))
    })
    const over = (error: Error) => {
      if (worker === started) void end(error)
    }
    started.on('error', over)
    started.on('exit', () => over(new Error('the thread of the password policy ended')))
    return started
  }

  /** An idle thread keeps no process alive, and ends. */
  function rest(resting: Worker): void {
    resting.unref()
    clearTimeout(idle)
    idle = setTimeout(() => {
      if (worker === resting && waiting.size === 0) void end(new Error('idle'))
    }, IDLE).unref()
  }

  return {
    async ask(question) {
      if (waiting.size >= MOST_WAITING) throw new AppError('HASHING_BUSY')
      worker ??= start()
      worker.ref()
      clearTimeout(idle)
      const id = ++count
      const answer = Promise.withResolvers<Guess>()
      waiting.set(id, answer)
      worker.postMessage({ id, question })
      const late = setTimeout(
        () => void end(new Error('the password policy took too long')),
        ANSWER_WITHIN,
      )
      try {
        return await answer.promise
      } finally {
        clearTimeout(late)
      }
    },
    async close() {
      clearTimeout(idle)
      await end(new Error('the password policy is closed'))
    },
  }
}
