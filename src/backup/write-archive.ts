/** Files → an archive: tar, gzip, and age where there is a passphrase. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { createGzip } from 'node:zlib'
import { PRIVATE_MODE } from '../files/private-file.ts'
import type { Secret } from '../kernel/secret.ts'
import { type ArchivedFile, MANIFEST, type Manifest } from './manifest.ts'

/** @param folder where the files lie under the names that they have in the archive; nothing changes them meanwhile */
export async function manifestOf(
  folder: string,
  names: readonly string[],
  version: string,
  createdAt: string,
): Promise<Manifest> {
  const files: ArchivedFile[] = []
  for (const name of names) {
    const path = join(folder, name)
    const hash = createHash('sha256')
    await pipeline(createReadStream(path), hash)
    files.push({ name, size: (await stat(path)).size, sha256: hash.digest('hex') })
  }
  return { format: 1, version, createdAt, files }
}

/** @param path of a file that is not there yet; it is on the disk when the promise resolves */
export async function writeArchive(
  path: string,
  folder: string,
  manifest: Manifest,
  passphrase: Secret | undefined,
): Promise<void> {
  const { pack } = await import('tar-stream')
  const tar = pack()
  const mtime = new Date(manifest.createdAt)
  const fill = async () => {
    const text = Buffer.from(JSON.stringify(manifest, null, 2))
    tar.entry({ name: MANIFEST, size: text.length, mode: PRIVATE_MODE, mtime }, text)
    for (const { name, size } of manifest.files) {
      const entry = tar.entry({ name, size, mode: PRIVATE_MODE, mtime })
      await pipeline(createReadStream(join(folder, name)), entry)
    }
    tar.finalize()
  }
  const file = createWriteStream(path, { flags: 'wx', mode: PRIVATE_MODE })
  const zipped = tar.pipe(createGzip())
  tar.once('error', (error) => zipped.destroy(error))
  const filled = fill().catch((error: unknown) => {
    zipped.destroy(error instanceof Error ? error : undefined)
    throw error
  })
  await Promise.all([filled, pipeline(await sealed(zipped, passphrase), file)])
  const written = await open(path, 'r+')
  await written.sync()
  await written.close()
}

async function sealed(plain: Readable, passphrase: Secret | undefined): Promise<Readable> {
  if (passphrase === undefined) return plain
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase.reveal())
  // The two declarations of one web stream differ in name alone.
  const stream = await encrypter.encrypt(Readable.toWeb(plain) as globalThis.ReadableStream)
  return Readable.fromWeb(stream as ReadableStream)
}
