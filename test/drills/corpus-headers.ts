/** What the fuzz drill writes around a target: endpoints, headers, and what parsers stumble over. One character a byte. */
import { words } from './corpus-target.ts'

/** The endpoints, and what looks like them. */
export const PLAIN_ENDPOINTS: readonly string[] = [
  ...words(`
    /verify /api/authz/auth-request /api/authz/forward-auth /api/authz/ext-authz /api/verify
  `),
]

export const ENDPOINTS: readonly string[] = [
  ...words(`
    /verify /api/authz/auth-request /api/authz/forward-auth /api/authz/ext-authz /api/verify
    /api/authz/ext%2dauthz /api/authz/ext-authzz /api/authz/ext-authz/ /api/verify/ /api/verif%79
    /verify/ /Verify //verify /%76erify /verify# /verify;x /verify%3f /verify%2f /./verify
    /api/authz/forward-auth/ /api/authz/forward%2dauth /api/authz%2fforward-auth /api/authz/
    http://auth.example.com/verify https://x/verify http://x * /api/authz/legacy /verif
  `),
]

export const ACCEPTS: readonly string[] = [
  ...words(`
    text/html,application/xhtml+xml,*/*;q=0.8 text/html */* application/json TEXT/HTML text/htmlx
    , ;text/html * */*;q=0 text/plain application/json;q=1,text/html
  `),
  'application/json, */*',
  'application/json, text/html;q=0.9',
  ' text/html ;q=1',
  '',
  'image/png, text/html',
]

export const PLAIN_CHAINS: readonly string[] = [
  ...words(`
    10.1.2.3 192.0.2.7 198.51.100.9 fd00::7 2001:db8::1 ::ffff:10.1.2.3
  `),
  '10.1.2.3, 10.9.0.1',
]

export const CHAINS: readonly string[] = [
  ...words(`
    10.1.2.3 192.0.2.7 198.51.100.9 fd00::7 2001:db8::1 FD00:0:0::7 ::ffff:10.1.2.3 ::10.1.2.3 ::ffff:010.1.2.3
    ::ffff:a01:203 0:0:0:0:0:ffff:10.1.2.3 10.9.0.1 127.0.0.1 127.0.0.2,127.0.0.1 127.0.0.9 ::1 ,
    10.1.2.3, ,10.1.2.3 unknown _hidden 10.1.2.3:80 [fd00::7] [fd00::7]:80 10.1.2 10.1.2.3.4
    010.1.2.3 10.01.2.3 0x0a.1.2.3 167838211 10.1.2.256 10.1.2.3/8 fe80::1%eth0 fd00::7% 1::2::3
    ::: :: fd00:::7 10.1.2.3;10.9.0.1 "10.1.2.3" for=10.1.2.3
  `),
  '10.1.2.3, 10.9.0.1',
  '10.1.2.3, 192.0.2.7',
  '192.0.2.7, 10.1.2.3',
  '10.9.0.1, 10.9.0.2',
  '',
  ' ',
  'garbage, 10.1.2.3',
  '10.1.2.3, garbage',
  'garbage, 10.1.2.3, 10.9.0.1',
  '10.1.2.3 10.1.2.4',
  '10.1.2.3\t,\t10.9.0.1',
  `10.1.2.3${', 10.9.0.1'.repeat(99)}`,
  `10.1.2.3${', 10.9.0.1'.repeat(100)}`,
]

export const OVERRIDES: readonly string[] = [
  ...words(`
    https://auth.example.com https://auth.example.com/ https://other.example.com/login?x=1
    https://example.com https://login.corp.test/ http://auth.vestibule.localhost:9091
    https://auth.bare.test/ https://192.0.2.10/p https%3A%2F%2Fauth.example.com%2F
    http://auth.example.com/ https://evil.test/ //auth.example.com
    https://auth.example.com.evil.test/ https://user@auth.example.com/
    https://auth.example.com@evil.test/ https://evil.test%5c@auth.example.com/
    https://auth.example.com%00.evil.test https:auth.example.com / javascript:alert(1)
    https://AUTH.example.com:443/ https://auth.example.com./ https://evilexample.com/
    https://auth.example.com%09.evil.test/ https://auth.example.com/?rd=x&rm=y&a=%20b
    https://%61uth.example.com/
  `),
  '',
]

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

/** Credentials, some of them right. Each costs the server a hash. */
export const CREDENTIALS: readonly string[] = [
  ...['john:correct horse', 'zoë:correct horse', 'bob:correct horse', 'john:wrong'].map(basic),
  ...['JOHN:correct horse', 'leaver:correct horse', 'nobody:x', 'john:', ':x', ''].map(basic),
  `${basic('john:correct horse')}=`,
  basic('john:correct horse').toLowerCase(),
  basic('bob:correct horse').replace('Basic', 'bASIC'),
  ...['Basic', 'Basic ', 'Basic !', 'Bearer x', 'Bearer', 'Digest username="john"', ''],
  ...['Negotiate', 'basic:', 'Basic,Bearer x'],
]

/** Headers that must change nothing. */
export const NOISE: readonly (readonly [string, string])[] = [
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['User-Agent', 'kube-probe/1.30'],
  ['Accept-Language', 'de-DE,de;q=0.9,en;q=0.8'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['X-Real-IP', '10.1.2.3'],
  ['Forwarded', 'for=10.1.2.3;host=public.example.com;proto=https'],
  ['X-Forwarded-Port', '443'],
  ['X-Forwarded-Server', 'proxy'],
  ['X-Forwarded-Prefix', '/public'],
  ['X-Forwarded-User', 'john'],
  ['X-Original-Host', 'public.example.com'],
  ['X-Rewrite-URL', '/public/'],
  ['X-HTTP-Method-Override', 'OPTIONS'],
  ['X-Server-Port', '5000'],
  ['Remote-User', 'john'],
  ['Remote-Groups', 'admins'],
  ['Upgrade', 'websocket'],
  ['Connection', 'keep-alive'],
  ['Connection', 'X-Forwarded-Uri'],
  ['Connection', 'Upgrade'],
  ['TE', 'trailers'],
  ['Origin', 'https://evil.test'],
  ['Referer', 'https://public.example.com/'],
  ['If-None-Match', '*'],
  ['Range', 'bytes=0-0'],
  ['Content-Type', 'application/json'],
  ['Via', '1.1 proxy'],
]

/** What parsers stumble over. */
export const BITS: readonly string[] = [
  ...words(`
    \x00 \x1f \x7f \x80 \xad \xff % %00 %0d%0a %2e %2f %252e / \\ // /../ /./ .. ; # ? & = @ : ,
    " ' < > [ ] * _ . - \xc3\xa9 \xe2\x80\xae \xef\xbb\xbf \xf0\x9f\x98\x80 HTTP/1.1 HTTP/1.0
    https:// public admin
  `),
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\r\n\r\n',
  '\r\n ',
  ' ',
  '  ',
  '\x0b',
  '\xa0',
  'GET ',
  'X-Forwarded-Host: ',
  'Content-Length: 0\r\n',
]
