import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { FastifyPluginAsync } from 'fastify'
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

export interface Assets {
  readonly style: Asset
  readonly script: Asset
}

/**
 * Reads the portal's style and script from beside this file.
 * @param accent a CSS colour that the configuration has checked, or undefined for the style's own
 */
export function loadAssets(accent: string | undefined): Assets {
  const style = read('portal.css')
  return {
    style: asset(
      'portal.css',
      'text/css; charset=utf-8',
      accent === undefined ? style : `${style}${accented(accent)}`,
    ),
    script: asset(
      'portal.js',
      'text/javascript; charset=utf-8',
      // One file for all pages: browsers keep it, and a second request costs more than its bytes.
      read('portal.js') + read('webauthn.js'),
    ),
  }
}

/** The colour of a brand in light and dark alike, and on it the one of black and white that is easier to read. */
function accented(accent: string): string {
  const ink = luminance(accent) > 0.18 ? '#10152a' : '#fff'
  return `:root{--accent:${accent};--accent-strong:${accent};--on-accent:${ink}}\n`
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const digits = hex.slice(1)
  const pairs =
    digits.length === 3 ? [...digits].map((digit) => digit + digit) : digits.match(/../g)
  const [r = 0, g = 0, b = 0] = (pairs ?? []).map((pair) => {
    const part = Number.parseInt(pair, 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
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
  readonly assets: Assets
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
  for (const { url, type, text } of [assets.style, assets.script]) {
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
      const encoding = /\bbr\b/.test(accepted)
        ? 'br'
        : /\bgzip\b/.test(accepted)
          ? 'gzip'
          : undefined
      reply
        .headers({
          ...headers.base,
          'Content-Type': type,
          'Cache-Control': 'public, max-age=31536000, immutable',
          'Cross-Origin-Resource-Policy': 'same-origin',
          Vary: 'Accept-Encoding',
          ...(encoding !== undefined && { 'Content-Encoding': encoding }),
        })
        .send(encoding === undefined ? plain : pack(encoding))
    })
  }
}
