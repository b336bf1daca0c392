import { resolve } from 'node:path'
import { type Asset, type FileAsset, fileAsset, styleAsset } from './assets.ts'
import { type BrandingConfig, type DomainBrandingConfig, isColour } from './branding/config.ts'
import { inkOn, readableOn } from './branding/contrast.ts'
import { type Picture, readPicture, readStylesheet } from './branding/files.ts'

/** What the pages of a cookie domain look like. */
export interface Brand {
  readonly title: string
  readonly style: Asset
  /** The same without files of ours, for pages that leave at another origin. */
  readonly inlineStyle: Asset
  /** Undefined: our mark. */
  readonly logo: { readonly url: string; readonly inline: string } | undefined
  readonly links: readonly { readonly title: string; readonly url: string }[]
}

export interface Brands {
  /** The brand of a cookie domain; that of all domains for one without its own, and for none. */
  of(domain: string | undefined): Brand
  /** Everything that is served for them. */
  readonly files: readonly (Asset | FileAsset)[]
}

/** The grounds of links in our style, the harder one of card and page each (client/portal.css). */
const GROUNDS = { light: '#eef1f6', dark: '#1a1f2a' } as const

/**
 * Reads the files of all brands. The start has looked at them already; one that has gone meanwhile is an error.
 * @param domains what `session.cookies` says of each domain that has a brand of its own
 */
export function createBrands(
  branding: BrandingConfig,
  domains: ReadonlyMap<string, DomainBrandingConfig> = new Map(),
): Brands {
  const files = new Map<string, Asset | FileAsset>()
  const serve = <T extends Asset | FileAsset>(file: T): T => {
    files.set(file.url, file)
    return file
  }
  const shared = makeBrand(branding, serve)
  const own = new Map(
    [...domains].map(([domain, given]) => [
      domain,
      makeBrand({ ...branding, ...given, title: given.title ?? branding.title }, serve),
    ]),
  )
  return {
    of: (domain) => (domain === undefined ? undefined : own.get(domain)) ?? shared,
    files: [...files.values()],
  }
}

function makeBrand(
  { title, accent, background, logo, stylesheet, links = [] }: BrandingConfig,
  serve: <T extends Asset | FileAsset>(file: T) => T,
): Brand {
  const colours = accent === undefined ? '' : accented(accent)
  const custom = stylesheet === undefined ? '' : `\n${readStylesheet(resolve(stylesheet))}\n`
  const ground = background === undefined ? '' : isColour(background) ? plain(background) : ''
  const scene =
    background === undefined || isColour(background)
      ? ''
      : pictured(serve(fileAsset('background', readPicture(resolve(background), 'background'))))
  const picture = logo === undefined ? undefined : readPicture(resolve(logo), 'logo')
  return {
    title,
    style: serve(styleAsset(colours + ground + scene + custom)),
    inlineStyle: styleAsset(colours + ground + custom),
    logo:
      picture === undefined
        ? undefined
        : { url: serve(fileAsset('logo', picture)).url, inline: dataUrl(picture) },
    links,
  }
}

const dataUrl = ({ type, bytes }: Picture): string =>
  `data:${type};base64,${bytes.toString('base64')}`

/** The colour of a brand in light and dark alike; links in it as far as they can be read. */
function accented(accent: string): string {
  const light = readableOn(accent, GROUNDS.light)
  const dark = readableOn(accent, GROUNDS.dark)
  return `:root{--accent:${accent};--accent-strong:${accent};--on-accent:${inkOn(accent)};--link:${light}}
@supports (color: light-dark(#000, #fff)){:root{--link:light-dark(${light},${dark})}}
`
}

const plain = (colour: string): string =>
  `:root{--behind:${colour};--on-behind:${inkOn(colour)};--link-behind:${inkOn(colour)}}\n`

/** The foot of the page stands on a ground of its own: text on a picture may be hard to read. */
const pictured = ({ url }: FileAsset): string =>
  // Beside the style, so that it needs no base path.
  `body{background:var(--behind) url("${url.slice(url.lastIndexOf('/') + 1)}") center/cover fixed}
.foot{background:var(--card);color:var(--soft);border-radius:9px;padding:10px 16px}
`
