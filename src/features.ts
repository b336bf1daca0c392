/** The one list. The configuration's keys, the migrations and the messages all derive from it. */
import { type ConfigOf, slicesOf } from './config/index.ts'
import access from './features/access/manifest.ts'
import admin from './features/admin/manifest.ts'
import audit from './features/audit/manifest.ts'
import hub from './features/hub/manifest.ts'
import identifiers from './features/identifiers/manifest.ts'
import login from './features/login/manifest.ts'
import notify from './features/notify/manifest.ts'
import outbox from './features/outbox/manifest.ts'
import passwordPolicy from './features/password-policy/manifest.ts'
import passwordReset from './features/password-reset/manifest.ts'
import passwords from './features/passwords/manifest.ts'
import secondFactor from './features/second-factor/manifest.ts'
import webauthn from './features/second-factor/methods/webauthn/manifest.ts'
import sessions from './features/sessions/manifest.ts'
import settings from './features/settings/manifest.ts'
import throttle from './features/throttle/manifest.ts'
import users from './features/users/manifest.ts'
import verify from './features/verify/manifest.ts'
import http from './http/manifest.ts'
import { basePathCheck } from './http/own-paths.ts'
import type { Manifest, Migration, SealedColumn } from './kernel/feature.ts'
import log from './log/manifest.ts'
import server from './server/manifest.ts'
import storage from './storage/manifest.ts'
import redis from './storage/redis/manifest.ts'

const declared = {
  server,
  http,
  log,
  storage,
  outbox,
  audit,
  notify,
  redis,
  passwords,
  users,
  sessions,
  hub,
  identifiers,
  access,
  throttle,
  secondFactor,
  webauthn,
  login,
  settings,
  passwordPolicy,
  passwordReset,
  verify,
  admin,
} as const satisfies Readonly<Record<string, Manifest>>

/** What a route's path begins with (src/http/own-paths.ts), each once. */
export const ownPaths: readonly string[] = [
  ...new Set(Object.values<Manifest>(declared).flatMap(({ paths = [] }) => paths)),
]

export const features = { ...declared, basePath: basePathCheck(ownPaths) } as const

type LiveOf<M> = M extends { readonly live: readonly (infer L)[] } ? L : never
/** A slice that a reload takes up. */
export type LiveSlice = LiveOf<(typeof declared)[keyof typeof declared]>

/** The parsed configuration, by the dotted path of each slice. */
export type Config = ConfigOf<typeof features>

// A key that two features claim is a bug: nothing starts.
slicesOf(features)

const all: readonly Manifest[] = Object.values(features)

/** Migrations of all features, in order. */
export const migrations: Readonly<Record<string, Migration>> = inOrder(
  union(
    'migration',
    all.map((manifest) => manifest.migrations ?? {}),
  ),
)

/** What is sealed with `storage.encryption_key`, over all features. */
export const sealed: readonly SealedColumn[] = all.flatMap((manifest) => manifest.sealed ?? [])

/** The features' texts by language and key. */
export const messageCatalogues: Readonly<Record<string, Readonly<Record<string, string>>>> =
  catalogues(all)

function catalogues(manifests: readonly Manifest[]): Record<string, Record<string, string>> {
  const languages = new Set(manifests.flatMap(({ messages = {} }) => Object.keys(messages)))
  return Object.fromEntries(
    [...languages].map((language) => [
      language,
      union(
        `message (${language})`,
        manifests.map(({ messages }) => messages?.[language] ?? {}),
      ),
    ]),
  )
}

/** @throws TypeError when two of them have the same key */
function union<T>(what: string, parts: readonly Readonly<Record<string, T>>[]): Record<string, T> {
  const whole: Record<string, T> = {}
  for (const part of parts) {
    for (const [key, value] of Object.entries(part)) {
      if (Object.hasOwn(whole, key)) throw new TypeError(`two features declare the ${what} ${key}`)
      whole[key] = value
    }
  }
  return whole
}

function inOrder<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
