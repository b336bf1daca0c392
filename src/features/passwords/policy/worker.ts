/** What runs in the thread of guesses.ts: dictionaries, and what takes a while with a password made for it. */
import { readFileSync, statSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english } from '@zxcvbn-ts/language-en'
import type { Guess, Question } from './guesses.ts'

/** Past it, more characters cost time and change no score. */
const MAX_LENGTH = 128
const MAX_COMMON_FILE = 16 * 1024 * 1024

let zxcvbn: ZxcvbnFactory | undefined
let list: { readonly stamp: string; readonly entries: ReadonlySet<string> } | undefined

function score(password: string, names: readonly string[]): number {
  zxcvbn ??= new ZxcvbnFactory({
    dictionary: { ...common, ...english },
    graphs: adjacencyGraphs,
    maxLength: MAX_LENGTH,
  })
  return zxcvbn.check(password.slice(0, MAX_LENGTH), [...names]).score
}

/** Read again when the file has changed. */
function isCommon(password: string, path: string): boolean {
  const { mtimeMs, size, ino } = statSync(path)
  if (size > MAX_COMMON_FILE) throw new Error(`${path} is larger than 16 MiB`)
  const stamp = `${path} ${ino} ${size} ${mtimeMs}`
  if (list?.stamp !== stamp) {
    const lines = readFileSync(path, 'utf8').toLowerCase().split(/\r?\n/)
    list = { stamp, entries: new Set(lines.filter((line) => line !== '')) }
  }
  return list.entries.has(password.toLowerCase())
}

parentPort?.on('message', ({ id, question }: { id: number; question: Question }) => {
  const { password, names, commonFile, wantsScore } = question
  try {
    const guess: Guess = {
      score: wantsScore ? score(password, names) : undefined,
      common: commonFile !== undefined && isCommon(password, commonFile),
    }
    parentPort?.postMessage({ id, guess })
  } catch (error) {
    parentPort?.postMessage({ id, failure: error instanceof Error ? error.message : 'failed' })
  }
})
