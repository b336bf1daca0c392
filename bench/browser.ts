/** Requests as nginx asks for a browser: the browser's own headers, and several cookies. */
import { request } from './load.ts'

const CHROMIUM = {
  'sec-ch-ua': '"Chromium";v="142", "Not_A Brand";v="99"',
  'sec-ch-ua-mobile': '?0',
  'sec-ch-ua-platform': '"Linux"',
  'Upgrade-Insecure-Requests': '1',
  'User-Agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  Accept:
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-User': '?1',
  'Sec-Fetch-Dest': 'document',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-US,en;q=0.9,de;q=0.8',
  Priority: 'u=0, i',
}
const FIREFOX = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0',
  Accept: 'image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5',
  'Accept-Language': 'en-US,en;q=0.5',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Sec-Fetch-Dest': 'image',
  'Sec-Fetch-Mode': 'no-cors',
  'Sec-Fetch-Site': 'same-origin',
  Priority: 'u=5, i',
  'If-None-Match': '"6921e1a4-3f1c"',
}
const PAGES = ['/', '/app/page?x=1', '/static/js/main.4f1c9a.js', '/d/overview?from=now-6h&to=now']

/** @param cookie `name=value` of the session */
export function browserRequests(cookie: string, hosts: readonly string[]): readonly Buffer[] {
  return hosts.flatMap((host, i) => {
    const headers = {
      'X-Original-URL': `https://${host}${PAGES[i % PAGES.length]}`,
      'X-Original-Method': 'GET',
      'X-Forwarded-For': '203.0.113.7',
      Referer: `https://${host}/`,
      Cookie: `theme=dark; _ga=GA1.1.1203948576.1700000000; ${cookie}; csrftoken=Zk3xV8nQ1pL5sT7w; lang=en; sidebar=closed`,
    }
    return [
      request('/verify', { ...headers, ...CHROMIUM }),
      request('/verify', { ...headers, ...FIREFOX }),
    ]
  })
}

/** Ten rules as a household has them. */
export function householdRules(domain: string) {
  const rules = [
    { domain: `public.${domain}`, policy: 'bypass' },
    { domain: `*.${domain}`, policy: 'bypass', resources: ['^/robots\\.txt$', '^/favicon\\.ico$'] },
    { domain: `files.${domain}`, policy: 'bypass', resources: ['^/s/[A-Za-z0-9]+(/.*)?$'] },
    { domain: `media.${domain}`, policy: 'bypass', resources: ['^/api/.*$', '^/health$'] },
    { domain: `admin.${domain}`, policy: 'one_factor', subject: [['group:vestibule-admins']] },
    { domain: `admin.${domain}`, policy: 'deny' },
    { domain: `grafana.${domain}`, policy: 'one_factor', methods: ['GET', 'HEAD', 'POST'] },
    { domain: [`wiki.${domain}`, `files.${domain}`], policy: 'one_factor' },
    { domain: `media.${domain}`, policy: 'one_factor', networks: ['10.0.0.0/8', '203.0.113.0/24'] },
    { domain: `*.${domain}`, policy: 'one_factor' },
  ]
  const hosts = ['admin', 'grafana', 'wiki', 'files', 'media', 'home'].map(
    (app) => `${app}.${domain}`,
  )
  return { accessControl: { default_policy: 'deny', rules }, hosts }
}

/** As many rules on one host, each with paths of its own; the last one opens the rest. */
export function crowdedHost(count: number, domain: string) {
  const host = `app.${domain}`
  const rules = Array.from({ length: count - 1 }, (_, i) => ({
    domain: host,
    policy: 'two_factor',
    resources: [`^/area-${i}/(edit|delete)(/.*)?$`],
  }))
  return {
    accessControl: {
      default_policy: 'deny',
      rules: [...rules, { domain: host, policy: 'one_factor' }],
    },
    hosts: [host],
  }
}
