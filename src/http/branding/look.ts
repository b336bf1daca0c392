import type { ConfigPath, StartPlace, StartReport } from '../../kernel/feature.ts'
import { type DomainBrandingConfig, isColour } from './config.ts'
import { contrast, READABLE } from './contrast.ts'
import { readPicture, readStylesheet } from './files.ts'

/** The cards of our style, light and dark (client/portal.css). */
const CARDS = { light: '#ffffff', dark: '#1a1f2a' } as const

/** Reads the files of a brand as the server will, and tells what is wrong with them. */
export function lookAtBranding(
  branding: DomainBrandingConfig,
  path: ConfigPath,
  place: StartPlace,
  report: StartReport,
): void {
  const look = (key: 'logo' | 'background' | 'stylesheet', file: string | undefined): void => {
    if (file === undefined) return
    try {
      if (key === 'stylesheet') readStylesheet(place.resolve(file))
      else readPicture(place.resolve(file), key)
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      report.fault([...path, key], `names ${file}, which cannot be used: ${problem}`)
    }
  }
  const { logo, background, stylesheet, accent } = branding
  look('logo', logo)
  look('stylesheet', stylesheet)
  if (background !== undefined && !isColour(background)) look('background', background)
  if (accent === undefined) return
  const hard = Object.entries(CARDS)
    .filter(([, card]) => contrast(accent, card) < READABLE)
    .map(([name]) => name)
  if (hard.length > 0)
    report.warn(
      [...path, 'accent'],
      `${accent} is hard to read as text on the ${hard.join(' and the ')} card (less than ${READABLE}:1); links there take a ${hard.includes('light') ? (hard.length > 1 ? 'nearby' : 'darker') : 'lighter'} colour`,
    )
}
