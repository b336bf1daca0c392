/** A small set of features with every shape of key, and a way to load texts with them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { z } from 'zod'
import { formatFaults, formatNotice, loadConfig } from '../../src/config/index.ts'
import type { Manifest } from '../../src/kernel/feature.ts'
import {
  duration,
  networkText,
  oneOrMany,
  scalarMeta,
  secret,
  webUrl,
} from '../../src/kernel/scalars.ts'

const access: Manifest = {
  config: {
    access_control: z
      .strictObject({
        default_policy: z.enum(['bypass', 'one_factor', 'two_factor', 'deny']).default('deny'),
        rules: z
          .array(
            z.strictObject({
              domain: oneOrMany(z.string().min(1)),
              policy: z.enum(['bypass', 'one_factor', 'two_factor', 'deny']),
              networks: oneOrMany(z.string()).optional(),
              query: z
                .array(z.array(z.strictObject({ key: z.string(), value: z.string().optional() })))
                .optional(),
            }),
          )
          .default([]),
      })
      .prefault({}),
  },
  check(config, report) {
    // The shape above, as far as this check needs it.
    const { rules } = config['access_control'] as {
      rules: { networks?: string[] }[]
    }
    const { network } = config['definitions'] as { network: Record<string, string[]> }
    for (const [i, rule] of rules.entries()) {
      for (const [j, name] of (rule.networks ?? []).entries()) {
        if (network[name] === undefined)
          report.fault(
            ['access_control', 'rules', i, 'networks', j],
            'is no named network',
            Object.keys(network).join(', '),
          )
      }
    }
  },
}

const sessions: Manifest = {
  config: {
    session: z.strictObject({
      name: z.string().default('vestibule_session'),
      secret: secret().optional(),
      expiration: duration().prefault('1h'),
      inactivity: duration().prefault('5m'),
      remember_me: duration().prefault('1M'),
      refresh: z.union([z.enum(['always', 'disable']), duration()]).default('always'),
      cookies: z
        .array(
          z.strictObject({
            domain: z.string(),
            portal_url: webUrl().optional(),
            default_redirection_url: webUrl().optional(),
          }),
        )
        .min(1),
    }),
  },
  check(_config, report, explicit) {
    if (!explicit(['session', 'secret'])) report.warn(['session'], 'has no secret')
  },
}

const http: Manifest = {
  config: {
    server: z
      .strictObject({
        address: z.string().default('tcp://:9091/'),
        pepper: secret().optional(),
        buffers: z.strictObject({ read: z.int().min(1).default(4096) }).prefault({}),
      })
      .prefault({}),
    trusted_proxies: oneOrMany(z.union([z.literal('private'), networkText()])).default([]),
    definitions: z
      .strictObject({ network: z.record(z.string(), oneOrMany(networkText())).default({}) })
      .prefault({}),
    log: z
      .strictObject({
        level: z.enum(['error', 'warn', 'info']).default('info'),
        keep_stdout: z.boolean().default(false),
      })
      .prefault({}),
    'authentication_backend.file': z
      .strictObject({
        path: z.string().default('users.yml'),
        max_size: z.int().min(1).max(100).default(5),
        pin: z.string().register(scalarMeta, { form: 'pin' }).optional(),
      })
      .prefault({}),
  },
}

const passwords: Manifest = {
  config: {
    'authentication_backend.file.password': z
      .strictObject({ algorithm: z.enum(['argon2id', 'sha512']).default('argon2id') })
      .prefault({}),
  },
}

export const house = { access, sessions, http, passwords }

export interface Loaded {
  /** Faults as the terminal shows them, or empty. */
  readonly text: string
  readonly config: Readonly<Record<string, unknown>> | undefined
  readonly warnings: readonly string[]
  readonly revision: string
  readonly sources: readonly string[]
}

/**
 * Loads files from a folder of their own. Every file is named on the command line unless `files` names others.
 * @param texts contents by name; a name may hold folders
 */
export async function load(
  t: TestContext,
  texts: Readonly<Record<string, string | Uint8Array>>,
  options: {
    readonly files?: readonly string[]
    readonly env?: Readonly<Record<string, string | undefined>>
    readonly features?: Readonly<Record<string, Manifest>>
  } = {},
): Promise<Loaded> {
  const cwd = await mkdtemp(join(tmpdir(), 'vestibule-config-'))
  t.after(() => rm(cwd, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(texts)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true })
    await writeFile(join(cwd, name), text)
  }
  const result = await loadConfig({
    files: options.files ?? Object.keys(texts),
    env: options.env ?? {},
    features: options.features ?? house,
    cwd,
  })
  return result.ok
    ? {
        text: '',
        config: result.config,
        warnings: result.warnings.map(formatNotice),
        revision: result.revision,
        sources: result.sources.map((source) => source.slice(cwd.length + 1)),
      }
    : {
        text: formatFaults(result.faults),
        config: undefined,
        warnings: result.warnings.map(formatNotice),
        revision: '',
        sources: [],
      }
}

/** A file with a secret in it. */
export async function secretFile(t: TestContext, text: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-secret-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'secret'), text)
  return join(folder, 'secret')
}

/** What the house needs to start at all. */
export const SOUND = 'session: {secret: s, cookies: [{domain: example.com}]}\n'
