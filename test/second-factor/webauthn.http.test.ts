import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { EventName, Happening } from '../../src/features/audit/index.ts'
import { portalContexts } from '../../src/features/portal/index.ts'
import { webauthnMethod } from '../../src/features/second-factor/methods/webauthn/index.ts'
import { type Answering, createSoftKey, type SoftKey } from '../support/authenticator.ts'
import { type Browser, browserAt, openWebauthnScene, stranger } from './webauthn-scene.ts'

const SECOND = '/api/secondfactor/webauthn'
const REGISTER = `${SECOND}/credential/register`
const PASSKEY = '/api/firstfactor/passkey'

/** Answers what this portal asked. */
const asked = ({ origin, rpId }: Browser, challenge: string): Answering => ({
  ...{ origin, rpId, challenge },
})

async function register(
  browser: Browser,
  name = 'Key',
  { key = createSoftKey(), more = {} }: { key?: SoftKey; more?: Partial<Answering> } = {},
) {
  const begun = await browser.ask('PUT', REGISTER, { description: name })
  if (begun.status !== 200) return { key, options: undefined, status: begun.status }
  const options = begun.json.data.publicKey
  const answer = { ...asked(browser, options.challenge), ...more }
  const { status } = await browser.ask('POST', REGISTER, key.create(answer))
  return { key, options, status }
}

async function show(
  browser: Browser,
  key: SoftKey,
  { more = {}, body = {} }: { more?: Partial<Answering>; body?: Record<string, unknown> } = {},
) {
  const begun = await browser.ask('GET', SECOND)
  const { challenge = stranger() } = begun.json.data?.publicKey ?? {}
  const response = key.get({ ...asked(browser, challenge), ...more })
  return browser.ask('POST', SECOND, { response, ...body })
}

