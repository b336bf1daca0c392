import { loadBrowserNames } from '../http/browser-name.ts'

const MAX_UNKNOWN = 60

/** @returns what turns a user agent into `Firefox on Linux`, or cuts it when it names neither */
export async function loadBrowserTexts(): Promise<(userAgent: string) => string> {
  const nameOf = await loadBrowserNames()
  return (userAgent) => {
    const { browser, system } = nameOf(userAgent)
    if (browser !== undefined && system !== undefined) return `${browser} on ${system}`
    if (browser !== undefined || system !== undefined) return browser ?? system ?? ''
    return userAgent.length > MAX_UNKNOWN ? `${userAgent.slice(0, MAX_UNKNOWN - 1)}…` : userAgent
  }
}
