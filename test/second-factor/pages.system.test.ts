/** The pages of second factors in a real browser. */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import jsQR from 'jsqr'
import type { Browser, Page } from 'playwright-core'
import type { BuiltApp } from '../support/app.ts'
import { noBrowser, openPage, startBrowser } from '../support/browser.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { assertLooks, complaintsOf } from '../support/look.ts'
import { PASSWORD } from '../support/server.ts'
import { memoryFactors } from './memory-factors.ts'
import { type MakeFactors, openPortal } from './portal.ts'
import { codeOf } from './totp-code.ts'

/** Of the picture that is scanned. */
const SIDE = 300
const plain: MakeFactors = (tools) => memoryFactors(tools)
const withKeys: MakeFactors = (tools) =>
  memoryFactors(tools, { keys: ['Blue key', 'A key with a rather long name of its own'] })

suite('second factors at a browser', { skip: noBrowser }, () => {
  const t = suiteCleanup()
  let browser: Browser
  before(async () => {
    browser = await startBrowser(t)
  })

  /** A portal that listens, and where it is. */
  async function listen(factors: MakeFactors): Promise<{ server: BuiltApp; portal: string }> {
    const server = await openPortal(t, factors, {
      session: {
        inactivity: '10 hours',
        expiration: '20 hours',
        cookies: [
          { domain: 'vestibule.localhost', portal_url: 'http://auth.vestibule.localhost:9091' },
        ],
      },
    })
    const { port } = new URL(await server.app.fastify.listen({ port: 0, host: '127.0.0.1' }))
    return { server, portal: `http://auth.vestibule.localhost:${port}` }
  }

  async function signIn(page: Page, portal: string, name = 'john'): Promise<void> {
    await page.goto(portal)
    await page.getByLabel('Username').fill(name)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
  }

  /** What a phone sees that scans the page. */
  async function scanned(page: Page): Promise<string> {
    // The page's own picture, drawn at several points a module: a letter for each point, since a list of numbers takes seconds.
    const pixels = await page.evaluate<string>(`(async () => {
      const svg = document.querySelector('svg.qr').outerHTML.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}" ')
      const image = new Image()
      image.src = 'data:image/svg+xml,' + encodeURIComponent(svg)
      await image.decode()
      const canvas = document.createElement('canvas')
      canvas.width = canvas.height = ${SIDE}
      const context = canvas.getContext('2d')
      context.drawImage(image, 0, 0, ${SIDE}, ${SIDE})
      const { data } = context.getImageData(0, 0, ${SIDE}, ${SIDE})
      return Array.from({ length: data.length / 4 }, (_, n) => (data[4 * n] < 128 ? 'x' : '.')).join('')
    })()`)
    // Its types name a namespace where the module is the function itself.
    const read = jsQR as unknown as typeof jsQR.default
    const rgba = Uint8ClampedArray.from(
      [...pixels].flatMap((dot) => Array(4).fill(dot === 'x' ? 0 : 255)),
    )
    const found = read(rgba, SIDE, SIDE)
    assert.ok(found)
    return found.data
  }

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with' : 'without'
    test(`${how} JavaScript: an app is added from the QR code, and its codes sign in`, async () => {
      const { server, portal } = await listen(plain)
      const page = await openPage(browser, { javaScriptEnabled: true })
      const text = await openPage(browser, { javaScriptEnabled })
      await signIn(text, portal)
      server.clock.advance(660_000)
      await text.goto(`${portal}/settings/factors`)
      await text.getByRole('link', { name: 'Add an authenticator app' }).click()
      await text.getByLabel('Password').fill(PASSWORD)
      await text.keyboard.press('Enter')
      await text.getByRole('heading', { name: 'Add an authenticator app' }).waitFor()
      const secret = (await text.locator('.secret').innerText()).replaceAll(' ', '')
      // Without scripts the test reads the picture in a page that has them.
      if (!javaScriptEnabled) await page.setContent(await text.content())
      const url = await scanned(javaScriptEnabled ? text : page)
      assert.equal(new URL(url).searchParams.get('secret'), secret)
      await text.getByLabel('Code that the app shows').fill(codeOf(url, server.clock.now()))
      await text.getByRole('button', { name: 'Add the app' }).click()
      await text.getByRole('button', { name: 'Make recovery codes' }).click()
      await text.getByRole('listitem').first().waitFor()
      const shown = await text.locator('.codes code').allInnerTexts()
      assert.equal(shown.length, 10)
      assert.equal(await text.getByRole('button', { name: 'Print' }).isVisible(), javaScriptEnabled)
      const download = text.waitForEvent('download')
      await text.getByRole('link', { name: 'Save as a file' }).click()
      const saved = await (await download).createReadStream()
      assert.equal(Buffer.concat(await saved.toArray()).toString(), `${shown.join('\n')}\n`)
      await text.getByRole('link', { name: 'I have saved them' }).click()
      await text.getByText('10 are left').waitFor()

      const other = await openPage(browser, { javaScriptEnabled })
      await signIn(other, portal)
      server.clock.advance(90_000)
      await other.goto(`${portal}/second-factor`)
      await other.getByLabel('Code, 6 digits').fill('000 000')
      await other.keyboard.press('Enter')
      await other.getByRole('alert').waitFor()
      // The browser focuses the field a moment after the page is there.
      await other.locator('#totp:focus').waitFor()
      await other.getByLabel('Code, 6 digits').fill(codeOf(url, server.clock.now()))
      await other.keyboard.press('Enter')
      await other.getByRole('heading', { name: 'You are signed in' }).waitFor()
      for (const one of [page, text, other]) await one.context().close()
    })
  }

  test('the keyboard is enough, and the codes can be copied', async () => {
    const { server, portal } = await listen(plain)
    const page = await openPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] })
    await signIn(page, portal)
    server.clock.advance(660_000)
    await page.goto(`${portal}/second-factor/enrol`)
    await page.waitForFunction("document.activeElement?.id === 'password'")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    const link = page.getByRole('link', { name: 'Open the app on this device' })
    const url = (await link.getAttribute('href')) ?? ''
    await link.focus()
    await page.keyboard.press('Tab')
    await page.keyboard.type(codeOf(url, server.clock.now()))
    await page.keyboard.press('Enter')
    const make = page.getByRole('button', { name: 'Make recovery codes' })
    await make.focus()
    await page.keyboard.press('Enter')
    await page.locator('.codes').waitFor()
    const codes = await page.locator('.codes code').allInnerTexts()
    await page.getByRole('button', { name: 'Copy' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('Copied.').waitFor()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), `${codes.join('\n')}\n`)
    // Remove it again: the button opens what asks once more.
    await page.goto(`${portal}/settings/factors`)
    await page.locator('summary').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('Removed.').waitFor()
    await page.context().close()
  })

  test('every page is accessible, keeps its own policy and fits a phone, in light and dark', async () => {
    const page = await openPage(browser)
    const complaints = complaintsOf(page)
    await walk(page)
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  /** Every page once, in the order in which users meet them. */
  async function walk(page: Page): Promise<void> {
    const look = (name: string) => assertLooks(page, name)
    const { server, portal } = await listen(plain)
    await signIn(page, portal)
    server.clock.advance(660_000)
    await page.goto(`${portal}/settings/factors`)
    await look('factors-none')
    await page.getByRole('link', { name: 'Add an authenticator app' }).click()
    await look('confirm-password')
    await page.getByLabel('Password').fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await look('confirm-password-wrong')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Add an authenticator app' }).waitFor()
    await look('enrol-totp')
    const url = await scanned(page)
    await page.getByLabel('Code that the app shows').fill('1')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await look('enrol-totp-wrong')
    await page.getByLabel('Code that the app shows').fill(codeOf(url, server.clock.now()))
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Make recovery codes' }).waitFor()
    await look('recovery-codes-offer')
    await page.getByRole('button', { name: 'Make recovery codes' }).click()
    await page.locator('.codes').waitFor()
    const [code = ''] = await page.locator('.codes code').allInnerTexts()
    await look('recovery-codes')
    await page.getByRole('link', { name: 'I have saved them' }).click()
    await page.locator('summary').click()
    await look('factors-totp')
    await page.goto(`${portal}/settings/password`)
    await look('password')
    await page.goto(`${portal}/settings/sessions`)
    await look('settings-sessions')

    await page.context().clearCookies()
    await signIn(page, portal)
    await page.goto(`${portal}/second-factor`)
    await look('ask-totp')
    await page.getByLabel('Code, 6 digits').fill('1')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await look('ask-totp-wrong')
    await page.getByRole('link', { name: 'Recovery code' }).click()
    await look('ask-recovery-code')
    await page.getByLabel('Recovery code').fill(code)
    await page.keyboard.press('Enter')
    await page.getByText('9 codes are left').waitFor()
    await look('recovery-code-used')
    await page.goto(`${portal}/settings/password`)
    await look('confirm-totp')

    const keys = await listen(withKeys)
    await page.context().clearCookies()
    await signIn(page, keys.portal)
    await page.goto(`${keys.portal}/second-factor`)
    await look('ask-webauthn')
    await page.goto(`${keys.portal}/settings/factors`)
    await page.locator('summary').first().click()
    await look('factors-keys')

    const limits = await listen((tools) => memoryFactors(tools, { mayEnrol: false }))
    await page.context().clearCookies()
    await signIn(page, limits.portal)
    await page.goto(`${limits.portal}/second-factor`)
    await look('not-invited')
  }
})
