import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { extname } from 'node:path'

/** A picture, as it is sent. */
export interface Picture {
  readonly type: string
  readonly extension: string
  readonly bytes: Buffer
}

/** What a file of each type begins with. SVG is text, and is looked at for its tag. */
const TYPES: Readonly<
  Record<string, { readonly type: string; readonly begins: (bytes: Buffer) => boolean }>
> = {
  '.svg': {
    type: 'image/svg+xml',
    begins: (bytes) => /<svg[\s>]/i.test(bytes.toString('utf8', 0, 4096)),
  },
  '.png': {
    type: 'image/png',
    begins: (bytes) => bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n',
  },
  '.webp': {
    type: 'image/webp',
    begins: (bytes) =>
      bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  },
  '.jpg': { type: 'image/jpeg', begins: (bytes) => bytes.readUIntBE(0, 3) === 0xffd8ff },
  '.jpeg': { type: 'image/jpeg', begins: (bytes) => bytes.readUIntBE(0, 3) === 0xffd8ff },
}

/** Bytes. A logo is also written into pages that cannot load it. */
export const LIMITS = { logo: 64 * 1024, background: 512 * 1024, stylesheet: 32 * 1024 } as const
const LOGO_TYPES = ['.svg', '.png', '.webp']

/** @throws Error with what is wrong, as a sentence goes on after the name of the file */
export function readPicture(path: string, purpose: 'logo' | 'background'): Picture {
  const extension = extname(path).toLowerCase()
  const allowed = purpose === 'logo' ? LOGO_TYPES : Object.keys(TYPES)
  const type = TYPES[extension]
  if (type === undefined || !allowed.includes(extension))
    throw new Error(`is none of ${allowed.join(' ')}`)
  const bytes = readBounded(path, LIMITS[purpose])
  if (bytes.length < 16 || !type.begins(bytes)) throw new Error(`is no ${type.type}`)
  return { type: type.type, extension, bytes }
}

/** @throws Error, as `readPicture` */
export function readStylesheet(path: string): string {
  const text = readBounded(path, LIMITS.stylesheet).toString('utf8')
  // It also stands in pages, between tags.
  if (text.includes('</')) throw new Error('holds "</", which ends a style')
  return text
}

function readBounded(path: string, limit: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new Error('is no file')
    if (stat.size > limit) throw new Error(`is larger than ${limit / 1024} KiB`)
    const bytes = Buffer.alloc(stat.size)
    return bytes.subarray(0, readSync(file, bytes, 0, stat.size, 0))
  } finally {
    closeSync(file)
  }
}
