import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { noBrowser, openPage, screenshot, startBrowser } from '../support/browser.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { assertLooks } from '../support/look.ts'
import { freePort } from '../support/nginx.ts'
import { PASSWORD, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { noOpenssl, startSites } from './sites.ts'

const DOMAINS = ['example.com', 'example.org', 'example.net'] as const
const [A, B, C] = DOMAINS
const access_control = {
  default_policy: 'deny',
  rules: [{ domain: DOMAINS.map((domain) => `app.${domain}`), policy: 'one_factor' }],
}

const signIn = async (page: Page, password = PASSWORD) => {
  await page.getByLabel('Username').fill('john')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

suite('a person with several root domains, at a browser', { skip: noBrowser ?? noOpenssl }, () => {
  const t = suiteCleanup()
  let browser: Browser

  before(async () => {
    const server = await startServer(t, {
      config: {
        ...CHEAP,
        session: {
          cookies: DOMAINS.map((domain) => ({ domain, portal_url: `https://auth.${domain}` })),
        },
        access_control,
      },
      users: await usersYaml({ john: { displayname: 'John Doe' } }),
    })
    const sites = await startSites(t, () => server.port)
    browser = await startBrowser(t, [`--host-resolver-rules=MAP * 127.0.0.1:${sites}`])
  })

  const open = async (javaScriptEnabled = true, options = {}) => {
    const page = await openPage(browser, { javaScriptEnabled, ignoreHTTPSErrors: true, ...options })
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    return { page, complaints }
  }
  const app = (domain: string) => `https://app.${domain}/page?x=1&y=%26`
  const isAt = async (page: Page, domain: string) => {
    await page.waitForURL(app(domain))
    assert.equal(await page.locator('h1').innerText(), `app.${domain} for john`)
  }

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with' : 'without'
    test(`${how} scripts: signs in at B once, and A and C are open; signs out at C, and all are shut`, async () => {
      const { page, complaints } = await open(javaScriptEnabled)
      await page.goto(app(B))
      assert.equal(new URL(page.url()).host, `auth.${B}`)
      await page.getByText(`to continue to app.${B}`).waitFor()
      await signIn(page, 'wrong')
      await page.getByRole('alert').waitFor()
      assert.equal(new URL(page.url()).host, `auth.${B}`)
      await signIn(page)
      await isAt(page, B)
      await page.goto(app(A))
      await isAt(page, A)
      await page.goto(app(C))
      await isAt(page, C)
      const cookies = await page.context().cookies()
      assert.deepEqual(
        cookies
          .map(({ name, domain }) => `${name} ${domain}`)
          .filter((one) => !one.startsWith('vestibule_session_device'))
          .sort(),
        DOMAINS.map((domain) => `vestibule_session .${domain}`).sort(),
        'nothing of the transactions is left',
      )

      await page.goto(`https://auth.${C}/logout`)
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByText('You are signed out.').waitFor()
      for (const domain of DOMAINS) {
        await page.goto(app(domain))
        assert.equal(new URL(page.url()).host, `auth.${domain}`)
        await page.getByRole('heading', { name: 'Sign in' }).waitFor()
      }
      // Form after form from here: what was shown to be allowed above is not blocked by form-action either.
      await signIn(page)
      await isAt(page, C)
      await page.goto(app(A))
      await isAt(page, A)
      assert.deepEqual(
        complaints.filter((text) => !/status of 40/.test(text)),
        [],
      )
      await page.context().close()
    })
  }

  test('tabs of three domains that open at once are all let in', async () => {
    const { page } = await open()
    await page.goto(`https://auth.${A}/`)
    await signIn(page)
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
    const tabs = await Promise.all(
      [B, B, C, C].map(async (domain) => ({ domain, tab: await page.context().newPage() })),
    )
    await Promise.all(tabs.map(({ domain, tab }) => tab.goto(app(domain))))
    // A tab that set out while another was on its way may meet the form; it goes on by itself.
    for (const { domain, tab } of tabs) {
      await tab.bringToFront()
      await isAt(tab, domain)
    }
    await page.context().close()
  })

  test('in a frame of another site nobody is sent anywhere', async () => {
    const { page } = await open()
    await page.goto(`https://auth.${A}/`)
    await signIn(page)
    await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
    await page.goto(app(A))
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await page.evaluate(
      `new Promise((done) => { const f = document.createElement('iframe'); f.onload = done; f.src = 'https://auth.${B}/'; document.body.append(f) })`,
    )
    assert.deepEqual(asked, [`https://auth.${B}/`])
    await page.context().close()
  })

  test('sees where they are signed in, on a phone and a desk, in light and dark', async () => {
    const { page: other } = await open(true, {
      userAgent:
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    })
    await other.goto(`https://auth.${A}/`)
    await signIn(other)
    await other.goto(app(B))
    await isAt(other, B)
    const { page: third } = await open()
    await third.goto(`https://auth.${A}/`)
    await signIn(third)
    await third.getByRole('heading', { name: 'You are signed in' }).waitFor()
    await third.context().close()
    const { page, complaints } = await open()
    await page.goto(`https://auth.${A}/`)
    await signIn(page)
    await page.getByRole('link', { name: 'Where you are signed in' }).click()
    await page.getByRole('heading', { name: 'Where you are signed in' }).waitFor()
    await page.getByText('This browser').waitFor()
    await assertLooks(page, 'sessions')
    await page.getByRole('button', { name: 'End Safari on iOS, 127.0.0.1' }).click()
    await page.getByRole('status').waitFor()
    await screenshot(page, 'sessions-ended')
    await page.getByRole('button', { name: 'End all others' }).click()
    await page.getByText('All others are ended').waitFor()
    assert.equal(await page.locator('li.entry').count(), 1)
    assert.deepEqual(complaints, [])
    await page.context().close()
    await other.goto(app(B))
    await other.getByRole('heading', { name: 'Sign in' }).waitFor()
    await other.context().close()
  })
})

test('on http and two domains of localhost it works as well: nothing has to be set up to try it', {
  skip: noBrowser,
}, async (t) => {
  const port = await freePort()
  const portal = (name: string) => `http://auth.${name}.localhost:${port}`
  await startServer(t, {
    port,
    config: {
      ...CHEAP,
      session: {
        cookies: ['vestibule', 'other'].map((name) => ({
          domain: `${name}.localhost`,
          portal_url: portal(name),
        })),
      },
      access_control: { default_policy: 'one_factor' },
    },
    users: await usersYaml({ john: {} }),
  })
  const page = await openPage(await startBrowser(t))
  await page.goto(`${portal('other')}/`)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await signIn(page)
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
  assert.equal(new URL(page.url()).origin, portal('other'))
  await page.goto(`${portal('vestibule')}/`)
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
})
