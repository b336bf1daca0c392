import { html } from 'ghtml'

/**
 * Draws a QR code as SVG: black on white whatever the page's colours are, for cameras read that one.
 * @returns the markup, by what screen readers say of it
 */
export async function qrCode(text: string): Promise<(label: string) => string> {
  // Loaded when the first code is drawn: the start does without it.
  const { renderSVG } = await import('uqr')
  const svg = renderSVG(text, { ecc: 'M', border: 4, pixelSize: 4 })
  return (label) => svg.replace('<svg ', html`<svg class="qr" role="img" aria-label="${label}" `)
}