suite('keys as a second factor', () => {
  test('a key is registered, listed, renamed, shown and removed', async (t) => {
    const { signIn, events } = await openWebauthnScene(t)
    const john = await signIn('john')
    const { key, options, status } = await register(john, 'Yellow key')
    assert.equal(status, 201)
    assert.deepEqual(options.rp, { id: 'auth.example.com', name: 'Vestibule' })
    assert.equal(options.user.name, 'john')
    const [one] = (await john.ask('GET', `${SECOND}/credentials`)).json.data
    assert.equal(one.description, 'Yellow key')
    assert.equal(one.rpid, 'auth.example.com')
    assert.equal(one.kid, key.id)
    assert.deepEqual(one.transports, ['internal'])
    assert.equal(one.discoverable, true)
    assert.equal(one.last_used_at, undefined)

    const path = `${SECOND}/credential/${one.id}`
    assert.equal((await john.ask('PUT', path, { description: 'Blue key' })).status, 200)
    const shown = await show(john, key, { body: { targetURL: 'https://bank.example.com/x' } })
    assert.equal(shown.status, 200)
    assert.deepEqual(shown.json.data, { redirect: 'https://bank.example.com/x' })
    assert.deepEqual((await john.ask('GET', '/who')).json, {
      user: 'john',
      factors: ['password', 'webauthn'],
    })
    const [used] = (await john.ask('GET', `${SECOND}/credentials`)).json.data
    assert.equal(used.description, 'Blue key')
    assert.match(used.last_used_at, /^\d{4}-.*Z$/)

    assert.equal((await john.ask('DELETE', path)).status, 200)
    assert.equal((await john.ask('DELETE', path)).status, 403)
    assert.deepEqual((await john.ask('GET', `${SECOND}/credentials`)).json.data, [])
    assert.equal((await john.ask('GET', SECOND)).status, 403)
    assert.deepEqual(
      events.map(([name]) => name),
      ['factor.added', 'webauthn.renamed', 'factor.removed'],
    )
  })

  test('without elevation no key is registered, renamed or removed', async (t) => {
    const { signIn, app, house } = await openWebauthnScene(t)
    const jane = await signIn('jane')
    await register(jane)
    const [one] = (await jane.ask('GET', `${SECOND}/credentials`)).json.data
    const visitors = [await signIn('jane', { elevated: false }), browserAt(app, house.domain)]
    for (const visitor of visitors) {
      for (const [method, path] of [
        ['PUT', REGISTER],
        ['POST', REGISTER],
        ['DELETE', REGISTER],
        ['PUT', `${SECOND}/credential/${one.id}`],
        ['DELETE', `${SECOND}/credential/${one.id}`],
      ] as const)
        assert.equal((await visitor.ask(method, path, { description: 'x' })).status, 403)
    }
    assert.equal((await jane.ask('GET', `${SECOND}/credentials`)).json.data.length, 1)
  })

  test('no key is registered while the user may not enrol one', async (t) => {
    let mayEnrol = true
    const { signIn } = await openWebauthnScene(t, {
      secondFactor: { mayEnrol: async () => mayEnrol },
    })
    const john = await signIn('john')
    const begun = await john.ask('PUT', REGISTER, { description: 'Key' })
    mayEnrol = false
    const { challenge } = begun.json.data.publicKey
    const answer = createSoftKey().create(asked(john, challenge))
    assert.equal((await john.ask('POST', REGISTER, answer)).status, 403)
    assert.equal((await john.ask('PUT', REGISTER, { description: 'Key' })).status, 403)
  })

  test('names are unique for a user, in capitals or not; two users may use the same one', async (t) => {
    const { signIn } = await openWebauthnScene(t)
    const john = await signIn('john')
    assert.equal((await register(john, 'Key')).status, 201)
    assert.equal((await register(john, ' KEY ')).status, 409)
    assert.equal((await register(john, 'Other')).status, 201)
    const { data } = (await john.ask('GET', `${SECOND}/credentials`)).json
    const other = data.find(({ description }: { description: string }) => description === 'Other')
    const path = `${SECOND}/credential/${other.id}`
    assert.equal((await john.ask('PUT', path, { description: 'key' })).status, 409)
    assert.equal((await john.ask('PUT', path, { description: 'OTHER' })).status, 200)
    for (const description of ['', '   ', 'a\nb', 'x'.repeat(65), 7, null])
      assert.equal((await john.ask('PUT', path, { description })).status, 400)
    assert.equal((await register(await signIn('jane'), 'Key')).status, 201)
  })

  test("another user's key is of no use, and cannot be touched", async (t) => {
    const { signIn, failed } = await openWebauthnScene(t)
    const [john, jane] = [await signIn('john'), await signIn('jane')]
    const { key } = await register(john)
    assert.equal((await register(jane, 'Stolen', { key })).status, 403, 'no two users share a key')
    await register(jane)
    assert.equal((await show(jane, key)).status, 403)
    assert.deepEqual(failed, ['example.com webauthn'])
    const [one] = (await john.ask('GET', `${SECOND}/credentials`)).json.data
    const path = `${SECOND}/credential/${one.id}`
    assert.equal((await jane.ask('DELETE', path)).status, 403)
    assert.equal((await jane.ask('PUT', path, { description: 'Mine' })).status, 403)
    assert.equal((await show(john, key)).status, 200)
  })

  test('a key works at the portal of its domain alone, and is listed everywhere', async (t) => {
    const { signIn, house } = await openWebauthnScene(t)
    const [com, org] = house.sessions.domains
    assert.ok(com && org)
    const { key } = await register(await signIn('john', { domain: com }))
    const there = await signIn('john', { domain: org })
    assert.equal((await there.ask('GET', SECOND)).status, 403)
    const [one] = (await there.ask('GET', `${SECOND}/credentials`)).json.data
    assert.equal(one.rpid, 'auth.example.com')
    const second = await register(there, 'Other')
    assert.equal(second.options.rp.id, 'auth.example.org')
    assert.equal((await show(there, key)).status, 403)
    assert.equal((await show(there, second.key)).status, 200)
  })
})

