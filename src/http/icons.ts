import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'
import type { Logger } from 'pino'
import { AppError } from '../kernel/errors.ts'
import type { HeaderSets } from './headers.ts'
import { refuseQuestion } from './misdirected.ts'

/** Pictures of apps, from files that the configuration names (`access_control.rules[].icon`). */
export interface Icons {
  /**
   * The address of a picture below the portal; reads the file the first time, and again once it has changed.
   * @returns undefined when there is no such picture, which is logged once
   */
  urlOf(path: string): string | undefined
  find(name: string): Icon | undefined
}

interface Icon {
  readonly type: string
  readonly bytes: Buffer
}

const TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.ico': 'image/vnd.microsoft.icon',
}
/** More than this is a photograph and no icon. Bytes. */
const MAX_BYTES = 256 * 1024
/** How often a file is looked at again. Milliseconds. */
const LOOK_EVERY = 5_000

export function createIcons(log: Pick<Logger, 'warn'>): Icons {
  const byPath = new Map<string, { url: string | undefined; lookedAt: number; stamp: string }>()
  const byName = new Map<string, Icon>()
  return {
    urlOf(path) {
      const known = byPath.get(path)
      const now = performance.now()
      if (known !== undefined && now - known.lookedAt < LOOK_EVERY) return known.url
      const { stamp, url } = look(path, known, byName, log)
      byPath.set(path, { url, lookedAt: now, stamp })
      return url
    },
    find: (name) => byName.get(name),
  }
}

function look(
  path: string,
  known: { readonly url: string | undefined; readonly stamp: string } | undefined,
  byName: Map<string, Icon>,
  log: Pick<Logger, 'warn'>,
): { stamp: string; url: string | undefined } {
  try {
    const type = TYPES[extname(path).toLowerCase()]
    if (type === undefined) throw new Error(`is none of ${Object.keys(TYPES).join(' ')}`)
    const file = openSync(resolve(path), 'r')
    try {
      const { size, mtimeMs, ino } = fstatSync(file)
      const stamp = `${ino} ${size} ${mtimeMs}`
      if (known?.stamp === stamp) return { stamp, url: known.url }
      if (size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES / 1024} KiB`)
      const bytes = Buffer.alloc(size)
      readSync(file, bytes, 0, size, 0)
      const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
      const name = `${hash}${extname(path).toLowerCase()}`
      byName.set(name, { type, bytes })
      return { stamp, url: `/static/icons/${name}` }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    if (known?.stamp !== problem)
      log.warn({ icon: path, problem }, 'the icon of an app cannot be shown; its initials are')
    return { stamp: problem, url: undefined }
  }
}

export const iconRoutes: FastifyPluginAsync<{
  readonly icons: Icons
  readonly headers: HeaderSets
}> = async (app, { icons, headers }) => {
  app.addHook('onRequest', async (request) => refuseQuestion(request))
  app.get<{ Params: { name: string } }>(
    '/static/icons/:name',
    { config: { guard: 'public' } },
    (request, reply) => {
      const icon = icons.find(request.params.name)
      if (icon === undefined) throw new AppError('NOT_FOUND')
      return reply
        .headers({
          ...headers.base,
          'Content-Type': icon.type,
          'Cache-Control': 'public, max-age=31536000, immutable',
          'Cross-Origin-Resource-Policy': 'same-origin',
          // An SVG that is opened by itself is a page: it runs nothing and loads nothing.
          'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        })
        .send(icon.bytes)
    },
  )
}
