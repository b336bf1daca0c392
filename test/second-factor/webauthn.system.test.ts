import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { html } from 'ghtml'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { signInPage } from '../../src/features/login/pages.ts'
import { NOTHING_CARRIED, portalContexts } from '../../src/features/portal/index.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { valueIn } from '../sessions/house.ts'
import { noBrowser, openPage, screenshot, startBrowser } from '../support/browser.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { freePort } from '../support/port.ts'
import { openWebauthnScene, type SceneOptions, type WebauthnScene } from './webauthn-scene.ts'

/** Pages of the test, with the portal's own script and policy, at two portals. */
async function openPortals(
  t: Parameters<typeof openWebauthnScene>[0],
  config: NonNullable<SceneOptions['config']>,
) {
  const port = await freePort()
  const portals = ['vestibule', 'other'].map((name) => ({
    domain: `${name}.localhost`,
    portal_url: `http://auth.${name}.localhost:${port}`,
  }))
  const scene = await openWebauthnScene(t, { config, session: { cookies: portals } })
  const { app, replies, options } = scene
  await app.register(async (pages) => {
    await pages.register(portalContexts, options)
    pages.get('/', { config: { guard: 'public' } }, (request, reply) => {
      const { t } = scene.messages.negotiate({ headers: {} })
      const page = {
        ...{ carried: NOTHING_CARRIED, host: undefined, failed: false, signedOut: false },
        ...{ waiting: false, rememberMe: 0, passkeys: true, formAction: [], base: '' },
      }
      return replies.page(request, reply, signInPage(t, page))
    })
    for (const purpose of ['sign-in', 'register'])
      pages.get(`/${purpose}`, { config: { guard: 'public' } }, (request, reply) =>
        replies.page(request, reply, {
          title: purpose,
          script: true,
          content: html`<form><label>Name <input name="description" required></label></form>
<div id="webauthn-said" role="alert" hidden></div>
<button id="webauthn" type="button" data-purpose="${purpose}" data-base="" data-next="/who" data-failed="failed" data-cancelled="cancelled" data-name-taken="name taken" hidden>Go</button>`,
        }),
      )
  })
  await app.listen({ host: '127.0.0.1', port })
  return { ...scene, origins: portals.map(({ portal_url }) => portal_url) }
}

/** An authenticator of software, as Chromium's developer tools have one. */
async function addAuthenticator(page: Page, more: Record<string, unknown> = {}) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...more,
    },
  })
  return { cdp, authenticatorId }
}