suite('a key that elevates the session', () => {
  test('answers what was asked for it, as a method of second factors', async (t) => {
    const { signIn, app, webauthn, options, events } = await openWebauthnScene(t)
    const record = (name: EventName, event: Happening) => events.push([name, event])
    const method = webauthnMethod({ webauthn, audit: { record }, log: { info() {} } })
    await app.register(async (own) => {
      await own.register(portalContexts, options)
      own.post('/verify', { config: { guard: 'user' } }, async (request) => {
        return { factor: (await method.verify(request, request.body))?.factor }
      })
    })
    const john = await signIn('john', { elevated: false })
    const challengePath = '/api/user/session/elevation/webauthn'
    assert.equal((await john.ask('POST', challengePath)).status, 403, 'there is no key yet')
    const { key } = await register(await signIn('john'))
    const { challenge } = (await john.ask('POST', challengePath)).json.data.publicKey
    const answer = key.get(asked(john, challenge))
    assert.deepEqual((await john.ask('POST', '/verify', { no: 'answer' })).json, {})
    assert.deepEqual((await john.ask('POST', '/verify', answer)).json, { factor: 'webauthn' })
    assert.deepEqual((await john.ask('POST', '/verify', answer)).json, {})
    assert.equal(await method.remove('john'), 1)

    const copied = await register(await signIn('john'), 'Copied', { more: { signCount: 5 } })
    const again = (await john.ask('POST', challengePath)).json.data.publicKey.challenge
    const late = copied.key.get({ ...asked(john, again), signCount: 4 })
    assert.deepEqual((await john.ask('POST', '/verify', late)).json, {})
    const [event, about] = events.at(-1) ?? []
    assert.deepEqual([event, about?.details], ['webauthn.cloned', { key: 'Copied' }])
  })
})

suite('a challenge', () => {
  test('is good once: of many who send the same answer at once, one passes', async (t) => {
    const { signIn } = await openWebauthnScene(t)
    const john = await signIn('john')
    const { key } = await register(john)
    const { challenge } = (await john.ask('GET', SECOND)).json.data.publicKey
    const body = { response: key.get(asked(john, challenge)) }
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => john.ask('POST', SECOND, body)),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [
      200,
      ...Array.from({ length: 9 }, () => 403),
    ])
    assert.equal((await john.ask('POST', SECOND, body)).status, 403)
  })

  test('is good for its sign-in, user, domain and purpose, for a minute', async (t) => {
    const { signIn, house } = await openWebauthnScene(t)
    const john = await signIn('john')
    const { key } = await register(john)
    const challengeOf = async () => (await john.ask('GET', SECOND)).json.data.publicKey.challenge
    const answer = (challenge: string) => ({ response: key.get(asked(john, challenge)) })
    const otherSignIn = await signIn('john')
    assert.equal((await otherSignIn.ask('POST', SECOND, answer(await challengeOf()))).status, 403)
    const begun = (await john.ask('PUT', REGISTER, { description: 'Other' })).json.data.publicKey
    assert.equal((await john.ask('POST', SECOND, answer(begun.challenge))).status, 403)
    const passkey = (await john.ask('GET', PASSKEY)).json.data.publicKey
    assert.equal((await john.ask('POST', SECOND, answer(passkey.challenge))).status, 403)
    assert.equal((await john.ask('POST', SECOND, answer(stranger()))).status, 403)
    const early = await challengeOf()
    house.clock.advance(59_999)
    const late = await challengeOf()
    assert.equal((await john.ask('POST', SECOND, answer(early))).status, 200)
    house.clock.advance(60_000)
    assert.equal((await john.ask('POST', SECOND, answer(late))).status, 403)
  })

  test('of a registration ends with the next one, when it is cancelled, and with a wrong answer', async (t) => {
    const { signIn } = await openWebauthnScene(t)
    const john = await signIn('john')
    const begin = async () =>
      (await john.ask('PUT', REGISTER, { description: 'Key' })).json.data.publicKey.challenge
    const finish = async (challenge: string) =>
      (await john.ask('POST', REGISTER, createSoftKey().create(asked(john, challenge)))).status
    const first = await begin()
    const second = await begin()
    assert.equal(await finish(first), 403)
    assert.equal(await finish(second), 403, 'it was used up by the wrong answer')
    const third = await begin()
    assert.equal((await john.ask('DELETE', REGISTER)).status, 200)
    assert.equal(await finish(third), 403)
    const fourth = await begin()
    assert.equal(await finish(fourth), 201)
    assert.equal(await finish(fourth), 403)
  })
})

