import { isLoopback } from '../../kernel/host.ts'

/**
 * Where the answer to one of our forms may lead, as form-action sources: every cookie domain and what lies below it,
 * and the configured logout URL. Without them browsers block the redirect after a form.
 */
export function formDestinations(
  domains: readonly string[],
  logoutUrl: string | undefined,
): string[] {
  const sources = domains.flatMap((domain) =>
    (isLoopback(domain) ? ['https', 'http'] : ['https']).flatMap((scheme) => [
      `${scheme}://${domain}:*`,
      `${scheme}://*.${domain}:*`,
    ]),
  )
  return logoutUrl === undefined ? sources : [...sources, new URL(logoutUrl).origin]
}
