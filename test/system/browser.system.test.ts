import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import {
  noBrowser,
  openPage,
  openPageWithoutCookies,
  screenshot,
  startBrowser,
} from '../support/browser.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { type DemoApp, startDemoApp } from '../support/demo-app.ts'
import { assertLooks, complaintsOf } from '../support/look.ts'
import { freePort, noNginx, startNginx } from '../support/nginx.ts'
import { PASSWORD, type RunningServer, startServer } from '../support/server.ts'
import { snippet } from '../support/snippet.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

suite('a person at a browser, behind nginx', { skip: noNginx ?? noBrowser }, () => {
  let app: DemoApp
  let server: RunningServer
  let browser: Browser
  let site: string
  let portal: string

  const t = suiteCleanup()

  before(async () => {
    app = await startDemoApp(t)
    server = await startServer(t, {
      config: {
        ...CHEAP,
        access_control: {
          default_policy: 'deny',
          rules: [
            { domain: 'app.vestibule.localhost', policy: 'one_factor', title: 'Demo app' },
            { domain: 'admin.vestibule.localhost', policy: 'one_factor', subject: 'group:admins' },
            { domain: 'bank.vestibule.localhost', policy: 'two_factor' },
          ],
        },
      },
      users: await usersYaml({ john: { displayname: 'John Doe' } }),
    })
    const port = await freePort()
    await startNginx(t, snippet({ vestibule: server.port, listen: port, app: app.port }), port)
    browser = await startBrowser(t)
    site = `vestibule.localhost:${port}`
    portal = `http://auth.vestibule.localhost:${server.port}/`
  })

  const signIn = async (page: Page, password = PASSWORD) => {
    await page.getByLabel('Username').fill('john')
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with' : 'without'
    test(`${how} JavaScript: asks for a page, signs in, lands on that page, signs out`, async () => {
      const page = await openPage(browser, { javaScriptEnabled })
      const wanted = `http://app.${site}/deep/page?x=1&y=%26z`
      await page.goto(wanted)
      assert.ok(page.url().startsWith(portal), page.url())
      await page.getByText(`to continue to app.vestibule.localhost`).waitFor()

      await signIn(page, 'wrong')
      await page.getByRole('alert').waitFor()
      assert.match(await page.getByRole('alert').innerText(), /That name and password don't match/)
      if (javaScriptEnabled) assert.equal(await page.getByLabel('Username').inputValue(), 'john')

      await signIn(page)
      await page.waitForURL(wanted)
      assert.equal(await page.locator('h1').innerText(), 'Demo app')
      const [cookie] = (await page.context().cookies()).filter(
        ({ name }) => name === 'vestibule_session',
      )
      assert.deepEqual(
        {
          domain: cookie?.domain,
          httpOnly: cookie?.httpOnly,
          secure: cookie?.secure,
          sameSite: cookie?.sameSite,
        },
        { domain: '.vestibule.localhost', httpOnly: true, secure: true, sameSite: 'Lax' },
      )

      await page.goto(portal)
      await page.getByRole('heading', { name: 'Your apps' }).waitFor()
      await page.getByRole('link', { name: 'Demo app' }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByText('You are signed out.').waitFor()
      await page.goto(wanted)
      assert.ok(page.url().startsWith(portal), 'signed out, and the app asks again')
      await page.context().close()
    })
  }

  test('somebody already signed in is sent straight on', async () => {
    const page = await openPage(browser)
    await page.goto(portal)
    await signIn(page)
    await page.getByRole('heading', { name: 'Your apps' }).waitFor()
    const wanted = `http://app.${site}/there`
    await page.goto(`${portal}?rd=${encodeURIComponent(wanted)}`)
    assert.equal(page.url(), wanted)
    await page.goto(`${portal}?rd=${encodeURIComponent('https://evil.test/')}`)
    await page.getByRole('heading', { name: 'Your apps' }).waitFor()
    await page.context().close()
  })

  test('signing in in one tab continues the others', async () => {
    const first = await openPage(browser)
    const second = await first.context().newPage()
    await first.goto(`http://app.${site}/one`)
    await second.goto(`http://app.${site}/two`)
    await signIn(first)
    await first.waitForURL(`http://app.${site}/one`)
    await second.waitForURL(`http://app.${site}/two`, { timeout: 15_000 })
    await first.context().close()
  })

  test('a browser that refuses the cookie is told so, and not asked again and again', async (context) => {
    const page = await openPageWithoutCookies(context)
    await page.goto(portal)
    await signIn(page)
    await page.getByRole('heading', { name: 'Your browser refused our cookie' }).waitFor()
    await screenshot(page, 'cookie-refused')
  })

  test('a forbidden page says who you are, and how to be somebody else', async () => {
    const page = await openPage(browser)
    await page.goto(portal)
    await signIn(page)
    await page.getByRole('heading', { name: 'Your apps' }).waitFor()
    await page.goto(`http://admin.${site}/`)
    await page.getByRole('heading', { name: "You can't open this page" }).waitFor()
    assert.match(await page.locator('main').innerText(), /signed in as John Doe/)
    await page.getByRole('link', { name: 'Use another account' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.getByText('to continue to admin.vestibule.localhost').waitFor()
    await page.context().close()
  })

  test('a rule that asks for two factors leads a user who has one to another, not into a loop', async () => {
    const page = await openPage(browser)
    await page.goto(`http://bank.${site}/`)
    await signIn(page)
    await page.getByRole('heading', { name: 'Add a second factor' }).waitFor()
    assert.equal(new URL(page.url()).pathname, '/second-factor/enrol')
    await page.context().close()
  })

  test('the back button and a double click do no harm', async () => {
    const page = await openPage(browser)
    await page.goto(`http://app.${site}/back`)
    await signIn(page)
    await page.waitForURL(`http://app.${site}/back`)
    await page.goBack()
    await page.waitForLoadState()
    assert.equal(page.url(), `http://app.${site}/back`)
    await page.context().close()
  })

  test('the keyboard is enough', async () => {
    const page = await openPage(browser)
    await page.goto(`http://app.${site}/keys`)
    // The field takes the focus by itself, a moment after the page is there.
    await page.waitForFunction("document.activeElement?.id === 'username'")
    await page.keyboard.type('john')
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForURL(`http://app.${site}/keys`)
    await page.context().close()
  })

  test('every page is accessible, keeps its own policy and fits a phone, in light and dark', async () => {
    const page = await openPage(browser)
    const complaints = complaintsOf(page, /status of 40[34]/)
    const look = (name: string) => assertLooks(page, name)
    await page.goto(`http://app.${site}/`)
    await look('sign-in')
    await signIn(page, 'wrong')
    await page.getByRole('alert').waitFor()
    await look('sign-in-failed')
    await signIn(page)
    await page.waitForURL(`http://app.${site}/`)
    await page.goto(portal)
    await look('signed-in')
    await page.goto(`http://admin.${site}/`)
    await look('not-allowed')
    await page.goto(`${portal}?rd=${encodeURIComponent(`http://bank.${site}/`)}`)
    await look('second-factor')
    await page.goto(`${portal}logout`)
    await look('sign-out')
    await page.goto(`${portal}nothing`)
    await look('not-found')
    assert.deepEqual(complaints, [])
    await page.context().close()
  })
})
