import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { type Stamp, stampOf } from '../../../../../files/stamp.ts'
import type { Clock } from '../../../../../kernel/clock.ts'
import { OperatorError, systemCode } from '../../../../../kernel/operator-error.ts'
import { attestationCertificates, metadataRoots } from '../ceremony.ts'
import { type Blob, certificateOf, type Model, readBlob } from './blob.ts'
import { whyNoChain } from './chain.ts'
import type { MetadataConfig } from './settings.ts'

/** What the FIDO Alliance knows of models of authenticators. */
export interface Metadata {
  /** Why a new key is refused; undefined: nothing is known against it. */
  whyRefused(key: {
    readonly aaguid: string
    /** base64url, as the browser sent it; its signature has been checked. */
    readonly attestationObject: string
  }): Promise<string | undefined>
}

export interface MetadataOptions {
  readonly config: MetadataConfig
  /** What relative paths are relative to. */
  readonly cwd: string
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

/** The Alliance's has some ten megabytes. */
const MAX_FILE = 64 * 1024 * 1024
const NO_MODEL = '00000000-0000-0000-0000-000000000000'

/**
 * Reads the file of `webauthn.metadata.path`, and again when a key is registered after the file has changed.
 * @returns undefined where `webauthn.metadata` is off
 * @throws OperatorError when the file cannot be read or is not what the Alliance signed. One that is out of date is taken.
 */
export async function openMetadata(options: MetadataOptions): Promise<Metadata | undefined> {
  const { config, cwd, clock, log } = options
  if (!config.enabled) return undefined
  // Authelia downloads the file, and has no such key. Its configuration is accepted; a key whose model is not looked up is not.
  if (config.path === '')
    return { whyRefused: async () => 'webauthn.metadata.path names no file to look it up in' }
  const path = resolve(cwd, config.path)
  const roots = await rootsOf(config.trust_anchor && resolve(cwd, config.trust_anchor))
  const read = async (): Promise<Blob> =>
    readBlob(textOf(path), { roots, signer: config.signer, now: clock.now() })

  let stamp: Stamp | undefined = await stampOf(path)
  let blob: Blob
  try {
    blob = await read()
  } catch (error) {
    throw explain('path', error, path)
  }
  warnOfAge(options, path, blob)

  const refresh = async (): Promise<void> => {
    const seen = await stampOf(path)
    if (seen === undefined || seen === stamp) return
    stamp = seen
    try {
      const next = await read()
      if (next.number < blob.number)
        throw new OperatorError(`it is older than the one before (${next.number})`)
      blob = next
      log.info({ path, number: next.number }, 'FIDO metadata was read again')
      warnOfAge(options, path, blob)
    } catch (error) {
      log.error(
        { err: explain('path', error, path) },
        'The new FIDO metadata is refused: the former counts',
      )
    }
  }
  return {
    async whyRefused(key) {
      await refresh()
      if (clock.now() > blob.expiresAt && config.cache_policy === 'strict')
        return 'the FIDO metadata is out of date (webauthn.metadata.cache_policy is strict)'
      return whyUnfit(config, blob, key, clock.now())
    },
  }
}

async function whyUnfit(
  config: MetadataConfig,
  { models }: Blob,
  { aaguid, attestationObject }: Parameters<Metadata['whyRefused']>[0],
  now: number,
): Promise<string | undefined> {
  const model = models.get(aaguid)
  if (aaguid === NO_MODEL)
    return config.validate_entry && !config.validate_entry_permit_zero_aaguid
      ? 'the key does not tell its model'
      : undefined
  if (model === undefined)
    return config.validate_entry ? `the FIDO metadata does not know model ${aaguid}` : undefined
  const status = config.validate_status ? whyStatus(config, model) : undefined
  if (status !== undefined) return `model ${aaguid} ${status}`
  if (!config.validate_trust_anchor) return undefined
  const certificates = await attestationCertificates(attestationObject)
  if (certificates.length === 0)
    return `the key does not prove that it is of model ${aaguid}: no maker has signed its statement`
  const broken = whyNoMaker(certificates, model, now)
  return broken && `the key does not prove that it is of model ${aaguid}: ${broken}`
}

function whyNoMaker(
  certificates: readonly Uint8Array[],
  { roots }: Model,
  now: number,
): string | undefined {
  try {
    const chain = certificates.map((bytes) => new X509Certificate(bytes))
    return whyNoChain(chain, roots.map(certificateOf), now)
  } catch {
    // Node says so by throwing.
    return 'a certificate cannot be read'
  }
}

/** Any report counts, also one that a later report has followed: what a model once was, keys that were sold may still be. */
function whyStatus(config: MetadataConfig, { statuses }: Model): string | undefined {
  const prohibited = statuses.find((status) =>
    config.validate_status_prohibited.some((one) => nameOf(one) === status),
  )
  if (prohibited !== undefined) return `has the status ${prohibited}`
  const { validate_status_permitted: permitted } = config
  const isPermitted = statuses.some((status) => permitted.some((one) => nameOf(one) === status))
  return permitted.length === 0 || isPermitted ? undefined : 'has none of the permitted statuses'
}

/** Authelia's name of a status that the Alliance calls otherwise. */
const nameOf = (status: string): string =>
  status === 'FIDO_NOT_CERTIFIED' ? 'NOT_FIDO_CERTIFIED' : status

function warnOfAge({ config, clock, log }: MetadataOptions, path: string, blob: Blob): void {
  if (clock.now() <= blob.expiresAt) return
  log.warn(
    { path, since: new Date(blob.expiresAt).toISOString() },
    config.cache_policy === 'strict'
      ? 'The FIDO metadata is out of date: new security keys are refused until there is a newer file'
      : 'The FIDO metadata is out of date',
  )
}

async function rootsOf(path: string): Promise<readonly X509Certificate[]> {
  try {
    const texts = path === '' ? await metadataRoots() : pemsIn(textOf(path))
    return texts.map((text) => new X509Certificate(text))
  } catch (error) {
    throw explain('trust_anchor', error, path)
  }
}

function pemsIn(text: string): readonly string[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  if (found === null) throw new OperatorError('it holds no certificate')
  return found
}

function textOf(path: string): string {
  if (statSync(path).size > MAX_FILE) throw new OperatorError('it is larger than 64 MiB')
  return readFileSync(path, 'utf8')
}

/** Whatever is wrong with a file, it is not used. */
function explain(key: 'path' | 'trust_anchor', error: unknown, path: string): OperatorError {
  const code = systemCode(error) === '' ? '' : ` (${systemCode(error)})`
  const why = error instanceof OperatorError ? error.message : `it cannot be read${code}`
  return new OperatorError(`webauthn.metadata.${key}: ${path}: ${why}`, undefined, {
    cause: error,
  })
}
