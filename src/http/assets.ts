import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { HeaderSets } from './headers.ts'
import { refuseQuestion } from './misdirected.ts'

/** One file of the portal, named by its content, so that browsers keep it for good. */
export interface Asset {
  readonly url: string
  readonly type: string
  readonly text: string
  /** `'sha256-…'`, as a Content-Security-Policy names an inline style. */
  readonly csp: string
}

/** A picture of a brand, named by its content. */
export interface FileAsset {
  readonly url: string
  readonly type: string
  readonly bytes: Buffer
}

/** The portal's script, from beside this file. */
export const loadScript = (): Asset =>
  asset(
    'portal.js',
    'text/javascript; charset=utf-8',
    // One file for all pages: browsers keep it, and a second request costs more than its bytes.
    read('portal.js') + read('webauthn.js'),
  )

/** The portal's style, from beside this file, and what a brand adds to it. */
export const styleAsset = (added: string): Asset =>
  asset('portal.css', 'text/css; charset=utf-8', read('portal.css') + added)

export function fileAsset(
  stem: string,
  {
    type,
    extension,
    bytes,
  }: { readonly type: string; readonly extension: string; readonly bytes: Buffer },
): FileAsset {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  return { url: `/static/${stem}.${hash}${extension}`, type, bytes }
}

const read = (name: string): string =>
  readFileSync(new URL(`client/${name}`, import.meta.url), 'utf8')

function asset(name: string, type: string, text: string): Asset {
  const hash = createHash('sha256').update(text).digest()
  const [stem, extension] = name.split('.')
  return {
    url: `/static/${stem}.${hash.toString('hex').slice(0, 16)}.${extension}`,
    type,
    text,
    csp: `'sha256-${hash.toString('base64')}'`,
  }
}

/** What browsers ask for under a fixed name, whatever a page says. */
const FIXED = [
  ['/favicon.ico', 'favicon.ico', 'image/vnd.microsoft.icon'],
  ['/apple-touch-icon.png', 'touch-icon.png', 'image/png'],
] as const

/** Serves the assets: immutable, compressed once, br before gzip. */
export const assetRoutes: FastifyPluginAsync<{
  readonly assets: readonly (Asset | FileAsset)[]
  readonly headers: HeaderSets
}> = async (app, { assets, headers }) => {
  app.addHook('onRequest', async (request) => refuseQuestion(request))
  for (const [url, name, type] of FIXED) {
    const bytes = readFileSync(new URL(`client/${name}`, import.meta.url))
    app.get(url, { config: { guard: 'public' } }, (_request, reply) =>
      reply
        .headers({
          ...headers.base,
          'Content-Type': type,
          'Cache-Control': 'public, max-age=86400',
          'Cross-Origin-Resource-Policy': 'same-origin',
        })
        .send(bytes),
    )
  }
  for (const one of assets) {
    if ('bytes' in one) pictureRoute(app, one, headers)
    else textRoute(app, one, headers)
  }
}

/** An SVG that is opened by itself is a page: it runs nothing and loads nothing. */
const PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

function pictureRoute(
  app: FastifyInstance,
  { url, type, bytes }: FileAsset,
  headers: HeaderSets,
): void {
  app.get(url, { config: { guard: 'public' } }, (_request, reply) =>
    reply
      .headers({
        ...headers.base,
        ...kept(type),
        'Content-Security-Policy': PICTURE_POLICY,
      })
      .send(bytes),
  )
}

const kept = (type: string): Readonly<Record<string, string>> => ({
  'Content-Type': type,
  'Cache-Control': 'public, max-age=31536000, immutable',
  'Cross-Origin-Resource-Policy': 'same-origin',
})

function textRoute(app: FastifyInstance, { url, type, text }: Asset, headers: HeaderSets): void {
  const plain = Buffer.from(text)
  const packed = new Map<string, Buffer>()
  const pack = (encoding: 'br' | 'gzip'): Buffer => {
    let bytes = packed.get(encoding)
    if (bytes === undefined) {
      bytes =
        encoding === 'br'
          ? brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
          : gzipSync(plain, { level: 9 })
      packed.set(encoding, bytes)
    }
    return bytes
  }
  app.get(url, { config: { guard: 'public' } }, (request, reply) => {
    const accepted = request.headers['accept-encoding'] ?? ''
    const encoding = /\bbr\b/.test(accepted) ? 'br' : /\bgzip\b/.test(accepted) ? 'gzip' : undefined
    reply
      .headers({
        ...headers.base,
        ...kept(type),
        Vary: 'Accept-Encoding',
        ...(encoding !== undefined && { 'Content-Encoding': encoding }),
      })
      .send(encoding === undefined ? plain : pack(encoding))
  })
}
