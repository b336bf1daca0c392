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

/** What the thread says to a question. */
export type Reply = { readonly guess: Guess } | { readonly failure: string }

/**
 * How hard a password is to guess: asked of a thread, which is started with the first question and ends when it is idle. It
 * answers one question after the other; those by which a password is set come first.
 */
export interface Guesses {
  /**
   * @param purpose `show`: what is shown while a password is typed, which any client may ask for
   * @throws AppError HASHING_BUSY when too many wait; Error when the thread fails or takes too long
   */
  ask(question: Question, purpose: Purpose): Promise<Guess>
  close(): Promise<void>
}

export type Purpose = 'set' | 'show'

/** How many questions of each purpose wait. */
const MOST_WAITING = { set: 32, show: 8 } as const satisfies Record<Purpose, number>
/** Milliseconds from when the thread begins. What takes longer was made to. */
const ANSWER_WITHIN = 10_000
/** The dictionaries take some 40 MB. */
const IDLE = 60_000

interface Asked {
  readonly question: Question
  readonly answer: PromiseWithResolvers<Guess>
}

export function createGuesses(): Guesses {
  const waiting: Record<Purpose, Asked[]> = { set: [], show: [] }
  let underWay: Asked | undefined
  let worker: Worker | undefined
  let late: NodeJS.Timeout | undefined
  let idle: NodeJS.Timeout | undefined

  /** Ends the thread, and what it works on. The next question starts another one. */
  const end = (error: Error): Promise<unknown> => {
    const ended = worker
    worker = undefined
    finish((answer) => answer.reject(error))
    return ended?.terminate() ?? Promise.resolve()
  }

  function finish(settle: (answer: Asked['answer']) => void): void {
    clearTimeout(late)
    const asked = underWay
    underWay = undefined
    if (asked !== undefined) settle(asked.answer)
    begin()
  }

  function begin(): void {
    if (underWay !== undefined) return
    underWay = waiting.set.shift() ?? waiting.show.shift()
    if (underWay === undefined) {
      rest()
      return
    }
    clearTimeout(idle)
    worker ??= start()
    worker.ref()
    worker.postMessage(underWay.question)
    late = setTimeout(() => void end(new Error('the password policy took too long')), ANSWER_WITHIN)
  }

  function start(): Worker {
    // Beside this file, and in the image's build as much JavaScript as this file is there.
    const url = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url)
    const started = new Worker(url, { name: 'password-policy', stdin: false, env: {} })
    started.on('message', (reply: Reply) => {
      if (worker !== started) return
      finish((answer) => {
        if ('guess' in reply) answer.resolve(reply.guess)
        else answer.reject(new Error(reply.failure))
      })
    })
    const over = (error: Error) => {
      if (worker === started) void end(error)
    }
    started.on('error', over)
    started.on('exit', () => over(new Error('the thread of the password policy ended')))
    return started
  }

  /** An idle thread keeps no process alive, and ends. */
  function rest(): void {
    const resting = worker
    if (resting === undefined) return
    resting.unref()
    clearTimeout(idle)
    idle = setTimeout(() => {
      if (worker === resting && underWay === undefined) void end(new Error('idle'))
    }, IDLE).unref()
  }

  return {
    async ask(question, purpose) {
      const others = waiting[purpose]
      if (others.length >= MOST_WAITING[purpose]) throw new AppError('HASHING_BUSY')
      const answer = Promise.withResolvers<Guess>()
      others.push({ question, answer })
      begin()
      return answer.promise
    },
    async close() {
      clearTimeout(idle)
      const closed = new Error('the password policy is closed')
      for (const { answer } of [...waiting.set.splice(0), ...waiting.show.splice(0)])
        answer.reject(closed)
      await end(closed)
      clearTimeout(idle)
    },
  }
}
