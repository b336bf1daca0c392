import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { suite, type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { z } from 'zod'
import { createSmtpChannel } from '../../src/features/notify/channels/index.ts'
import { Scram } from '../../src/features/notify/channels/scram.ts'
import { mechanismFor } from '../../src/features/notify/channels/smtp-auth.ts'
import manifest from '../../src/features/notify/manifest.ts'
import { listen, makeAuthority } from '../support/mail-server.ts'

test('the example of RFC 5802 (SHA-1)', async () => {
  const scram = new Scram('sha1', 'user', 'fyko+d2lbbFgONRv9qkxdawL')
  assert.equal(scram.first(), 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL')
  const challenge = 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096'
  assert.equal(
    await scram.final(challenge, 'pencil'),
    'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
  )
  assert.equal(scram.confirms('v=rmF9pqV8S7suAoZWja4dJRkFsKQ='), true)
  assert.equal(scram.confirms('v=smF9pqV8S7suAoZWja4dJRkFsKQ='), false)
})

test('the example of RFC 7677 (SHA-256)', async () => {
  const scram = new Scram('sha256', 'user', 'rOprNGfwEbeRWgbNEkqO')
  const challenge =
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
  assert.equal(
    await scram.final(challenge, 'pencil'),
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  )
  assert.equal(scram.confirms('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='), true)
})

test('a server that makes up a nonce, or asks for endless work, gets no proof', async () => {
  const scram = new Scram('sha256', 'user', 'ours')
  for (const challenge of [
    'r=theirs,s=AAAA,i=4096',
    'r=ours,s=AAAA,i=4096',
    'r=ours1,s=AAAA,i=999999999',
    'r=ours1,s=AAAA,i=0',
    '',
  ])
    await assert.rejects(scram.final(challenge, 'pencil'), challenge)
})

test('the strongest way that a server offers is taken', () => {
  const offer = (names: string) =>
    mechanismFor(`250-mail.example.com\r\n250-AUTH ${names}\r\n250 8BITMIME\r\n`)
  assert.equal(offer('PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256'), 'SCRAM-SHA-256')
  assert.equal(offer('LOGIN PLAIN'), 'PLAIN')
  assert.equal(offer('login CRAM-MD5'), 'CRAM-MD5')
  assert.equal(offer('XOAUTH2 SCRAM-SHA-256-PLUS'), undefined)
  assert.equal(mechanismFor('250 mail.example.com'), undefined)
})

const PASSWORD = 'pencil of the mail server'

/** A mail server that knows SCRAM-SHA-256 alone. @param honest whether it proves that it knows the password */
async function startScramServer(t: TestContext, honest: boolean) {
  const authority = makeAuthority(t)
  const seen: string[] = []
  const server = tls.createServer({ ...authority.issue('localhost') }, (socket) => {
    socket.on('error', () => {})
    t.after(() => void socket.destroy())
    const say = (line: string) => socket.write(`${line}\r\n`)
    const encode = (text: string) => Buffer.from(text).toString('base64')
    let state = { bare: '', challenge: '' }
    say('220 localhost')
    const answer = (line: string): unknown => {
      seen.push(line)
      if (line.startsWith('EHLO')) return say('250-localhost\r\n250 AUTH SCRAM-SHA-256')
      const [, first] = /^AUTH SCRAM-SHA-256 (.*)$/.exec(line) ?? []
      if (first !== undefined) {
        const bare = Buffer.from(first, 'base64').toString().slice('n,,'.length)
        const nonce = /,r=([^,]*)$/.exec(bare)?.[1] ?? ''
        state = { bare, challenge: `r=${nonce}server,s=${encode('salt')},i=4096` }
        return say(`334 ${encode(state.challenge)}`)
      }
      if (line === '') return say('235 welcome')
      if (line === 'QUIT') return socket.end('221 bye\r\n')
      const final = Buffer.from(line, 'base64').toString()
      const { right, signature } = judge(state, final)
      if (!right) return say('535 no')
      return say(`334 ${encode(`v=${honest ? signature : encode('made up')}`)}`)
    }
    let rest = ''
    socket.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) answer(line)
    })
  })
  return { port: await listen(t, server), trusted: [authority.cert], seen }
}

function judge({ bare, challenge }: { bare: string; challenge: string }, final: string) {
  const salted = pbkdf2Sync(PASSWORD, 'salt', 4096, 32, 'sha256')
  const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const [withoutProof = '', proof = ''] = final.split(',p=')
  const message = `${bare},${challenge},${withoutProof}`
  const stored = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
  const mask = hmac(stored, message)
  const key = Buffer.from(proof, 'base64').map((byte, index) => byte ^ (mask[index] ?? 0))
  return {
    right: createHash('sha256').update(key).digest().equals(stored),
    signature: hmac(hmac(salted, 'Server Key'), message).toString('base64'),
  }
}

suite('a server with SCRAM alone', () => {
  const channelTo = (port: number, password: string, trusted: readonly string[]) => {
    const smtp = {
      ...{ address: `submissions://localhost:${port}`, sender: 'portal@example.com' },
      ...{ timeout: '2s', username: 'us=er,1', password },
    }
    const config = z.parse(manifest.config.notifier, { smtp })?.smtp ?? assert.fail()
    return createSmtpChannel({ config, trusted })
  }

  test('is signed in to, and the password does not leave', async (t) => {
    const { port, trusted, seen } = await startScramServer(t, true)
    await channelTo(port, PASSWORD, trusted).check()
    assert.ok(seen.length > 3)
    for (const line of seen)
      assert.ok(!line.includes(PASSWORD) && !Buffer.from(line, 'base64').includes(PASSWORD))
    await assert.rejects(channelTo(port, 'wrong', trusted).check(), /sign-in failed|refused/)
  })

  test('is not trusted when it does not know the password itself', async (t) => {
    const { port, trusted } = await startScramServer(t, false)
    await assert.rejects(channelTo(port, PASSWORD, trusted).check(), /sign-in failed/)
  })
})
