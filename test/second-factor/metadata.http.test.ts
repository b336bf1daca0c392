/** FIDO metadata: a chain and a file of our own, in the form of the Alliance's. */
import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { CompactSign } from 'jose'
import { pino } from 'pino'
import {
  type MetadataOptions,
  openMetadata,
} from '../../src/features/second-factor/methods/webauthn/metadata/metadata.ts'
import { metadata as section } from '../../src/features/second-factor/methods/webauthn/metadata/settings.ts'
import { type Answering, createSoftKey } from '../support/authenticator.ts'
import { type Issued, issue } from '../support/certificates.ts'
import { FakeClock } from '../support/clock.ts'
import { openWebauthnScene } from './webauthn-scene.ts'

const REGISTER = '/api/secondfactor/webauthn/credential/register'
const MODEL = '11223344-5566-4788-99aa-bbccddeeff00'

const root = await issue('CN=Root of the tests')
const intermediate = await issue('CN=Intermediate', { by: root })
const signer = await issue('CN=MDS', {
  by: intermediate,
  isAuthority: false,
  host: 'mds.fidoalliance.org',
})
const maker = await issue('CN=Maker')
const NAMES = 'C=SE, O=Maker, OU=Authenticator Attestation, CN=Key'
const device = await issue(NAMES, { by: maker, isAuthority: false })

interface Content {
  readonly no?: number
  readonly nextUpdate?: string
  readonly statuses?: readonly string[]
  readonly aaguid?: string
}

async function blobOf(
  {
    no = 7,
    nextUpdate = '2039-12-31',
    statuses = ['FIDO_CERTIFIED_L1'],
    aaguid = MODEL,
  }: Content = {},
  by: Issued = signer,
  chain: readonly Issued[] = [by, intermediate],
): Promise<string> {
  const entry = {
    aaguid,
    statusReports: statuses.map((status) => ({ status, effectiveDate: '2020-01-01' })),
    timeOfLastStatusChange: '2020-01-01',
    metadataStatement: { attestationRootCertificates: [maker.base64] },
  }
  const payload = { no, nextUpdate, legalHeader: 'tests', entries: [{ statusReports: [] }, entry] }
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c: chain.map(({ base64 }) => base64) })
    .sign(by.privateKey)
}

function placeOf(t: TestContext, blob: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'vestibule-mds-'))
  t.after(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'root.pem'), root.certificate.toString('pem'))
  const write = (text: string) => writeFileSync(join(cwd, 'blob.jwt'), text)
  write(blob)
  return { cwd, write }
}

const configOf = (more: Readonly<Record<string, unknown>> = {}) =>
  section.parse({ enabled: true, path: 'blob.jwt', trust_anchor: 'root.pem', ...more })

/** A portal that looks keys up in this file. `enrol` answers with the status, and why it was refused. */
async function openScene(
  t: TestContext,
  content: Content = {},
  more: Readonly<Record<string, unknown>> = {},
) {
  const { cwd, write } = placeOf(t, await blobOf(content))
  const scene = await openWebauthnScene(t, {
    metadata: (tools) => openMetadata({ ...tools, cwd, config: configOf(more) }),
  })
  const john = await scene.signIn('john')
  let count = 0
  const enrol = async (answer: Partial<Answering> = {}) => {
    const begun = await john.ask('PUT', REGISTER, { description: `Key ${count++}` })
    const { challenge } = begun.json.data.publicKey
    const asked = { origin: john.origin, rpId: john.rpId, challenge }
    const made = createSoftKey().create({ ...asked, ...signedBy(device), ...answer })
    const from = scene.logged.length
    const { status } = await john.ask('POST', REGISTER, made)
    return { status, log: scene.logged.slice(from).join('\n') }
  }
  return { ...scene, enrol, write }
}

