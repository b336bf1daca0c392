import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'

/** `SHA1:COUNT` and CRLF have 40, 1, up to 11 and 2 bytes; from any byte on, so much holds the next line's hash. */
const SPAN = 128
const HASH = 40
const LINE = /^[0-9A-F]{40}(?=[:\r\n]|$)/

/**
 * Whether a password is in a file in the sorted form of "Pwned Passwords". A few dozen reads by binary search, whatever the
 * size of the file; opened for each question, so that a new file can take its place.
 * @throws Error when the file cannot be read or is not of this form
 */
export async function isBreached(path: string, password: string): Promise<boolean> {
  const wanted = createHash('sha1').update(password).digest('hex').toUpperCase()
  const file = await open(path, 'r')
  try {
    let low = 0
    let high = (await file.stat()).size
    // The line, if there is one, begins within [low, high).
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const line = await lineFrom(file, middle)
      if (line === undefined || line.start >= high) high = middle
      else if (line.hash === wanted) return true
      else if (line.hash < wanted) low = line.start + HASH
      else high = middle
    }
    return false
  } finally {
    await file.close()
  }
}

/** The first line that begins at this byte or later. @returns undefined when none does */
async function lineFrom(
  file: FileHandle,
  at: number,
): Promise<{ readonly start: number; readonly hash: string } | undefined> {
  const from = Math.max(0, at - 1)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SPAN), 0, SPAN, from)
  const text = buffer.toString('latin1', 0, bytesRead)
  const skip = at === 0 ? 0 : text.indexOf('\n') + 1
  if (at > 0 && skip === 0) {
    if (bytesRead < SPAN) return undefined
    throw new Error('it has a line that is too long for SHA1:COUNT')
  }
  const rest = text.slice(skip).toUpperCase()
  if (rest.trim() === '' && bytesRead < SPAN) return undefined
  const hash = LINE.exec(rest)?.[0]
  if (hash === undefined) throw new Error('it has a line that is not SHA1:COUNT')
  return { start: from + skip, hash }
}
