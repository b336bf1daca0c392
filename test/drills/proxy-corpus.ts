/** What is asked through every proxy: request lines that a proxy and an app could read in two ways. One character a byte. */
import { words } from './corpus-target.ts'
import { host } from './proxy-world.ts'

const [APP, PUBLIC, OPEN] = [host('app'), host('public'), host('open')]

/** Targets that do not begin with a slash. */
export const ODD_FORMS: readonly string[] = [
  ...words(`
    http://${APP}/admin http://${APP}/open/a http://${APP}/open/../admin http:///open/admin
    http:////open/admin http:/open/admin http:open/admin http:open http:// http://? http:///
    http://x\\admin\\y@${APP}/open/x http://x/admin/y@${APP}/open/x http://${APP}\\admin/open/x
    http://${PUBLIC}/admin http://${OPEN}/admin https://${APP}/admin HTTP://${APP}/admin
    http://${APP} http://${APP}?page=1 http://${APP}#/admin http://${APP}/open#/admin
    http://${APP}:80/admin http://${APP}:/admin http://${APP}:80@evil.test/admin
    http://u:p@${APP}/admin http://${APP}./admin http://[::1]/admin http://127.0.0.1/admin
    ftp://${APP}/admin file:///admin ws://${APP}/admin x://${APP}/admin x:/admin urn:admin
    javascript:/admin http://${APP},${PUBLIC}/admin http://${APP}%2fadmin/open/
    * */admin *?page=1 *# ** ?page=1 ?/admin # #/admin #/open/../admin \\admin \\\\${APP}\\admin
    ${APP}:80 ${APP} app:80 localhost:80 127.0.0.1:80 :80 admin open/../admin . .. ./admin
    ../admin @${APP}/admin %2fadmin %2Fopen;/../admin ;/admin &/admin =/admin ~ |
  `),
  '',
  '\x00/admin',
  '\x80/admin',
]

/** Targets that begin with one, and have more than one reading all the same. */
export const ODD_PATHS: readonly string[] = [
  ...words(`
    / /x /open /open/a /admin /read /read/x /open/../admin /open/./../admin /open//../admin
    /open/../../admin //admin //open/../admin ///admin //${APP}/admin //${PUBLIC}/admin
    /open///admin /.//admin /./admin /open/%2e%2e/admin /open/%2E./admin /open/.%2e/admin
    /open%2f..%2fadmin /open%5c..%5cadmin /open/..%2fadmin /open/..%5cadmin /open\\..\\admin
    /open/..\\admin /\\admin /open/..;/admin /open;/../admin /open/..;a=b/admin /admin;x
    /%61dmin /%2561dmin /open/%252e%252e/admin /open/%c0%ae%c0%ae/admin /open/%00/../admin
    /open/%0d%0aX:y /open/%20/../admin /open#/../admin /open/#/../admin /open/a#?x /open?/../admin
    /open/?/../admin /admin?/open/ /admin#/open /open/a%23/../admin /open/a%3f/../admin /open/%
    /open/%zz /open/%u002e%u002e/admin /open/\xff /open/\xc0\xae\xc0\xae/admin /open/\xc3\xbc /ADMIN
    /Open/a /open. /open/... /open/.. /open/. /open/a/. /open/a/.. /admin/. /admin/ /admin%20
    /query?page=1 /query?page=1;debug=1 /query?page=1;debug /query?page=1&debug=1
    /query?page=1&%64ebug=1 /query?page=1;;debug /query?debug=1;page=1 /query?page=1#&debug=1
    /query?page=1%26debug=1 /query?page=1&&debug /query?page=1%3bdebug /query?page=1?debug=1
    /query?&page=1 /query?page=1& /query?page=%31 /query?page=1+ /query? /query?page=1&a=%
    /query?page=1&a=\xff /query?page=1&a=%zz /query/?page=1;debug=1 /query%3fpage=1
  `),
]

export const METHODS: readonly string[] = words(`
  HEAD OPTIONS POST PUT DELETE PATCH PROPFIND MKCOL LOCK PURGE M-SEARCH QUERY SEARCH FOO
  get Get gET Trace trace connect Connect CONNECT TRACE PRI GETX A
`)

/** Host headers: none, one, several. */
export const HOST_LINES: readonly (readonly string[])[] = [
  [],
  [''],
  [`${APP}.`],
  [APP.toUpperCase()],
  [`${APP}:80`],
  [`${APP}:0080`],
  [`${APP}:`],
  [`${APP}:x`],
  [`${APP}:99999`],
  [`x@${APP}`],
  [`${APP}@${PUBLIC}`],
  [`${PUBLIC}/${APP}`],
  [`${PUBLIC}#${APP}`],
  [`${PUBLIC}?${APP}`],
  [`${PUBLIC}\\${APP}`],
  [`${PUBLIC} ${APP}`],
  [`${PUBLIC}, ${APP}`],
  [`${APP}, ${PUBLIC}`],
  [`${PUBLIC}%00.${APP}`],
  [`.${APP}`],
  [`[::1]`],
  ['127.0.0.1'],
  ['localhost'],
  [OPEN],
  [PUBLIC, APP],
  [APP, PUBLIC],
  [APP, APP],
  [host('bank'), APP],
]

/** Lines that must not change what is asked about, nor what the app is told. */
export const LINES: readonly string[] = [
  'Remote-User: mallory',
  'Remote_User: mallory',
  'remote.user: mallory',
  'Remote-Groups: admins',
  'X-Original-URL: http://public.vestibule.localhost/',
  'X-Original-Method: OPTIONS',
  'X-Forwarded-Host: public.vestibule.localhost',
  'X-Forwarded-Uri: /open/a',
  'X-Forwarded-Method: GET',
  'X-Forwarded-Proto: https',
  'X-HTTP-Method-Override: DELETE',
  'X-Rewrite-URL: /admin',
  'X-Authelia-URL: https://evil.test/',
  'Connection: Remote-User, X-Forwarded-Uri, X-Forwarded-Host',
  'Connection: Host',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  'Content-Length: 5',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Expect: 100-continue',
  'Accept: text/html',
  'Cookie: a=b',
  ':path: /open/a',
  ':authority: public.vestibule.localhost',
  'Max-Forwards: 0',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
]

/** Upgrades, each with the lines that belong to it. */
export const UPGRADES: readonly (readonly string[])[] = [
  ['Connection: Upgrade', 'Upgrade: websocket'],
  [
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
  ],
  ['Connection: Upgrade', 'Upgrade: TLS/1.0'],
  ['Connection: Upgrade', 'Upgrade: connect-ip'],
]

/** Targets of a CONNECT. */
export const AUTHORITIES: readonly string[] = words(`
  app:80 ${APP}:80 ${PUBLIC}:80 ${APP} 127.0.0.1:80 /admin / * http://${APP}/admin
`)