suite('what a key must be like', () => {
  test('one that counts back is refused, from then on, and it is written down', async (t) => {
    const { signIn, events } = await openWebauthnScene(t)
    const john = await signIn('john')
    const { key } = await register(john, 'Key', { more: { signCount: 5 } })
    assert.equal((await show(john, key, { more: { signCount: 6 } })).status, 200)
    assert.equal((await show(john, key, { more: { signCount: 6 } })).status, 403)
    const [name, event] = events.at(-1) ?? []
    assert.equal(name, 'webauthn.cloned')
    assert.deepEqual(event?.details, { key: 'Key' })
    assert.equal((await show(john, key, { more: { signCount: 7 } })).status, 403)
    const [one] = (await john.ask('GET', `${SECOND}/credentials`)).json.data
    assert.equal(one.clone_warning, true)
    assert.equal(one.sign_count, 6)
  })

  test('a count that was not signed marks no key as copied', async (t) => {
    const { signIn } = await openWebauthnScene(t)
    const john = await signIn('john')
    const { key } = await register(john, 'Key', { more: { signCount: 5 } })
    const { challenge } = (await john.ask('GET', SECOND)).json.data.publicKey
    const forger = createSoftKey()
    const response = forger.get({ ...asked(john, challenge), signCount: 1, id: key.id })
    assert.equal((await john.ask('POST', SECOND, { response })).status, 403)
    assert.equal((await show(john, key, { more: { signCount: 6 } })).status, 200)
  })

  test('where verification is required, a key that only was touched is refused', async (t) => {
    const config = { selection_criteria: { user_verification: 'required' } }
    const { signIn } = await openWebauthnScene(t, { config })
    const john = await signIn('john')
    assert.equal((await register(john, 'Key', { more: { verified: false } })).status, 403)
    const { key, status } = await register(john)
    assert.equal(status, 201)
    assert.equal((await show(john, key, { more: { verified: false } })).status, 403)
    assert.equal((await show(john, key, { more: { present: false } })).status, 403)
    assert.equal((await show(john, key)).status, 200)
  })

  test('a verified key is a passkey where it counts as two factors, and else possession', async (t) => {
    for (const [config, factor] of [
      [{}, 'webauthn'],
      [{ passkey_counts_as_two_factor: true }, 'passkey'],
      [{ experimental_enable_passkey_uv_two_factors: true }, 'passkey'],
    ] as const) {
      const { signIn } = await openWebauthnScene(t, { config })
      const john = await signIn('john')
      const { key } = await register(john)
      await show(john, key, { more: { verified: false } })
      const touched = (await john.ask('GET', '/who')).json.factors
      assert.deepEqual(touched, ['password', 'webauthn'])
      await show(john, key)
      assert.ok((await john.ask('GET', '/who')).json.factors.includes(factor))
    }
  })

  test('models and copies are filtered', async (t) => {
    const model = '01020304-0506-0708-090a-0b0c0d0e0f10'
    const aaguid = Buffer.from(model.replaceAll('-', ''), 'hex')
    for (const [filtering, more, status] of [
      [{ permitted_aaguids: [model.toUpperCase()] }, { aaguid }, 201],
      [{ permitted_aaguids: [model.replaceAll('-', '')] }, {}, 403],
      [{ prohibited_aaguids: [model] }, { aaguid }, 403],
      [{ prohibited_aaguids: [model] }, {}, 201],
      [{ prohibit_backup_eligibility: true }, { backupEligible: true }, 403],
      [{ prohibit_backup_eligibility: true }, {}, 201],
    ] as const) {
      const { signIn } = await openWebauthnScene(t, { config: { filtering } })
      assert.equal((await register(await signIn('john'), 'Key', { more })).status, status)
    }
  })

  test('a row that was copied to another user opens nothing', async (t) => {
    const { signIn, storage } = await openWebauthnScene(t)
    const [john, jane] = [await signIn('john'), await signIn('jane')]
    const { key } = await register(john)
    await register(jane, 'Own')
    storage.sqlite.exec(
      "update webauthn_credentials set user_name = 'jane' where user_name = 'john'",
    )
    assert.equal((await show(jane, key)).status, 503)
    storage.sqlite.exec(
      "update webauthn_credentials set user_name = 'john' where description = 'Key'",
    )
    assert.equal((await show(john, key)).status, 200)
  })
})
