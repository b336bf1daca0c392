import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const EXECUTABLE = spawnSync('sh', ['-c', 'command -v chromium || command -v chromium-browser'])
  .stdout.toString()
  .trim()

/** Why tests that need Chromium can't run here; undefined when they can. */
export const noBrowser: string | undefined =
  EXECUTABLE === '' ? 'chromium is not installed' : undefined

const LAUNCH = {
  executablePath: EXECUTABLE,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
}

/**
 * One real Chromium until the test ends.
 * @param args besides ours: `--host-resolver-rules=MAP * 127.0.0.1:8443` makes every https address this machine's
 */
export async function startBrowser(
  t: Pick<TestContext, 'after'>,
  args: readonly string[] = [],
): Promise<Browser> {
  const browser = await chromium.launch({ ...LAUNCH, args: [...LAUNCH.args, ...args] })
  t.after(() => browser.close())
  return browser
}

/** A browser of its own whose owner has turned cookies off in the settings. */
export async function openPageWithoutCookies(t: Pick<TestContext, 'after'>): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'vestibule-profile-'))
  mkdirSync(join(profile, 'Default'))
  const BLOCK = 2
  writeFileSync(
    join(profile, 'Default', 'Preferences'),
    JSON.stringify({ profile: { default_content_setting_values: { cookies: BLOCK } } }),
  )
  const context = await chromium.launchPersistentContext(profile, LAUNCH)
  t.after(async () => {
    await context.close()
    rmSync(profile, { recursive: true, force: true })
  })
  return context.newPage()
}

/** A fresh profile in it. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext(options)
  return context.newPage()
}

/** With SCREENSHOTS in the environment, keeps a picture for people to look at; not in git. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] === undefined) return
  mkdirSync('artefacts/screenshots', { recursive: true })
  await page.screenshot({ path: `artefacts/screenshots/${name}.png`, fullPage: true })
}