/** What a key of the model says, signed by its maker. */
const signedBy = ({ privateKey, der }: Issued): Partial<Answering> => ({
  aaguid: Buffer.from(MODEL.replaceAll('-', ''), 'hex'),
  attest: (signed) =>
    new Map<string, number | Buffer | readonly Buffer[]>([
      ['alg', -7],
      ['sig', sign('sha256', signed, privateKey)],
      ['x5c', [der]],
    ]),
})

suite('keys that are looked up in the FIDO metadata', () => {
  test('a key of a known model, signed by its maker, is taken', async (t) => {
    const { enrol } = await openScene(t)
    assert.equal((await enrol()).status, 201)
  })

  test('a key that names a model and does not prove it is refused', async (t) => {
    const { enrol } = await openScene(t)
    const other = await issue('CN=Maker')
    const forged = await issue(NAMES, { by: other, isAuthority: false })
    const refused = await enrol(signedBy(forged))
    assert.equal(refused.status, 403)
    assert.match(refused.log, /does not prove that it is of model/)
    const { aaguid } = signedBy(device)
    const silent = { aaguid: aaguid ?? new Uint8Array(), attest: () => new Map(), fmt: 'none' }
    assert.match((await enrol(silent)).log, /no maker has signed its statement/)
    const over = await issue(NAMES, { by: maker, isAuthority: false, until: '2021-01-01' })
    assert.equal((await enrol(signedBy(over))).status, 403)
  })

  test('an unknown model, and a key that tells none, are refused unless they are allowed', async (t) => {
    const strict = await openScene(t, { aaguid: '99999999-5566-4788-99aa-bbccddeeff00' })
    assert.match((await strict.enrol()).log, /does not know model 11223344-/)
    const none = { aaguid: Buffer.alloc(16) }
    assert.match((await strict.enrol(none)).log, /does not tell its model/)
    const loose = await openScene(
      t,
      { aaguid: '99999999-5566-4788-99aa-bbccddeeff00' },
      { validate_entry: false },
    )
    assert.equal((await loose.enrol()).status, 201)
    const zero = await openScene(t, {}, { validate_entry_permit_zero_aaguid: true })
    assert.equal((await zero.enrol(none)).status, 201)
  })

  test('the statuses of a model decide', async (t) => {
    const revoked = { statuses: ['REVOKED', 'FIDO_CERTIFIED'] }
    const { enrol } = await openScene(t, revoked)
    const refused = await enrol()
    assert.deepEqual([refused.status, /has the status REVOKED/.test(refused.log)], [403, true])
    for (const [content, more, status] of [
      [revoked, { validate_status: false }, 201],
      [revoked, { validate_status_prohibited: [] }, 201],
      [{}, { validate_status_permitted: ['FIDO_CERTIFIED_L2'] }, 403],
      [{}, { validate_status_permitted: ['FIDO_CERTIFIED_L2', 'FIDO_CERTIFIED_L1'] }, 201],
      [
        { statuses: ['NOT_FIDO_CERTIFIED'] },
        { validate_status_prohibited: ['FIDO_NOT_CERTIFIED'] },
        403,
      ],
    ] as const) {
      const scene = await openScene(t, content, more)
      assert.equal((await scene.enrol()).status, status, JSON.stringify([content, more]))
    }
  })

  test('a file that has changed is read again; a broken or an older one is not', async (t) => {
    const { enrol, write, logged } = await openScene(t)
    write(await blobOf({ no: 8, statuses: ['REVOKED'] }))
    assert.equal((await enrol()).status, 403)
    write('not metadata')
    assert.equal((await enrol()).status, 403)
    write(await blobOf({ no: 7 }))
    assert.equal((await enrol()).status, 403)
    assert.match(logged.join('\n'), /it is no signed metadata.*the former counts/s)
    assert.match(logged.join('\n'), /it is older than the one before/)
    write(await blobOf({ no: 9 }))
    assert.equal((await enrol()).status, 201)
  })

  test('without a file no key is taken', async (t) => {
    const { enrol } = await openScene(t, {}, { path: '' })
    const refused = await enrol()
    assert.equal(refused.status, 403)
    assert.match(refused.log, /path names no file/)
  })

  test('past its time no key is taken, or the log alone says so', async (t) => {
    for (const [cache_policy, status] of [
      ['strict', 403],
      ['relaxed', 201],
    ] as const) {
      const scene = await openScene(t, { nextUpdate: '2020-01-01' }, { cache_policy })
      assert.match(scene.logged.join('\n'), /The FIDO metadata is out of date/)
      assert.equal((await scene.enrol()).status, status)
    }
  })
})

