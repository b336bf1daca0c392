/** What the fuzz drill asks about: hosts, paths, queries, methods, and odd spellings of them. One character a byte. */

/** Texts without blanks, as long lists are easiest to read. */
export const words = (text: string): string[] => text.trim().split(/\s+/)

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** Hosts that rules are about, some more often than others. */
export const HOSTS: readonly string[] = [
  ...Array.from({ length: 12 }, () => 'app.example.com'),
  ...Array.from({ length: 4 }, () => [
    'query.example.com',
    'api.example.com',
    'lan.example.com',
  ]).flat(),
  ...words(`
    public.example.com public.example.com bank.example.com never.example.com secret.example.com
    secret.example.com john.home.example.com ann.home.example.com bob.home.example.com
    a.b.home.example.com john-files.example.com dev.team.example.com admins.team.example.com
    team.one.team.example.com john.u.example.com a.b.u.example.com dev-john.g.example.com
    dev-ann.g.example.com img-7.example.com cdn.example.com x.wild.example.com
    a.b.wild.example.com wild.example.com example.com auth.example.com app.corp.test
    open.corp.test login.corp.test app.bare.test open.bare.test app.vestibule.localhost
    open.vestibule.localhost 192.0.2.10 app.brief.test app.elsewhere.test example.com.evil.test
    evilexample.com localhost 127.0.0.1 [::1]
  `),
]

/** Addresses as people have them. */
export const PLAIN_PATHS: readonly string[] = [
  ...words(`
    / /x /public/a /admin /users/john/ /users/Ann/x /teams/dev/x /free /open /bank
    /names?name=abc /?page=1 /?token=let+me+in /?lang=de /search?q=abc
  `),
  '',
]

export const PATHS: readonly string[] = [
  ...words(`
    / / /x /public/ /public/a /admin /admin/ /admin/users /free /assets/app.js /assets/a.css
    /assets/x/app.js /bank /bank/7 /server.key /users/john/ /users/Ann/inbox /users/ann/x
    /users/bob/ /users/a.b/x /users/ /teams/dev/ /teams/Dev/x /teams/admins/ /teams/ops%20team/x
    /search /open /open/ /names /names/x /a/b/c /very/long/path/to/a/page.html /public/../admin
    /public/%2e%2e/admin /public/..%2fadmin /public%2f..%2fadmin /public/..;/admin
    /public/..;x=1/admin /public/\\..\\admin /public/..\\admin /public/%252e%252e/admin
    /public/%25252e%25252e/admin /public/..%252fadmin /public/../admin/%252e%252e/public
    /admin/..%00/public/ /public/%00 /public/%0a /admin#/public/ /admin%23/public/
    /admin%3f/public/ /public/?/../admin //admin //public/../admin ///public/// /./public/./a
    /public/. /public/.. /.. /../.. /%2e/public/ /%2e%2e/admin /%61dmin /%41dmin /ADMIN /Public/
    /admin/. /.// /admin%2f /admin%5c /admin%3b /admin;x /admin;/public/ /;/public/ /;x=/public/a
    /public/%c0%ae%c0%ae/admin /public/%c0%af../admin /%c1%a1dmin /%e0%80%ae%e0%80%ae/
    /public/%f8%80%80%80%ae./admin /public/\xc0\xae\xc0\xae/admin /%ff /%fe%ff /%80
    /public/%ef%bc%8e%ef%bc%8e/admin /public/%e2%80%ae /public/%ef%bb%bf /public/%c2%85 /% /%2
    /%zz /%u002e /public/%%32%65 /public/%2%65 /admin%20 /admin%09 /public/a/../../admin
    /public/a/b/../../../admin/x /assets/../admin/x.js /assets/..%5cx.js /free% /free%00 /free/
    /free; /free;a /free# /free? /free%3f /free%23 /free/. /users/john%2f..%2fbob/
    /users/john/../bob/ /users/%6a%6f%68%6e/ /users/JOHN/ /users/jo\xebn/ /users//john/
    /users/john;x/ /users/\xe2\x84\xaajohn/ /users/zo\xc3\xab/ /users/zo%C3%AB/x ? ?x #
    @evil.test/ :1/ .evil.test/ \\ /\\evil.test /\x7f /\x80 *
  `),
  '',
  '/teams/ops team/',
  '/ admin',
]

