/** The portal's pages in a real browser: tiles, colours, times, the countdown; light and dark, phone and desktop. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, suite, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { noBrowser, openPage, screenshot, startBrowser } from '../support/browser.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { assertLooks, faultsOf } from '../support/look.ts'
import { PASSWORD, type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><script>document.title='owned'</script><rect width="10" height="10" fill="#d14"/></svg>`

suite('the look of the portal', { skip: noBrowser }, () => {
  const t = suiteCleanup()
  let server: RunningServer
  let limited: RunningServer
  let browser: Browser

  before(async () => {
    if (noBrowser !== undefined) return
    const picture = join(mkdtempSync(join(tmpdir(), 'vestibule-icon-')), 'cloud.svg')
    writeFileSync(picture, PICTURE)
    const users = await usersYaml({ john: { displayname: 'John Doe' } })
    const app = (name: string, title: string, more = {}) => ({
      domain: `${name}.vestibule.localhost`,
      policy: 'one_factor',
      title,
      ...more,
    })
    server = await startServer(t, {
      config: {
        ...CHEAP,
        access_control: {
          default_policy: 'deny',
          rules: [
            app('wiki', 'Wiki'),
            app('home', 'Home Assistant'),
            app('cloud', 'Cloud', { icon: picture }),
            app('photos', 'Photos', { icon: '/nowhere/photos.png' }),
            app('git', 'Git'),
            { domain: 'bank.vestibule.localhost', policy: 'two_factor' },
          ],
        },
      },
      users,
    })
    limited = await startServer(t, {
      config: { ...CHEAP, failed_login_rate_limit: '1/hour' },
      users,
    })
    browser = await startBrowser(t)
  })

  const open = async (
    on: RunningServer,
    { theme = 'light' }: { readonly theme?: 'light' | 'dark' } = {},
  ) => {
    const page = await openPage(browser, { colorScheme: theme })
    await page.goto(`http://auth.vestibule.localhost:${on.port}/`)
    return page
  }
  const signIn = async (page: Page, password = PASSWORD) => {
    await page.getByLabel('Username').fill('john')
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  const groundOf = (page: Page) =>
    page.evaluate<string>('getComputedStyle(document.body).backgroundColor')

  test('apps are tiles with pictures or initials, apart from the account; a picture that is missing is said in the log', async () => {
    const page = await open(server)
    await signIn(page)
    const tiles = page.getByRole('navigation', { name: 'Your apps' }).getByRole('link')
    await tiles.first().waitFor()
    assert.equal(await tiles.count(), 5)
    assert.match(await tiles.nth(1).innerText(), /^HA\s+Home Assistant/)
    const image = tiles.nth(2).locator('img')
    assert.equal(
      await image.evaluate((one) => 'naturalWidth' in one && Number(one.naturalWidth) > 0),
      true,
    )
    assert.match(await tiles.nth(3).innerText(), /^P\s+Photos/)
    assert.match(server.output(), /the icon of an app cannot be shown/)
    assert.equal(
      await page.locator('.account').getByRole('link', { name: 'Appearance' }).count(),
      1,
    )
    // Opened by itself, a picture runs nothing.
    const address = await image.getAttribute('src')
    await page.goto(`http://auth.vestibule.localhost:${server.port}${address}`)
    assert.notEqual(await page.title(), 'owned')
  })

  test('every page is accessible and fits a phone, in light and dark', async () => {
    const page = await open(server)
    const look = (name: string) => assertLooks(page, name)
    await look('sign-in')
    await signIn(page, 'wrong')
    await page.getByRole('alert').waitFor()
    await look('sign-in-failed')
    await signIn(page)
    await page.getByRole('navigation', { name: 'Your apps' }).waitFor()
    await look('apps')
    const at = (path: string) => page.goto(`http://auth.vestibule.localhost:${server.port}${path}`)
    for (const path of ['sessions', 'history', 'appearance']) {
      await at(`/settings/${path}`)
      await look(path)
    }
    await at('/nowhere')
    await look('not-found')
    const rd = encodeURIComponent('http://bank.vestibule.localhost/')
    await at(`/?rd=${rd}`)
    await look('second-factor')
    await at(`/forbidden?rd=${rd}`)
    await look('forbidden')
    await at('/logout')
    await look('sign-out')
  })

  test('the choice of colours holds on every page, whatever the system says, and can be taken back', async () => {
    const page = await open(server, { theme: 'light' })
    const light = await groundOf(page)
    await signIn(page)
    const appearance = `http://auth.vestibule.localhost:${server.port}/settings/appearance`
    const choose = async (name: string) => {
      await page.goto(appearance)
      await page.getByLabel(name).check()
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Saved.').waitFor()
    }
    await choose('Dark')
    const dark = await groundOf(page)
    assert.notEqual(dark, light)
    await page.goto(`http://auth.vestibule.localhost:${server.port}/`)
    assert.equal(await groundOf(page), dark)
    await page.emulateMedia({ colorScheme: 'dark' })
    await choose('Light')
    assert.equal(await groundOf(page), light)
    await choose('As the system has it')
    assert.equal(await groundOf(page), dark)
  })

  test('times are exact on hover and for screen readers, in the time zone of the browser', async () => {
    const context = await browser.newContext({ timezoneId: 'Asia/Tokyo', locale: 'en-GB' })
    const page = await context.newPage()
    await page.goto(`http://auth.vestibule.localhost:${server.port}/`)
    await signIn(page)
    await page.goto(`http://auth.vestibule.localhost:${server.port}/settings/history`)
    const time = page.locator('time').first()
    const exact = (await time.getAttribute('title')) ?? ''
    const moment = new Date((await time.getAttribute('datetime')) ?? '')
    const hour = new Intl.DateTimeFormat('en', {
      timeStyle: 'short',
      timeZone: 'Asia/Tokyo',
    }).format(moment)
    assert.ok(exact.includes(hour), `${exact} has ${hour}`)
    assert.ok((await time.textContent())?.includes(`(${exact})`))
  })

  test('too many wrong passwords: the page counts down, and the way back works when it is over', async () => {
    const page = await open(limited)
    await page.clock.install()
    await signIn(page, 'wrong')
    await page.getByRole('alert').waitFor()
    await signIn(page, 'wrong')
    const retry = page.getByText('Try again', { exact: true })
    await page.getByText(/\d:\d\d left/).waitFor()
    assert.equal(await retry.getAttribute('aria-disabled'), 'true')
    assert.equal(await retry.getAttribute('href'), null)
    assert.deepEqual(await faultsOf(page), [])
    await screenshot(page, 'limited-desktop-light')
    await page.clock.fastForward('01:00:01')
    await page.getByText('You can try again now.').waitFor()
    await retry.click()
    await page.getByLabel('Username').waitFor()
  })

  test('the edges of fields stand out three to one, and what ends things is not the blue button', async () => {
    const luminance = (color: string) => {
      const parts = (color.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => {
        const value = Number(part) / 255
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
      })
      const [r = 0, g = 0, b = 0] = parts
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    for (const theme of ['light', 'dark'] as const) {
      const page = await open(server, { theme })
      const styleOf = (selector: string, property: string) =>
        page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).${property}`)
      const edge = await styleOf('input', 'borderTopColor')
      const field = await styleOf('input', 'backgroundColor')
      const card = await styleOf('main', 'backgroundColor')
      for (const beside of [field, card]) {
        const [a, b] = [luminance(edge), luminance(beside)]
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
        assert.ok(ratio >= 3, `${theme}: ${ratio}`)
      }
      await signIn(page)
      const other = await open(server, { theme })
      await signIn(other)
      await other.goto(`http://auth.vestibule.localhost:${server.port}/settings/sessions`)
      const colorOf = (selector: string) =>
        other.evaluate<string>(
          `getComputedStyle(document.querySelector('${selector}')).backgroundColor`,
        )
      const danger = await colorOf('button[name=others]')
      await other.goto(`http://auth.vestibule.localhost:${server.port}/settings/appearance`)
      assert.notEqual(danger, await colorOf('main form button'))
    }
  })

  test('browsers find an icon under the names that they ask for by themselves', async () => {
    for (const [path, type] of [
      ['/favicon.ico', 'image/vnd.microsoft.icon'],
      ['/apple-touch-icon.png', 'image/png'],
    ] as const) {
      const answer = await server.request(path, {
        headers: { Host: `auth.vestibule.localhost:${server.port}` },
      })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['content-type'], type)
    }
  })
})
