import { html } from 'ghtml'

/** What the largest code with this error correction holds (ISO/IEC 18004, version 40-M). */
const MAX_BYTES = 2331

/**
 * Draws a QR code as SVG: black on white whatever the page's colours are, for cameras read that one.
 * A text that is too long for one has none: a very long name beside a very long issuer.
 * @returns the markup, by what screen readers say of it
 */
export async function qrCode(text: string): Promise<(label: string) => string> {
  if (Buffer.byteLength(text) > MAX_BYTES) return () => ''
  // Loaded when the first code is drawn: the start does without it.
  const { renderSVG } = await import('uqr')
  const svg = renderSVG(text, { ecc: 'M', border: 4, pixelSize: 4 })
  return (label) => svg.replace('<svg ', html`<svg class="qr" role="img" aria-label="${label}" `)
}
