import { readFile, stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { printable } from '../../kernel/printable.ts'

/** Where addresses are, from a file of this machine. Nothing is asked over the network. */
export interface Places {
  /** @returns a function that names the city and the country of an address, or undefined where the file has none */
  load(language: string): Promise<(address: string) => string | undefined>
}

/** Bytes; GeoLite2-City has 60 MB. It is held in memory once a user has looked at the sessions. */
const MAX_FILE = 512 * 1024 * 1024
const MAX_NAME = 60
/** The languages of such files have regions where ours have none. */
const REGIONS: Readonly<Record<string, string>> = { pt: 'pt-BR', zh: 'zh-CN' }

type Lookup = (address: string) => unknown

const nowhere = { load: async () => () => undefined }

/** @param path absolute; undefined: nothing is known of any address */
export function createPlaces(path: string | undefined, log: Pick<Logger, 'warn'>): Places {
  if (path === undefined) return nowhere
  let opening: Promise<Lookup> | undefined
  return {
    async load(language) {
      opening ??= openFile(path).catch((error: unknown) => {
        const problem = error instanceof Error ? error.message : String(error)
        log.warn(
          { file: path, problem },
          'the location database cannot be read; no page names a place',
        )
        return () => undefined
      })
      const lookUp = await opening
      return (address) => placeOf(lookUp, address, language)
    },
  }
}

async function openFile(path: string): Promise<Lookup> {
  if ((await stat(path)).size > MAX_FILE)
    throw new Error(`is larger than ${MAX_FILE / 1024 / 1024} MiB`)
  const [bytes, { Reader }] = await Promise.all([readFile(path), import('mmdb-lib')])
  const reader = new Reader(bytes)
  return (address) => reader.get(address)
}

function placeOf(lookUp: Lookup, address: string, language: string): string | undefined {
  try {
    const found = lookUp(address)
    const names = [nameIn(found, 'city', language), nameIn(found, 'country', language)].filter(
      (name) => name !== undefined,
    )
    return names.length === 0 ? undefined : names.join(', ')
  } catch {
    // No address, or a file that is broken there: the page says the address alone.
    return undefined
  }
}

/** `city.names.de`, or the English name. */
function nameIn(found: unknown, what: string, language: string): string | undefined {
  const names = member(member(found, what), 'names')
  const name = member(names, REGIONS[language] ?? language) ?? member(names, 'en')
  return typeof name === 'string' && name !== '' ? printable(name).slice(0, MAX_NAME) : undefined
}

const member = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined
