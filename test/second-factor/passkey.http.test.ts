import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Answering, createSoftKey, type SoftKey } from '../support/authenticator.ts'
import { browserAt, openWebauthnScene, type SceneOptions, stranger } from './webauthn-scene.ts'

const REGISTER = '/api/secondfactor/webauthn/credential/register'
const PASSKEY = '/api/firstfactor/passkey'

/** John has a passkey, and nobody is signed in. */
async function openPasskeys(
  t: Parameters<typeof openWebauthnScene>[0],
  config: SceneOptions['config'] = {},
  limits = 'disable',
) {
  const scene = await openWebauthnScene(t, { config, limits })
  const { app, house } = scene
  const key = createSoftKey()
  const john = await scene.signIn('john')
  const { publicKey } = (await john.ask('PUT', REGISTER, { description: 'Phone' })).json.data
  const site = { origin: john.origin, rpId: john.rpId }
  const answer = key.create({ ...site, challenge: publicKey.challenge })
  assert.equal((await john.ask('POST', REGISTER, answer)).status, 201)
  const handle: string = publicKey.user.id
  const visit = () => browserAt(app, house.domain)
  /** One attempt of a new browser. */
  const tryPasskey = async (
    more: Partial<Answering> = {},
    { by = key, body = {} }: { by?: SoftKey; body?: Record<string, unknown> } = {},
  ) => {
    const browser = visit()
    const { challenge } = (await browser.ask('GET', PASSKEY)).json.data.publicKey
    const response = by.get({ ...site, challenge, userHandle: handle, ...more })
    return { browser, ...(await browser.ask('POST', PASSKEY, { response, ...body })) }
  }
  return { ...scene, key, handle, site, visit, tryPasskey }
}

suite('a passkey in place of the password', () => {
  test('is not offered unless the configuration says so', async (t) => {
    for (const [config, second, first] of [
      [{ enable_passkey_login: false }, 403, 404],
      [{ disable: true }, 404, 404],
    ] as const) {
      const { app, house } = await openWebauthnScene(t, { config })
      const browser = browserAt(app, house.domain)
      assert.equal((await browser.ask('GET', '/api/secondfactor/webauthn')).status, second)
      assert.equal((await browser.ask('GET', PASSKEY)).status, first)
    }
  })

  test('signs its user in, as one factor unless it counts as two', async (t) => {
    const bank = { targetURL: 'https://bank.example.com/' }
    const wiki = { targetURL: 'https://wiki.example.com/' }
    for (const [config, verified, factor, banked] of [
      [{}, true, 'webauthn', undefined],
      [{}, false, 'webauthn', undefined],
      [{ passkey_counts_as_two_factor: true }, true, 'passkey', { redirect: bank.targetURL }],
    ] as const) {
      const { tryPasskey, events } = await openPasskeys(t, config)
      const { browser, status, json } = await tryPasskey({ verified }, { body: bank })
      assert.equal(status, 200)
      assert.deepEqual(json.data, banked)
      assert.deepEqual((await browser.ask('GET', '/who')).json, { user: 'john', factors: [factor] })
      const [name, event] = events.findLast(([name]) => name === 'login.succeeded') ?? []
      assert.equal(name, 'login.succeeded')
      assert.equal(event?.user, 'john')
      assert.equal(new Map(Object.entries(event?.details ?? {})).get('method'), 'passkey')
      const again = await tryPasskey({ verified }, { body: wiki })
      assert.deepEqual(again.json.data, { redirect: wiki.targetURL })
    }
  })

  test('that counts as two factors has to be verified', async (t) => {
    const { tryPasskey, visit } = await openPasskeys(t, { passkey_counts_as_two_factor: true })
    const { publicKey } = (await visit().ask('GET', PASSKEY)).json.data
    assert.equal(publicKey.userVerification, 'required')
    assert.equal((await tryPasskey({ verified: false })).status, 403)
    assert.equal((await tryPasskey({ verified: true })).status, 200)
  })

  test('the session that the browser had ends', async (t) => {
    const { signIn, key, handle } = await openPasskeys(t)
    const jane = await signIn('jane')
    const before = await jane.ask('GET', '/who')
    assert.equal(before.json.user, 'jane')
    const { challenge } = (await jane.ask('GET', PASSKEY)).json.data.publicKey
    const { origin, rpId } = jane
    const response = key.get({ origin, rpId, challenge, userHandle: handle })
    assert.equal((await jane.ask('POST', PASSKEY, { response })).status, 200)
    assert.equal((await jane.ask('GET', '/who')).json.user, 'john')
  })

  test('nothing tells whether there is such a user or such a key', async (t) => {
    const { tryPasskey, house, key, handle, visit } = await openPasskeys(t)
    const shape = (options: Record<string, unknown>) => ({ ...options, challenge: '' })
    const [one, two] = [await visit().ask('GET', PASSKEY), await visit().ask('GET', PASSKEY)]
    assert.deepEqual(shape(one.json.data.publicKey), shape(two.json.data.publicKey))
    assert.deepEqual(one.json.data.publicKey.allowCredentials, [])
    const unknown = createSoftKey()
    const answers = [
      await tryPasskey({}, { by: unknown }),
      await tryPasskey({ id: key.id }, { by: unknown }),
      await tryPasskey({ userHandle: stranger() }),
      await tryPasskey({ userHandle: '' }),
    ]
    house.users.remove('john')
    answers.push(await tryPasskey({ userHandle: handle }))
    for (const { status, json, cookies } of answers) {
      assert.equal(status, 403)
      assert.deepEqual(json, {
        status: 'KO',
        message: 'Authentication failed, please retry later.',
      })
      assert.deepEqual(cookies, [])
    }
  })

  test('wrong answers are written down, counted with wrong passwords, and past the limit refused', async (t) => {
    const { tryPasskey, logged, events } = await openPasskeys(t, {}, '5/minute')
    const by = createSoftKey()
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await tryPasskey({}, { by })).status)
    assert.deepEqual(statuses, [403, 403, 403, 403, 403, 429])
    assert.equal((await tryPasskey()).status, 429)
    assert.ok(
      logged.some((line) =>
        line.includes("Unsuccessful Passkey authentication attempt by user ''"),
      ),
    )
    const [name, event] = events.find(([name]) => name === 'login.failed') ?? []
    assert.equal(name, 'login.failed')
    assert.deepEqual(event?.details, { method: 'passkey', reason: 'passkey' })
  })

  test('a challenge is good once, in the browser that asked for it, for ten minutes', async (t) => {
    const { visit, key, handle, site, house } = await openPasskeys(t)
    const begin = async (browser = visit()) => {
      const { challenge } = (await browser.ask('GET', PASSKEY)).json.data.publicKey
      return { browser, body: { response: key.get({ ...site, challenge, userHandle: handle }) } }
    }
    const first = await begin()
    assert.equal((await visit().ask('POST', PASSKEY, first.body)).status, 403)
    assert.equal((await first.browser.ask('POST', PASSKEY, first.body)).status, 403, 'used up')
    const second = await begin()
    await begin(second.browser)
    const both = await Promise.all([
      second.browser.ask('POST', PASSKEY, second.body),
      second.browser.ask('POST', PASSKEY, second.body),
    ])
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 403])
    const late = await begin()
    house.clock.advance(600_000)
    assert.equal((await late.browser.ask('POST', PASSKEY, late.body)).status, 403)
  })

  test('at the portal of another domain it is unknown', async (t) => {
    const { app, house, key, handle } = await openPasskeys(t)
    const [, org] = house.sessions.domains
    assert.ok(org)
    const browser = browserAt(app, org)
    const { challenge } = (await browser.ask('GET', PASSKEY)).json.data.publicKey
    const { origin, rpId } = browser
    const response = key.get({ origin, rpId, challenge, userHandle: handle })
    assert.equal((await browser.ask('POST', PASSKEY, { response })).status, 403)
  })
})