/** What the authenticator holds. */
const held = async (cdp: CDPSession, authenticatorId: string) =>
  (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials

suite('keys and passkeys in Chromium', { skip: noBrowser }, () => {
  const t = suiteCleanup()
  let browser: Browser
  let scene: WebauthnScene & { readonly origins: readonly string[] }

  before(async () => {
    scene = await openPortals(t, { passkey_counts_as_two_factor: true })
    browser = await startBrowser(t)
  })

  /** Signed in with the password, and elevated. */
  async function signedIn(page: Page, user: string, origin = scene.origins[0] ?? '') {
    const { house } = scene
    const domain = house.sessions.domainOf(new URL(origin).hostname)
    assert.ok(domain)
    const { key } = await house.signIn(user, { domain })
    const until = (house.clock.now() + 600_000) as EpochMs // a time of the test
    const raised = await house.sessions.elevate({ key, until })
    assert.ok(raised)
    const value = valueIn(raised.cookie)
    await page.context().clearCookies()
    await page.context().addCookies([{ name: domain.name, value, url: origin }])
    return origin
  }

  async function register(page: Page, origin: string, name: string) {
    await page.goto(`${origin}/register`)
    await page.getByLabel('Name').fill(name)
    await page.getByRole('button', { name: 'Go' }).click()
  }

  const who = async (page: Page) => {
    await page.waitForURL('**/who')
    return JSON.parse(await page.locator('body').innerText())
  }

  test('a key is registered with its name, and shown after the password', async () => {
    const page = await openPage(browser)
    const { cdp, authenticatorId } = await addAuthenticator(page)
    const origin = await signedIn(page, 'john')
    await register(page, origin, 'Laptop')
    await who(page)
    const [credential] = await held(cdp, authenticatorId)
    assert.equal(credential?.rpId, 'auth.vestibule.localhost')
    const [stored] = await scene.webauthn.list('john')
    assert.equal(stored?.name, 'Laptop')
    assert.equal(stored?.verified, true)
    assert.equal(stored?.discoverable, true)

    await page.goto(`${origin}/sign-in`)
    await page.getByRole('button', { name: 'Go' }).click()
    assert.deepEqual(await who(page), { user: 'john', factors: ['password', 'passkey'] })
    await signedIn(page, 'john')
    await register(page, origin, 'laptop')
    await page.getByText('name taken').waitFor()
    await page.context().close()
  })

  test('a passkey signs in with the button, alone', async () => {
    const page = await openPage(browser)
    await addAuthenticator(page)
    const origin = await signedIn(page, 'mary')
    await register(page, origin, 'Phone')
    await who(page)
    await page.context().clearCookies()
    // Without conditional mediation nothing happens before the button is pressed.
    await page.addInitScript('delete PublicKeyCredential.isConditionalMediationAvailable')
    await page.goto(origin)
    const button = page.getByRole('button', { name: 'Sign in with a passkey' })
    await button.waitFor()
    await screenshot(page, 'sign-in-passkey')
    await button.click()
    await page.waitForURL('**/?signed-in=')
    await page.goto(`${origin}/who`)
    assert.deepEqual(await who(page), { user: 'mary', factors: ['passkey'] })
    await page.context().close()
  })

  test('a passkey that is chosen where the name is typed signs in', async () => {
    const page = await openPage(browser)
    await addAuthenticator(page)
    const origin = await signedIn(page, 'nina')
    await register(page, origin, 'Phone')
    await who(page)
    await page.context().clearCookies()
    // `/` of this test is the form, also for a user who is signed in: there the authenticator would sign in once more, and end this session.
    await page.route('**/?signed-in=', (route) => route.fulfill({ body: 'signed in' }))
    // The authenticator of the test chooses at once, perhaps before the page has loaded whole.
    await page.goto(origin, { waitUntil: 'commit' })
    await page.waitForURL('**/?signed-in=')
    await page.goto(`${origin}/who`)
    assert.deepEqual(await who(page), { user: 'nina', factors: ['passkey'] })
    await page.context().close()
  })

  test('a key without verification is one factor, and no passkey that counts as two', async () => {
    const page = await openPage(browser)
    await addAuthenticator(page, {
      ...{ transport: 'usb', hasResidentKey: false },
      ...{ hasUserVerification: false, isUserVerified: false },
    })
    const origin = await signedIn(page, 'kate')
    await register(page, origin, 'Small key')
    await who(page)
    const [stored] = await scene.webauthn.list('kate')
    assert.equal(stored?.verified, false)
    await page.goto(`${origin}/sign-in`)
    await page.getByRole('button', { name: 'Go' }).click()
    assert.deepEqual(await who(page), { user: 'kate', factors: ['password', 'webauthn'] })
    await page.context().close()
  })

  test('each portal has keys of its own', async () => {
    const page = await openPage(browser)
    await addAuthenticator(page)
    const [first = '', second = ''] = scene.origins
    await signedIn(page, 'lena', first)
    await register(page, first, 'Here')
    await who(page)
    await signedIn(page, 'lena', second)
    await page.goto(`${second}/sign-in`)
    await page.getByRole('button', { name: 'Go' }).click()
    await page.getByText('failed', { exact: true }).waitFor()
    await register(page, second, 'There')
    await who(page)
    assert.deepEqual((await scene.webauthn.list('lena')).map(({ rpId }) => rpId).sort(), [
      'auth.other.localhost',
      'auth.vestibule.localhost',
    ])
    await page.context().close()
  })

  test('browsers without JSON of their own for this can use it', async () => {
    const page = await openPage(browser)
    for (const name of [
      'parseRequestOptionsFromJSON',
      'parseCreationOptionsFromJSON',
      'prototype.toJSON',
    ])
      await page.addInitScript(`delete PublicKeyCredential.${name}`)
    await addAuthenticator(page)
    const origin = await signedIn(page, 'olga')
    await register(page, origin, 'Old browser')
    await who(page)
    await page.goto(`${origin}/sign-in`)
    await page.getByRole('button', { name: 'Go' }).click()
    assert.deepEqual(await who(page), { user: 'olga', factors: ['password', 'passkey'] })
    await page.context().close()
  })

  test('without scripts the sign-in page has no button for passkeys', async () => {
    const page = await openPage(browser, { javaScriptEnabled: false })
    await page.goto(scene.origins[0] ?? '')
    assert.equal(await page.locator('#webauthn').isVisible(), false)
    assert.equal(await page.getByLabel('Username').isVisible(), true)
    await page.context().close()
  })
})
