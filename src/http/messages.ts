/** A person's words: looks a key up in the language that was negotiated and fills in `{name}`s. */
export type Translate = (key: string, values?: Readonly<Record<string, string | number>>) => string

export interface Messages {
  /** The language to speak, by Accept-Language; English when none of the wanted ones is there. */
  negotiate(acceptLanguage: string | undefined): {
    readonly language: string
    readonly t: Translate
  }
}

type Catalogue = Readonly<Record<string, string>>

/**
 * @param catalogues by language, the features' catalogues merged; `en` has every key
 */
export function createMessages(catalogues: Readonly<Record<string, Catalogue>>): Messages {
  const english = catalogues['en'] ?? {}
  const speakers = new Map(
    Object.entries(catalogues).map(([language, catalogue]) => [
      language,
      {
        language,
        t: ((key, values = {}) => {
          const text = catalogue[key] ?? english[key]
          if (text === undefined) throw new TypeError(`no message ${key}`)
          return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
        }) satisfies Translate,
      },
    ]),
  )
  const fallback = speakers.get('en')
  if (fallback === undefined) throw new TypeError('the English catalogue is missing')
  return {
    negotiate(acceptLanguage) {
      for (const wanted of wantedLanguages(acceptLanguage ?? '')) {
        const speaker = speakers.get(wanted) ?? speakers.get(wanted.split('-', 1)[0] ?? '')
        if (speaker !== undefined) return speaker
      }
      return fallback
    },
  }
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
