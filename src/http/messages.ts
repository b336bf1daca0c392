import { durationParts } from '../kernel/duration.ts'
import {
  type Catalogue,
  chosenLanguage,
  directionOf,
  LANGUAGES,
  readCatalogue,
} from './languages.ts'

/** A span of time, said in the language of the text that it stands in. */
export interface Span {
  readonly milliseconds: number
}

/**
 * A person's words: looks a key up in the language that was negotiated and fills in `{name}`s. `{n, plural, one {…} other
 * {…}}` chooses by the number, with the categories of the language; `#` is the number.
 */
export type Translate = (
  key: string,
  values?: Readonly<Record<string, string | number | Span>>,
) => string

export interface Speaker {
  readonly language: string
  readonly direction: 'ltr' | 'rtl'
  readonly t: Translate
}

export interface Messages {
  /** The language that was chosen in this browser, else one that it accepts, else English. */
  negotiate(request: { readonly headers: Asked }): Speaker
}

interface Asked {
  readonly 'accept-language'?: string | undefined
  readonly cookie?: string | undefined
}

/**
 * @param catalogues the features' catalogues by language, merged; `en` has every key
 * @param read the other languages, each when it is first asked for; a key that it lacks is said in English
 */
export function createMessages(
  catalogues: Readonly<Record<string, Catalogue>>,
  read: (language: string) => Catalogue = readCatalogue,
): Messages {
  const english = catalogues['en']
  if (english === undefined) throw new TypeError('the English catalogue is missing')
  const speakers = new Map<string, Speaker>()
  const speaker = (language: string): Speaker => {
    let found = speakers.get(language)
    if (found === undefined) {
      const catalogue = language === 'en' ? english : read(language)
      found = { language, direction: directionOf(language), t: translator(language, catalogue) }
      speakers.set(language, found)
    }
    return found
  }
  const translator = (language: string, catalogue: Catalogue): Translate => {
    const plurals = new Intl.PluralRules(language)
    return (key, values = {}) => {
      const text = catalogue[key] ?? english[key]
      if (text === undefined) throw new TypeError(`no message ${key}`)
      return text
        .replace(PLURAL, (_, name: string, forms: string) => {
          const number = Number(values[name])
          const chosen = formsOf(forms)
          const form = chosen.get(plurals.select(number)) ?? chosen.get('other') ?? ''
          return form.replaceAll('#', String(number))
        })
        .replace(/\{(\w+)\}/g, (_, name: string) => said(values[name] ?? '', language))
    }
  }
  return {
    negotiate({ headers }) {
      const chosen = chosenLanguage(headers.cookie)
      if (chosen !== undefined) return speaker(chosen)
      for (const wanted of wantedLanguages(headers['accept-language'] ?? '')) {
        const language = [wanted, wanted.split('-', 1)[0] ?? ''].find((tag) =>
          Object.hasOwn(LANGUAGES, tag),
        )
        if (language !== undefined) return speaker(language)
      }
      return speaker('en')
    },
  }
}

const PLURAL = /\{(\w+), plural, ((?:\w+ \{[^{}]*\}\s*)+)\}/g

const formsOf = (forms: string): ReadonlyMap<string, string> =>
  new Map(
    [...forms.matchAll(/(\w+) \{([^{}]*)\}/g)].map(([, name = '', text = '']) => [name, text]),
  )

function said(value: string | number | Span, language: string): string {
  if (typeof value !== 'object') return String(value)
  return durationParts(value.milliseconds)
    .map(({ unit, count }) =>
      new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count),
    )
    .join(' ')
}

/** RFC 9110 §12.5.4: language ranges by falling quality; only the first few are looked at. */
function wantedLanguages(header: string): readonly string[] {
  return header
    .slice(0, 512)
    .split(',')
    .slice(0, 16)
    .map((range) => {
      const [tag = '', ...parameters] = range.split(';')
      const q = parameters.map((p) => /^\s*q=([01](?:\.\d+)?)\s*$/.exec(p)?.[1]).find(Boolean)
      return { tag: tag.trim().toLowerCase(), quality: q === undefined ? 1 : Number(q) }
    })
    .filter(({ tag, quality }) => tag !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag)
}
