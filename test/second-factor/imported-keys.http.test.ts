/** Keys that came in a file. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { createStoredKeys } from '../../src/features/second-factor/stored/stored-keys.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { SECRET } from '../sessions/house.ts'
import { createSoftKey } from '../support/authenticator.ts'
import { openWebauthnScene } from './webauthn-scene.ts'

const SECOND = '/api/secondfactor/webauthn'
const REGISTER = `${SECOND}/credential/register`
const handle = () => randomBytes(32).toString('base64url')

/** Registers a key at one portal, and takes it to another one. `show` answers with the status of a sign-in with it. */
async function moved(t: TestContext, more: { readonly keepsHandle: boolean }) {
  const stored = ({ storage }: Awaited<ReturnType<typeof openWebauthnScene>>) =>
    createStoredKeys({ storage, sealer: async () => createSealer([SECRET], 'storage') })
  const old = await openWebauthnScene(t)
  const before = await old.signIn('john')
  const key = createSoftKey()
  const begun = await before.ask('PUT', REGISTER, { description: 'Key' })
  const { challenge, user } = begun.json.data.publicKey
  const { origin, rpId } = before
  assert.equal(
    (await before.ask('POST', REGISTER, key.create({ challenge, origin, rpId }))).status,
    201,
  )
  const entries = await stored(old).entries('john')
  assert.equal(entries[0]?.handle, user.id)

  const scene = await openWebauthnScene(t)
  const file = more.keepsHandle ? entries : entries.map((one) => ({ ...one, handle: null }))
  await stored(scene).put(file, { force: false, dryRun: false })
  const show = async (name: string, userHandle: string) => {
    const browser = await scene.signIn(name)
    const asked = await browser.ask('GET', SECOND)
    if (asked.status !== 200) return asked.status
    const { challenge } = asked.json.data.publicKey
    const response = key.get({ challenge, origin, rpId, userHandle })
    return (await browser.ask('POST', SECOND, { response })).status
  }
  return { show, user: user.id as string }
}

test('a key opens with what it called its user where it came from', async (t) => {
  const { show, user } = await moved(t, { keepsHandle: true })
  assert.equal(await show('john', handle()), 403)
  assert.equal(await show('john', user), 200)
  assert.equal(await show('jane', user), 403)
})

test('of a file that does not say what a key calls its user, the first right answer does', async (t) => {
  const { show } = await moved(t, { keepsHandle: false })
  const first = handle()
  assert.equal(await show('jane', first), 403)
  assert.equal(await show('john', first), 200)
  assert.equal(await show('john', first), 200)
  assert.equal(await show('john', handle()), 403)
})
