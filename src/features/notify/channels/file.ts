/** Authelia's file format: one file that holds the last message as text. For trying things out. */
import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../../../kernel/clock.ts'
import { OperatorError, systemCode } from '../../../kernel/operator-error.ts'
import type { Channel } from '../channel.ts'

/** A link at the end of the path is not followed: the folder may be one that others may write to. */
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW

export function createFileChannel({
  path,
  clock,
}: {
  /** Absolute. */
  readonly path: string
  readonly clock: Clock
}): Channel {
  // Two at once would mix their texts.
  let last: Promise<void> = Promise.resolve()
  const write = (text: string): Promise<void> => {
    const next = last.then(() => overwrite(path, text))
    last = next.catch(() => {})
    return next
  }
  return {
    async deliver({ to, title, text }) {
      const head = `Date: ${timeOf(clock.now())}\nRecipient: ${to.address}\nSubject: ${title}\n`
      try {
        await write(`${head}${text}\n\n`)
        return { kind: 'sent' }
      } catch (error) {
        return { kind: 'failed', problem: `${path} cannot be written (${systemCode(error)})` }
      }
    },
    async check() {
      try {
        await write('')
      } catch (error) {
        throw new OperatorError(
          `the file of notifier.filesystem, ${path}, cannot be written (${systemCode(error)})`,
          'see notifier.filesystem.filename, and who owns its folder',
          { cause: error },
        )
      }
    },
  }
}

async function overwrite(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, WRITE, 0o600)
  try {
    // A file that was there keeps its mode otherwise, and it holds codes.
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** As Go prints a time: `2026-01-15 12:00:00 +0000 UTC`. */
const timeOf = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`
