import { spawnSync } from 'node:child_process'

/** What fail2ban does with the filter that Authelia publishes, near enough to ask it about single lines. */

// Addresses only: the real <HOST> takes names too, which makes it greedier but no wiser.
const HOST = '(?:::f{4,6}:)?(?<host>[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]+)'
const PUBLISHED_FAIL = [
  '^.*Unsuccessful (1FA|TOTP|Duo|U2F) authentication attempt by user .*remote_ip"?(:|=)"?<HOST>"?.*$',
  '^.*user not found.*path=/api/reset-password/identity/start remote_ip"?(:|=)"?<HOST>"?.*$',
  '^.*Sending an email to user.*path=/api/.*/start remote_ip"?(:|=)"?<HOST>"?.*$',
]
const PUBLISHED_IGNORE = ['^.*level"?(:|=)"?info.*', '^.*level"?(:|=)"?warning.*']
const FAIL = PUBLISHED_FAIL.map((pattern) => new RegExp(pattern.replace('<HOST>', HOST), 'm'))
const IGNORE = PUBLISHED_IGNORE.map((pattern) => new RegExp(pattern, 'm'))

/** The addresses that these lines would count a failure for. */
export function accused(log: string): string[] {
  const hosts: string[] = []
  for (const line of log.split('\n')) {
    if (IGNORE.some((pattern) => pattern.test(line))) continue
    const host = FAIL.map((pattern) => pattern.exec(line)?.groups?.['host']).find(
      (found) => found !== undefined,
    )
    if (host !== undefined) hosts.push(host)
  }
  return hosts
}

/** Where a filter counts a failure for, and when. */
export interface Found {
  readonly address: string
  /** Seconds since 1970. */
  readonly time: number
}

/** The filter that Authelia publishes, as a file for fail2ban. */
export const publishedFilter = (): string =>
  `[Definition]\nfailregex = ${join(PUBLISHED_FAIL)}\nignoreregex = ${join(PUBLISHED_IGNORE)}\n`

const join = (lines: readonly string[]): string => lines.join('\n            ')

/** What the real fail2ban makes of a log, in the log's order. `filter` is an absolute path. */
export function fail2banRegex(log: string, filter: string): Found[] {
  const { status, stdout, stderr } = spawnSync('fail2ban-regex', ['-o', 'row', log, filter], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0 && stdout === '' && stderr !== '') throw new Error(stderr)
  return [...stdout.matchAll(/^\['([^']+)',\s+([\d.]+),/gm)].map(([, address = '', time]) => ({
    address,
    time: Number(time),
  }))
}
