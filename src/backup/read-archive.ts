/**
 * An archive → its files in a folder, or a refusal. Every byte is counted before it is looked at: an archive cannot make this
 * process keep, or write, more than its manifest announced. What is not exactly as the manifest says is refused whole.
 */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs'
import { open, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { createGunzip } from 'node:zlib'
import type { Extract } from 'tar-stream'
import { PRIVATE_MODE } from '../files/private-file.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import type { Secret } from '../kernel/secret.ts'
import { type ArchivedFile, MANIFEST, MAX_MANIFEST, Manifest } from './manifest.ts'

const AGE = 'age-encryption.org/v1'
/** Header and padding of an entry, and what ends the archive. */
const PER_ENTRY = 4096

/**
 * @param folder empty; when this rejects, what is in it is worth nothing
 * @throws OperatorError
 */
export async function readArchive(
  path: string,
  folder: string,
  passphrase: Secret | undefined,
): Promise<Manifest> {
  const isSealed = await beginsWith(path, AGE)
  if (isSealed && passphrase === undefined)
    throw new OperatorError(
      `${path} is encrypted`,
      'give the file that holds its passphrase: --passphrase-file',
    )
  const { extract } = await import('tar-stream')
  const budget = { left: MAX_MANIFEST + 2 * PER_ENTRY }
  const tar = extract()
  const source = createReadStream(path)
  try {
    const plain = isSealed && passphrase ? await opened(source, passphrase) : source
    const [manifest] = await Promise.all([
      takeAll(tar, folder, budget),
      pipeline(plain, createGunzip(), counting(budget), tar),
    ])
    return manifest
  } catch (error) {
    if (error instanceof OperatorError) throw error
    const code = systemCode(error)
    if (['ENOSPC', 'EACCES', 'EDQUOT', 'EROFS'].includes(code))
      throw new OperatorError(`${folder} cannot be written (${code})`, undefined, { cause: error })
    const why = error instanceof Error ? error.message : ''
    throw new OperatorError(
      `${path} is no whole backup: ${why}`,
      `nothing was restored${isSealed ? '; is the passphrase the right one?' : ''}`,
      { cause: error },
    )
  } finally {
    source.destroy()
    tar.destroy()
  }
}

async function beginsWith(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path)
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(text.length), 0, text.length, 0)
      return buffer.toString('latin1', 0, bytesRead) === text
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new OperatorError(`${path} cannot be read (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
}

async function opened(source: Readable, passphrase: Secret): Promise<Readable> {
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase.reveal())
  // The two declarations of one web stream differ in name alone.
  const stream = await decrypter.decrypt(Readable.toWeb(source) as globalThis.ReadableStream)
  return Readable.fromWeb(stream as ReadableStream)
}

const counting = (budget: { left: number }): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      budget.left -= chunk.length
      if (budget.left < 0) done(new Error('it holds more than it says'))
      else done(null, chunk)
    },
  })

type Entry = Extract extends AsyncIterable<infer One> ? One : never

async function takeAll(tar: Extract, folder: string, budget: { left: number }): Promise<Manifest> {
  let manifest: Manifest | undefined
  let taken = 0
  for await (const entry of tar) {
    const { name, type, size = 0 } = entry.header
    if (type !== 'file') throw new Error('it holds something that is no file')
    if (manifest === undefined) {
      if (name !== MANIFEST) throw new Error('it does not begin with its manifest')
      manifest = await manifestIn(entry)
      budget.left += await announced(manifest, folder)
      continue
    }
    const expected = manifest.files[taken++]
    if (expected === undefined || name !== expected.name || size !== expected.size)
      throw new Error('its files are not those of its manifest')
    await take(entry, expected, folder)
  }
  if (manifest === undefined || taken !== manifest.files.length)
    throw new Error('files of its manifest are missing')
  return manifest
}

async function manifestIn(entry: Entry): Promise<Manifest> {
  if ((entry.header.size ?? 0) > MAX_MANIFEST) throw new Error('its manifest is too long')
  const parts: Uint8Array[] = []
  for await (const part of entry) if (part instanceof Uint8Array) parts.push(part)
  const read = Manifest.safeParse(JSON.parse(Buffer.concat(parts).toString('utf8')))
  if (!read.success) throw new Error('its manifest cannot be read by this version')
  return read.data
}

/** How many bytes are to come. */
async function announced({ files }: Manifest, folder: string): Promise<number> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const { bavail, bsize } = await statfs(folder)
  if (bytes > bavail * bsize) throw new Error('it needs more room than the disk has')
  return bytes + (files.length + 4) * PER_ENTRY
}

async function take(entry: Entry, { name, sha256 }: ArchivedFile, folder: string): Promise<void> {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  await pipeline(entry, hashing, createWriteStream(path, { flags: 'wx', mode: PRIVATE_MODE }))
  if (hash.digest('hex') !== sha256) throw new Error(`${name} was altered`)
  const file = await open(path, 'r+')
  await file.sync()
  await file.close()
}