suite('the start refuses a file', () => {
  const refused = async (
    t: TestContext,
    blob: string,
    more: Readonly<Record<string, unknown>> = {},
  ) => {
    const { cwd } = placeOf(t, blob)
    const clock = new FakeClock()
    const log = pino({ level: 'silent' })
    const options: MetadataOptions = { cwd, config: configOf(more), clock, log }
    return openMetadata(options).then(
      () => 'taken',
      (error: Error) => error.message,
    )
  }

  test('of another root, another signer, with a broken chain, or changed', async (t) => {
    const good = await blobOf()
    assert.equal(await refused(t, good), 'taken')
    // The root that counts without trust_anchor is the Alliance's.
    assert.match(await refused(t, good, { trust_anchor: '' }), /lead to no known root/)
    const stranger = await issue('CN=Root of the tests')
    const foreign = await issue('CN=MDS', {
      by: stranger,
      isAuthority: false,
      host: 'mds.fidoalliance.org',
    })
    assert.match(await refused(t, await blobOf({}, foreign, [foreign])), /lead to no known root/)
    assert.match(
      await refused(t, await blobOf({}, foreign, [foreign, stranger, root])),
      /is not signed by the next one|no known root/,
    )
    const shop = await issue('CN=Shop', {
      by: intermediate,
      isAuthority: false,
      host: 'shop.example.com',
    })
    assert.match(await refused(t, await blobOf({}, shop)), /signed by another host/)
    assert.equal(await refused(t, await blobOf({}, shop), { signer: 'shop.example.com' }), 'taken')
    const leaf = await issue('CN=MDS', {
      by: shop,
      isAuthority: false,
      host: 'mds.fidoalliance.org',
    })
    assert.match(
      await refused(t, await blobOf({}, leaf, [leaf, shop, intermediate])),
      /is not signed by the next one/,
      'a certificate of no authority signs none',
    )
    const over = await issue('CN=MDS', {
      ...{
        by: intermediate,
        isAuthority: false,
        host: 'mds.fidoalliance.org',
        until: '2021-01-01',
      },
    })
    assert.match(await refused(t, await blobOf({}, over)), /is over/)

    const [header = '', payload = '', signature = ''] = good.split('.')
    const changed = Buffer.from(payload, 'base64url').toString().replace('L1', 'L3')
    const tampered = [header, Buffer.from(changed).toString('base64url'), signature].join('.')
    assert.match(await refused(t, tampered), /its signature is not right/)
    const unsigned = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(header, 'base64url').toString()), alg: 'none' }),
    ).toString('base64url')
    assert.match(await refused(t, `${unsigned}.${payload}.`), /its signature is not right/)
    for (const text of ['', 'x', `${header}.${payload}`, '{}', `${payload}.${payload}.x`])
      assert.match(await refused(t, text), /^webauthn\.metadata\.path: \S+: it /)
  })

  test('that is missing, and a trust anchor that is none', async (t) => {
    const good = await blobOf()
    assert.match(
      await refused(t, good, { path: 'gone' }),
      /path: \S+gone: it cannot be read \(ENOENT/,
    )
    assert.match(await refused(t, good, { trust_anchor: 'blob.jwt' }), /holds no certificate/)
  })
})
