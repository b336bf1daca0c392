/** SCRAM (RFC 5802, RFC 7677) without channel binding: the password is proven and does not leave. */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { equalBytes } from '../../../kernel/secret.ts'

export type Hash = 'sha1' | 'sha256'

/** A server that asks for more would keep a core busy: 4096 is usual. */
const MOST_ITERATIONS = 1_000_000
const derive = promisify(pbkdf2)

/** The client's three messages. Each is made of what the server said before. */
export class Scram {
  readonly #hash: Hash
  readonly #nonce: string
  readonly #bare: string
  #serverSignature: Buffer | undefined

  constructor(hash: Hash, user: string, nonce = randomBytes(18).toString('base64')) {
    this.#hash = hash
    this.#nonce = nonce
    this.#bare = `n=${user.normalize('NFKC').replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  }

  first(): string {
    return `n,,${this.#bare}`
  }

  /** @throws Error when the server's message is not one of this exchange */
  async final(challenge: string, password: string): Promise<string> {
    const [, nonce = '', salt = '', count = ''] =
      /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})(?:,.*)?$/.exec(challenge) ?? []
    const iterations = Number(count)
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new Error('the server answered SCRAM with another nonce')
    if (iterations < 1 || iterations > MOST_ITERATIONS)
      throw new Error('the server asks for a senseless number of SCRAM iterations')
    const length = this.#hash === 'sha1' ? 20 : 32
    const salted = await derive(
      password.normalize('NFKC'),
      Buffer.from(salt, 'base64'),
      iterations,
      length,
      this.#hash,
    )
    const hmac = (key: Buffer, text: string) => createHmac(this.#hash, key).update(text).digest()
    const clientKey = hmac(salted, 'Client Key')
    const storedKey = createHash(this.#hash).update(clientKey).digest()
    const withoutProof = `c=biws,r=${nonce}`
    const message = `${this.#bare},${challenge},${withoutProof}`
    const signature = hmac(storedKey, message)
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), message)
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`
  }

  /** Whether the server knows the password too: `text` is its last message. */
  confirms(text: string): boolean {
    const [, signature = ''] = /^v=([A-Za-z0-9+/=]+)/.exec(text) ?? []
    return (
      this.#serverSignature !== undefined &&
      equalBytes(this.#serverSignature, Buffer.from(signature, 'base64'))
    )
  }
}