export const QUERIES: readonly string[] = [
  ...words(`
    ? ?x=1 ?a=b&c=d ?q=abc ?q=abc&x ?q=ABC ?token=let+me+in ?token=let%20me%20in
    ?token=no&token=let+me+in ?token=let+me+in&token=no ?%74oken=let+me+in ?Token=let+me+in
    ?token ?token= ?&&token=let+me+in& ?x&token=let%2Bme ?token=let+me+in#x ?#token=let+me+in
    ?page=1 ?page=x ?page=1&debug ?page=1&debug= ?page=1;debug ?page=1%26debug ?page=%31 ?lang=de
    ?lang=en ?lang= ?lang ?lang=en&lang=de ?name=abc ?name=ABC ?name=%ff ?name ?/public/
    ?x=/public/ ?/../public/ ?a=%00 ?a=\xff ?= ?== ?? ?a?b ?% ?%zz=% # #/public/ ?page=1#&debug
    ?rd=https://evil.test ?authelia_url=https://evil.test
  `),
  '',
]

/** Odd spellings of a host. */
export const SPELLINGS: readonly ((host: string) => string)[] = [
  (host) => host.toUpperCase(),
  (host) => host.replace(/[a-z]/g, (char, i) => (i % 2 === 0 ? char.toUpperCase() : char)),
  (host) => `${host}.`,
  (host) => `${host}..`,
  (host) => `.${host}`,
  (host) => `${host}:443`,
  (host) => `${host}:0443`,
  (host) => `${host}.:443`,
  (host) => `${host}:8443`,
  (host) => `${host}:80`,
  (host) => `${host}:0`,
  (host) => `${host}:65536`,
  (host) => `${host}:`,
  (host) => `${host}:x`,
  (host) => `${host}:443:443`,
  (host) => `user@${host}`,
  (host) => `user:pass@${host}`,
  (host) => `@${host}`,
  (host) => `evil.test@${host}`,
  (host) => `${host}@evil.test`,
  (host) => `${host}, evil.test`,
  (host) => `evil.test,${host}`,
  (host) => `${host},${host}`,
  (host) => `${host} `,
  (host) => `${host}\t`,
  (host) => `${host}\\`,
  (host) => `${host}\\.evil.test`,
  (host) => `${host}%00`,
  (host) => `${host}%2eevil.test`,
  (host) => host.replace('.', '%2e'),
  (host) => host.replace('.', '..'),
  (host) => host.replace('.', bytes('。')),
  (host) => host.replace('.', '\u00ad.'),
  (host) => host.replace('o', '\u00ba'),
  (host) => host.replace('a', '\u00aa'),
  (host) => host.replace('a', bytes('ａ')),
  (host) => host.replace('s', bytes('ſ')),
  (host) => host.replace('k', bytes('K')),
  (host) => `xn--${host}`,
  (host) => host.replace(/^([^.]+)/, 'xn--$1-'),
  (host) => `_${host}`,
  (host) => `*.${host}`,
  (host) => `[${host}]`,
  (host) => `${host}.evil.test`,
  (host) => `evil${host}`,
  (host) => `${'a'.repeat(64)}.${host}`,
  (host) => `${'a.'.repeat(130)}${host}`,
  () => '127.1',
  () => '0x7f.1',
  () => '0300.0.2.10',
  () => '192.0.522',
  () => '3221225994',
  () => '192.0.2.10.',
  () => '[::ffff:192.0.2.10]',
  () => '[0:0::1]',
  () => '[::1',
  () => '::1',
  () => '[::1%25lo]',
  () => '',
]

export const SCHEMES: readonly string[] = [
  ...Array.from({ length: 20 }, () => 'https'),
  ...words('http wss ws HTTPS Wss hTTp ftp https: javascript file h http://x/https'),
  'https ',
]

export const TARGET_METHODS: readonly string[] = [
  ...Array.from({ length: 12 }, () => 'GET'),
  ...words(`
    HEAD OPTIONS POST POST PUT DELETE PATCH PROPFIND TRACE CONNECT PURGE FOO
    get Get G GET,POST M-SEARCH GET1
  `),
  ...['GET ', 'GET\tX', 'GE T', 'A'.repeat(32), 'A'.repeat(33)],
]
