import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Answering, cbor, createSoftKey } from '../support/authenticator.ts'
import { type Browser, openWebauthnScene } from './webauthn-scene.ts'

const SECOND = '/api/secondfactor/webauthn'
const REGISTER = `${SECOND}/credential/register`
const PASSKEY = '/api/firstfactor/passkey'

const encoded = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')
const REFUSED: readonly number[] = [400, 403, 413]

/** Bodies that are no answer of a browser. */
function bodies(answer: Record<string, unknown>): readonly (readonly [string, unknown])[] {
  const response = answer['response'] as Record<string, unknown> // as the soft key makes it
  const wrong: (readonly [string, unknown])[] = [
    ['nothing', ''],
    ['half of a map', '{"response":'],
    ['a list', []],
    ['null', 'null'],
    ['a text', '"x"'],
    ['a number', '7'],
    ['an empty map', {}],
    ['a megabyte', JSON.stringify({ response: 'x'.repeat(1_048_576) })],
    ['a deep list', '['.repeat(50_000)],
    [
      'many names',
      JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [i, i]))),
    ],
    ['another type', { ...answer, type: 'password' }],
    ['a huge id', { ...answer, id: 'A'.repeat(20_000), rawId: 'A'.repeat(20_000) }],
    ['two ids', { ...answer, rawId: encoded('other') }],
    ['an id that is no base64url', { ...answer, id: '+/=', rawId: '+/=' }],
    ['a prototype', `{"__proto__":{"id":"x"},"constructor":1,"response":{}}`],
  ]
  for (const name of ['id', 'rawId', 'type', 'response'])
    for (const value of [undefined, null, 1, [], {}, '', true, ['x']])
      wrong.push([`${name}: ${JSON.stringify(value)}`, { ...answer, [name]: value }])
  const parts = [...Object.keys(response)].filter((name) => name !== 'transports')
  // What is not there is no user handle: a key that is no passkey sends none.
  for (const name of parts)
    for (const value of [
      undefined,
      null,
      1,
      [],
      {},
      '',
      'AA',
      encoded('{}'),
      encoded('null'),
      encoded('\xff'),
      'A'.repeat(9000),
    ])
      if (name !== 'userHandle' || typeof value === 'object')
        wrong.push([
          `response.${name}: ${JSON.stringify(value)?.slice(0, 20)}`,
          { ...answer, response: { ...response, [name]: value } },
        ])
  return wrong.filter(([name]) => !/userHandle: null/.test(name))
}

/** Answers as a browser would make them, of another site or another ceremony. */
const strangers: readonly (readonly [string, Partial<Answering>])[] = [
  ['another origin', { origin: 'https://evil.example.com' }],
  ['the origin with a port', { origin: 'https://auth.example.com:8443' }],
  ['the origin in plain', { origin: 'http://auth.example.com' }],
  ['the origin with a slash', { origin: 'https://auth.example.com/' }],
  ['a frame of another origin', { clientData: { crossOrigin: true } }],
  [
    'a frame of a named origin',
    { clientData: { crossOrigin: true, topOrigin: 'https://evil.example' } },
  ],
  ['a top origin alone', { clientData: { topOrigin: 'https://evil.example' } }],
  ['crossOrigin that is no flag', { clientData: { crossOrigin: 'false' } }],
  ['the RP ID of another host', { rpId: 'auth.example.org' }],
  ['the RP ID of the domain', { rpId: 'example.com' }],
  ['no presence', { present: false, verified: false }],
  ['another ceremony', { clientData: { type: 'payment.get' } }],
  ['a challenge that is a list', { clientData: { challenge: [] } }],
  ['a token binding that is none', { clientData: { tokenBinding: 'x' } }],
  ['a challenge nobody issued', { challenge: encoded(Buffer.alloc(32)) }],
  ['the hash of no RP ID', { rpId: '' }],
]

