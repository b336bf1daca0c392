/** What fail2ban does with the filter that Authelia publishes, near enough to ask it about single lines. */

// Addresses only: the real <HOST> takes names too, which makes it greedier but no wiser.
const HOST = '(?:::f{4,6}:)?(?<host>[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]+)'
const FAIL = [
  `^.*Unsuccessful (1FA|TOTP|Duo|U2F) authentication attempt by user .*remote_ip"?(:|=)"?${HOST}"?.*$`,
  `^.*user not found.*path=/api/reset-password/identity/start remote_ip"?(:|=)"?${HOST}"?.*$`,
  `^.*Sending an email to user.*path=/api/.*/start remote_ip"?(:|=)"?${HOST}"?.*$`,
].map((pattern) => new RegExp(pattern, 'm'))
const IGNORE = [/^.*level"?(:|=)"?info.*/m, /^.*level"?(:|=)"?warning.*/m]

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
