import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** What a browser and its authenticator answer, made by hand: for answers that no honest browser gives. */

type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<number | string, Cbor>

/** RFC 8949, as much as is needed. */
export function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Map)
    return Buffer.concat([
      head(5, value.size),
      ...[...value].flatMap(([key, one]: [number | string, Cbor]) => [cbor(key), cbor(one)]),
    ])
  // What is left is a list; Array.isArray does not narrow read-only ones.
  const list = value as readonly Cbor[]
  return Buffer.concat([head(4, list.length), ...list.map(cbor)])
}

function head(major: number, size: number): Buffer {
  const type = major << 5
  if (size < 24) return Buffer.of(type | size)
  if (size < 256) return Buffer.of(type | 24, size)
  if (size < 65_536) return Buffer.of(type | 25, size >> 8, size & 255)
  return Buffer.of(type | 26, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255)
}

export interface Answering {
  readonly challenge: string
  readonly origin: string
  readonly rpId: string
  /** It asked for its PIN. */
  readonly verified?: boolean
  readonly present?: boolean
  readonly backupEligible?: boolean
  readonly clientData?: Readonly<Record<string, unknown>>
  readonly signCount?: number
  readonly userHandle?: string
  /** Of the attestation object. */
  readonly fmt?: string
  readonly attStmt?: ReadonlyMap<string, Cbor>
  /** Makes a statement of the format `packed` over these bytes. */
  readonly attest?: (signed: Uint8Array) => ReadonlyMap<string, Cbor>
  readonly aaguid?: Uint8Array
  /** COSE algorithm that the key says it has. */
  readonly alg?: number
  readonly id?: string
}

export interface SoftKey {
  readonly id: string
  /** COSE_Key. */
  readonly publicKey: Buffer
  create(asked: Answering): Record<string, unknown>
  get(asked: Answering): Record<string, unknown>
}

const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()

/** An ES256 key. */
export function createSoftKey(idBytes = randomBytes(32)): SoftKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = idBytes.toString('base64url')

  const clientDataOf = (type: string, { challenge, origin, clientData }: Answering): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false, ...clientData }))

  return {
    id,
    publicKey: coseOf(publicKey, -7),
    create(asked) {
      const data = clientDataOf('webauthn.create', asked)
      const attested = Buffer.concat([
        asked.aaguid ?? Buffer.alloc(16),
        Buffer.of(idBytes.length >> 8, idBytes.length & 255),
        idBytes,
        coseOf(publicKey, asked.alg ?? -7),
      ])
      const authData = Buffer.concat([authenticatorData(asked, 0x40), attested])
      const statement = asked.attest?.(Buffer.concat([authData, sha256(data)]))
      const attestationObject = cbor(
        new Map<string, Cbor>([
          ['fmt', asked.fmt ?? (statement === undefined ? 'none' : 'packed')],
          ['attStmt', asked.attStmt ?? statement ?? new Map()],
          ['authData', authData],
        ]),
      )
      return {
        ...{ id: asked.id ?? id, rawId: asked.id ?? id, type: 'public-key' },
        authenticatorAttachment: 'platform',
        response: {
          clientDataJSON: data.toString('base64url'),
          attestationObject: attestationObject.toString('base64url'),
          transports: ['internal', 'made-up'],
        },
        clientExtensionResults: { credProps: { rk: true } },
      }
    },
    get(asked) {
      const data = clientDataOf('webauthn.get', asked)
      const authData = authenticatorData(asked, 0)
      const signature = sign('sha256', Buffer.concat([authData, sha256(data)]), privateKey)
      return {
        ...{ id: asked.id ?? id, rawId: asked.id ?? id, type: 'public-key' },
        response: {
          clientDataJSON: data.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: signature.toString('base64url'),
          ...(asked.userHandle !== undefined && { userHandle: asked.userHandle }),
        },
        clientExtensionResults: {},
      }
    },
  }
}

/** Web Authentication Level 3, §6.1. */
function authenticatorData(
  { rpId, verified = true, present = true, backupEligible = false, signCount = 0 }: Answering,
  more: number,
): Buffer {
  const flags = Number(present) | (Number(verified) << 2) | (Number(backupEligible) << 3) | more
  const count = Buffer.alloc(4)
  count.writeUInt32BE(signCount)
  return Buffer.concat([sha256(rpId), Buffer.of(flags), count])
}

export function coseOf(publicKey: KeyObject, alg: number): Buffer {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  return cbor(
    new Map<number, Cbor>([
      [1, 2],
      [3, alg],
      [-1, 1],
      [-2, Buffer.from(x, 'base64url')],
      [-3, Buffer.from(y, 'base64url')],
    ]),
  )
}