suite('hostile answers are refused and never break the server', () => {
  const begin = async (browser: Browser, method: 'GET' | 'PUT', path: string) => {
    const body = method === 'PUT' ? { description: 'Hostile' } : undefined
    const { challenge } = (await browser.ask(method, path, body)).json.data.publicKey
    return { challenge, origin: browser.origin, rpId: browser.rpId }
  }

  test('to a registration', async (t) => {
    const { signIn } = await openWebauthnScene(t)
    const john = await signIn('john')
    const key = createSoftKey()
    const send = async (name: string, make: (asked: Answering) => unknown) => {
      const body = make(await begin(john, 'PUT', REGISTER))
      const { status } = await john.ask('POST', REGISTER, body)
      assert.ok(REFUSED.includes(status), `${name}: ${status}`)
    }
    for (const [index, [name]] of bodies(key.create(await begin(john, 'PUT', REGISTER))).entries())
      await send(name, (asked) => bodies(key.create(asked))[index]?.[1])
    for (const [name, more] of strangers)
      await send(name, (asked) => key.create({ ...asked, ...more }))
    for (const alg of [-257, -8, -35, -36, -65535, 0, 7])
      await send(`algorithm ${alg}`, (asked) => key.create({ ...asked, alg }))
    await send('an id that was not signed', (asked) =>
      key.create({ ...asked, id: encoded('other') }),
    )
    await send('an assertion', (asked) => key.get(asked))
    assert.deepEqual((await john.ask('GET', `${SECOND}/credentials`)).json.data, [])
  })

  test('attestation of every format, with statements that say anything', async (t) => {
    const { signIn } = await openWebauthnScene(t)
    const john = await signIn('john')
    const key = createSoftKey()
    const junk = [
      new Map([['x', 1]]),
      new Map<string, number | Buffer>([
        ['alg', -7],
        ['sig', Buffer.alloc(70)],
      ]),
      new Map<string, string | number | Buffer | readonly Buffer[]>([
        ['alg', -7],
        ['sig', Buffer.alloc(70)],
        ['x5c', [Buffer.alloc(300, 0x30), Buffer.alloc(10)]],
        ['ver', '2.0'],
        ['certInfo', Buffer.alloc(100)],
        ['pubArea', Buffer.alloc(100)],
        ['response', Buffer.from('a.b.c')],
      ]),
    ]
    for (const fmt of [
      'none',
      'packed',
      'fido-u2f',
      'tpm',
      'android-key',
      'android-safetynet',
      'apple',
      'compound',
      '',
      '__proto__',
    ])
      for (const attStmt of junk) {
        const asked = await begin(john, 'PUT', REGISTER)
        const { status } = await john.ask('POST', REGISTER, key.create({ ...asked, fmt, attStmt }))
        assert.equal(status, 403, `${fmt} ${[...attStmt.keys()]}`)
      }
    const deep = Buffer.concat([Buffer.alloc(40_000, 0x81), Buffer.of(0)])
    const long = Buffer.concat([Buffer.of(0x9b), Buffer.alloc(8, 0xff)])
    const huge = Buffer.concat([Buffer.of(0x5b), Buffer.alloc(8, 0x7f)])
    const noData = cbor(
      new Map<string, string | Map<string, number>>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', 'text'],
      ]),
    )
    for (const bytes of [
      deep,
      long,
      huge,
      noData,
      Buffer.alloc(0),
      Buffer.of(0xa0),
      Buffer.of(0xf6),
    ]) {
      const answer = key.create(await begin(john, 'PUT', REGISTER))
      const response = { ...(answer['response'] as object), attestationObject: encoded(bytes) }
      const { status } = await john.ask('POST', REGISTER, { ...answer, response })
      assert.ok(REFUSED.includes(status), `${bytes.subarray(0, 4).toString('hex')}: ${status}`)
    }
    assert.deepEqual((await john.ask('GET', `${SECOND}/credentials`)).json.data, [])
  })

  for (const path of [SECOND, PASSKEY])
    test(`to ${path}`, async (t) => {
      const { signIn } = await openWebauthnScene(t)
      const john = await signIn('john')
      const key = createSoftKey()
      const made = (await john.ask('PUT', REGISTER, { description: 'Key' })).json.data.publicKey
      const site = { origin: john.origin, rpId: john.rpId }
      const created = key.create({ ...site, challenge: made.challenge })
      assert.equal((await john.ask('POST', REGISTER, created)).status, 201)
      const userHandle = made.user.id
      const send = async (name: string, make: (asked: Answering) => unknown) => {
        const body = make({ ...(await begin(john, 'GET', path)), userHandle })
        const { status } = await john.ask('POST', path, body)
        assert.ok(REFUSED.includes(status), `${name}: ${status}`)
      }
      const wrap = (response: unknown) => (typeof response === 'string' ? response : { response })
      for (const [index, [name]] of bodies(
        key.get({ ...site, challenge: 'A', userHandle }),
      ).entries())
        await send(name, (asked) => wrap(bodies(key.get(asked))[index]?.[1]))
      for (const [name, more] of strangers)
        await send(name, (asked) => wrap(key.get({ ...asked, ...more })))
      for (const target of [1, [], {}, 'x'.repeat(20_000)])
        await send('a target', (asked) => ({ response: key.get(asked), targetURL: target }))
      await send('a registration', (asked) => wrap(key.create(asked)))
      await send('not wrapped', (asked) => key.get(asked))
    })
})
