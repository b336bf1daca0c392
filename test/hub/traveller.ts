import type { Answer, RunningServer } from '../support/server.ts'

const HEADERS = {
  Accept: 'text/html,application/xhtml+xml',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  'User-Agent': 'Mozilla/5.0 (test)',
}

export interface Visited {
  /** Where it ended: at an answer that is no redirect, or at a host that is none of ours. */
  readonly url: URL
  readonly answer: Answer | undefined
  /** Every address on the way, the last one included. */
  readonly way: readonly URL[]
}

/** A browser with its cookies, over plain HTTP to one server that is every portal. */
export class Traveller {
  readonly #server: Pick<RunningServer, 'request'>
  readonly #portals: ReadonlySet<string>
  /** By where they go: a host, or `.domain`. */
  readonly #jar = new Map<string, Map<string, string>>()

  constructor(server: Pick<RunningServer, 'request'>, portals: readonly string[]) {
    this.#server = server
    this.#portals = new Set(portals)
  }

  cookies(host: string): ReadonlyMap<string, string> {
    const found = new Map<string, string>()
    for (const [where, cookies] of this.#jar) {
      if (where !== host && !(where.startsWith('.') && `.${host}`.endsWith(where))) continue
      for (const [name, value] of cookies) found.set(name, value)
    }
    return found
  }

  set(host: string, name: string, value: string): void {
    const cookies = this.#jar.get(host) ?? new Map<string, string>()
    this.#jar.set(host, cookies.set(name, value))
  }

  /** One request, no redirect followed. */
  async ask(
    url: URL | string,
    {
      method = 'GET',
      headers = {},
      body,
    }: {
      readonly method?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    } = {},
  ): Promise<Answer> {
    const { host, hostname, pathname, search } = new URL(url)
    const cookie = [...this.cookies(hostname)].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.#server.request(`${pathname}${search}`, {
      method,
      headers: {
        Host: host,
        'X-Forwarded-Proto': 'https',
        ...HEADERS,
        ...(cookie !== '' && { Cookie: cookie }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    })
    for (const line of answer.headers['set-cookie'] ?? []) this.#keep(hostname, line)
    return answer
  }

  #keep(host: string, line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const domain = attributes.find((one) => one.startsWith('Domain='))?.slice('Domain='.length)
    const where = domain === undefined ? host : `.${domain}`
    const [name = '', value = ''] = pair.split('=')
    if (attributes.includes('Max-Age=0')) this.#jar.get(where)?.delete(name)
    else this.set(where, name, value)
  }

  /** Follows redirects from portal to portal; at most ten. */
  async visit(url: URL | string, first?: Parameters<Traveller['ask']>[1]): Promise<Visited> {
    let at = new URL(url)
    const way = [at]
    let options = first
    for (let steps = 0; steps < 10; steps++) {
      if (!this.#portals.has(at.host)) return { url: at, answer: undefined, way }
      const answer = await this.ask(at, options)
      options = undefined
      const { location } = answer.headers
      if (answer.status < 300 || answer.status > 399 || location === undefined)
        return { url: at, answer, way }
      at = new URL(location, at)
      way.push(at)
    }
    throw new Error(`a loop: ${way.map(String).join(' → ')}`)
  }

  /** Sends the form of the portal at this address. */
  signIn(url: URL | string, fields: Readonly<Record<string, string>>): Promise<Visited> {
    const { origin, searchParams } = new URL(url)
    const rd = searchParams.get('rd')
    return this.visit(`${origin}/`, {
      method: 'POST',
      headers: {
        'Sec-Fetch-Site': 'same-origin',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ ...fields, ...(rd !== null && { rd, rm: 'GET' }) }).toString(),
    })
  }
}
