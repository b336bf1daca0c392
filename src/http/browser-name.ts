import { printable } from '../kernel/printable.ts'

/** What a browser says of itself, in words people know; undefined where it says nothing known. */
export interface BrowserName {
  readonly browser: string | undefined
  readonly system: string | undefined
  /** `desktop`, `mobile`, `tablet`, …: what kind of thing it runs on. */
  readonly device: string | undefined
}

/** As much as is looked at, and as much as is shown of each part. */
const MAX_READ = 256
const MAX_SHOWN = 40

/** Loads the patterns when a user looks at the sessions, and not before. */
export async function loadBrowserNames(): Promise<(userAgent: string) => BrowserName> {
  const { default: bowser } = await import('bowser')
  return (userAgent) => {
    if (userAgent.trim() === '') return { browser: undefined, system: undefined, device: undefined }
    const { browser, os, platform } = bowser.parse(userAgent.slice(0, MAX_READ))
    return {
      browser: shown(browser.name),
      // Versions of systems say more than people know of theirs; the name is enough to tell two apart.
      system: shown(os.name),
      device: shown(platform.type),
    }
  }
}

const shown = (text: string | undefined): string | undefined =>
  text === undefined || text === '' ? undefined : printable(text.slice(0, MAX_SHOWN))
