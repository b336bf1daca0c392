/** A QR code for a terminal, and as a file: the ending of its name says which kind. */
import { OperatorError } from '../kernel/operator-error.ts'

/** Modules around the code that have to be white (ISO/IEC 18004 §9.1). */
const BORDER = 4
/** Pixels of a module in an image. */
const SCALE = 6
/** What the largest code with this error correction holds (version 40-M). */
const MAX_BYTES = 2331

/** White on black whatever the colours of the terminal are: two rows of modules are one line. */
export async function qrText(content: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr')
  const lines = renderUnicodeCompact(fitting(content), { ecc: 'L', border: 2 }).split('\n')
  return lines.map((line) => `\x1b[97;40m${line}\x1b[0m\n`).join('')
}

/** @throws OperatorError for another ending than .png and .svg */
export async function qrFile(content: string, path: string): Promise<string | Uint8Array> {
  const { encode, renderSVG } = await import('uqr')
  const options = { ecc: 'M', border: BORDER } as const
  if (/\.svg$/i.test(path)) return renderSVG(fitting(content), { ...options, pixelSize: SCALE })
  if (!/\.png$/i.test(path))
    throw new OperatorError(`${path} ends neither in .png nor in .svg`, 'name the file otherwise')
  const { size, data: modules } = encode(fitting(content), options)
  const { encode: encodePng } = await import('fast-png')
  const width = size * SCALE
  const data = new Uint8Array(width * width).fill(255)
  for (const [y, row] of modules.entries())
    for (const [x, isBlack] of row.entries())
      if (isBlack)
        for (let line = 0; line < SCALE; line++)
          data.fill(
            0,
            ((y * SCALE + line) * size + x) * SCALE,
            ((y * SCALE + line) * size + x + 1) * SCALE,
          )
  return encodePng({ width, height: width, data, channels: 1, depth: 8 })
}

function fitting(content: string): string {
  if (Buffer.byteLength(content) <= MAX_BYTES) return content
  throw new OperatorError('name and issuer are too long for a QR code')
}
