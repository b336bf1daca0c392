/** The portal in German and Arabic, with a brand, by keyboard alone and without scripts. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, suite, test } from 'node:test'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { noBrowser, openPage, screenshot, startBrowser } from '../support/browser.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { PASSWORD, type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 20"><rect width="60" height="20" rx="4" fill="#b5541c"/></svg>`
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } } as const

suite('the portal in other languages', { skip: noBrowser }, () => {
  const t = suiteCleanup()
  let server: RunningServer
  let browser: Browser

  before(async () => {
    if (noBrowser !== undefined) return
    const folder = mkdtempSync(join(tmpdir(), 'vestibule-brand-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const logo = join(folder, 'logo.svg')
    writeFileSync(logo, LOGO)
    server = await startServer(t, {
      config: {
        ...CHEAP,
        admin: { groups: ['root'] },
        branding: {
          title: 'Beispiel',
          accent: '#b5541c',
          background: '#23303a',
          logo,
          links: [{ title: 'Datenschutz', url: 'https://example.com/privacy' }],
        },
        access_control: {
          default_policy: 'deny',
          rules: [
            { domain: 'wiki.vestibule.localhost', policy: 'one_factor', title: 'Wiki' },
            { domain: 'git.vestibule.localhost', policy: 'one_factor', title: 'Git' },
            { domain: 'bank.vestibule.localhost', policy: 'two_factor', subject: 'group:bankers' },
          ],
        },
      },
      users: await usersYaml({ john: { displayname: 'John Doe', groups: ['root'] } }),
    })
    browser = await startBrowser(t)
  })

  const address = (path: string) => `http://auth.vestibule.localhost:${server.port}${path}`
  const faultsOf = async (page: Page) => {
    // Our own policy forbids scripts from elsewhere, and so it should; axe goes around it.
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate(() => axe.run())
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  }
  const why = `/admin/why?${new URLSearchParams({ user: 'john', url: 'https://bank.vestibule.localhost/' })}`

  for (const [locale, size, theme, direction] of [
    ['de', 'phone', 'light', 'ltr'],
    ['ar', 'desktop', 'dark', 'rtl'],
  ] as const)
    test(`${locale}, ${size}, ${theme}: by keyboard; axe finds nothing, and nothing is cut off`, async () => {
      const page = await openPage(browser, {
        locale,
        colorScheme: theme,
        viewport: SIZES[size],
      })
      const look = async (name: string) => {
        assert.equal(await page.locator('html').getAttribute('dir'), direction)
        assert.deepEqual(await faultsOf(page), [], name)
        const wider = await page.evaluate<number>(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        )
        assert.equal(wider, 0, `${name} is wider than the screen`)
        await screenshot(page, `${name}-${locale}-${size}-${theme}`)
      }
      await page.goto(address('/'))
      await look('sign-in')
      // The first field has the focus; what is typed goes through the form without a pointer.
      await page.keyboard.type('john')
      await page.keyboard.press('Tab')
      await page.keyboard.type(PASSWORD)
      await page.keyboard.press('Enter')
      await page.locator('.apps').waitFor()
      await look('apps')
      for (const path of ['/settings/sessions', '/settings/factors', why]) {
        await page.goto(address(path))
        await look(path.replaceAll('/', '-').split('?', 1)[0] ?? path)
      }
    })

  test('a language is chosen by keyboard and without scripts, and the page carries on', async () => {
    const page = await openPage(browser, { locale: 'en', javaScriptEnabled: false })
    const target = encodeURIComponent(`http://wiki.vestibule.localhost:${server.port}/`)
    await page.goto(address(`/?rd=${target}`))
    await page.getByLabel('Language').selectOption('ar')
    await page.getByLabel('Language').press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('html[dir=rtl]').waitFor()
    assert.match(page.url(), /rd=/)
    assert.match(await page.locator('.lead').innerText(), /wiki\.vestibule\.localhost/)
  })
})
