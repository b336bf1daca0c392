/** How a page looks, on a phone and a desktop, in light and dark. */
import assert from 'node:assert/strict'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { screenshot } from './browser.ts'

/** The phone comes last: what a test does next on the page is done on the small screen. */
const LOOKS = (
  [
    ['desktop', { width: 1280, height: 800 }],
    ['phone', { width: 360, height: 740 }],
  ] as const
).flatMap(([size, viewport]) =>
  (['dark', 'light'] as const).map((colorScheme) => ({ size, viewport, colorScheme })),
)

/**
 * Asserts that the page, as it stands, is accessible and no wider than the screen in each look. The page is loaded once:
 * sizes and colours are media queries of its style sheet, which the browser judges anew when they change.
 */
export async function assertLooks(page: Page, name: string): Promise<void> {
  for (const { size, viewport, colorScheme } of LOOKS) {
    const how = `${name}-${size}-${colorScheme}`
    await page.setViewportSize(viewport)
    // Colours that fade in would be measured on their way.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    assert.deepEqual(await faultsOf(page), [], how)
    const wider = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
    assert.equal(wider, false, `${how} is wider than the screen`)
    await screenshot(page, how)
  }
}

/** What axe finds. */
export async function faultsOf(page: Page): Promise<readonly string[]> {
  // Evaluated and not added as a script: the page's own policy would refuse it. Once a document.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe.source)
  // What axe gives.
  const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

/** What the browser complains of, answers of `refused` aside: scripts and styles that the page's policy forbids. */
export function complaintsOf(page: Page, refused = /status of 4/): readonly string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !refused.test(message.text()))
      complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  return complaints
}
