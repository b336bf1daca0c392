import { aliasesOf, headersOf, untrueOf } from '../headers.ts'
import { type ProxySetup, verifyPaths, verifyTargetPattern } from '../setup.ts'

/** The pieces of an nginx configuration, for nginx itself and for what others have built around it. */

/** For `http { }`: variables that the other pieces use. */
export function httpDirectives(setup: ProxySetup): string {
  return `# A websocket keeps its upgrade. Any other (h2c) would be a tunnel, and what goes through it is not checked.
map $http_upgrade $vestibule_upgrade {
    default "";
    "~*^websocket$" websocket;
}
map $vestibule_upgrade $vestibule_connection {
    default upgrade;
    ""      "";
}

# The port that the client named, with its colon. The host is $host, never $http_host: where a request line names a host too,
# nginx goes by that one, and the question must be about the server block that answers.
map $http_host $vestibule_port {
    default "";
    "~(?<vestibule_named>:[0-9]+)$" $vestibule_named;
}

# The app never sees the session cookie. A second cookie of that name is an attack: then it sees no cookie at all.
${cookieMaps(setup.cookieNames)}`
}

/** One map takes the cookie away, another looks whether one is left; then the next name. */
export function cookieMaps(names: readonly string[], result = '$vestibule_cookie'): string {
  let from = '$http_cookie'
  return names
    .map((name, index) => {
      const source = from
      const less = index === 0 ? '$vestibule_one_less' : `$vestibule_one_less_${index + 1}`
      from = index === names.length - 1 ? result : `$vestibule_cookie_${index + 1}`
      const pattern = cookiePattern(name)
      return `map ${source} ${less} {
    default ${source};
    "~^(?<vestibule_before>(?:.*;)?\\s*)${pattern}\\s*=[^;]*(?:;\\s*)?(?<vestibule_after>.*)$" "$vestibule_before$vestibule_after";
}
map ${less} ${from} {
    default ${less};
    "~(?:^|;)\\s*${pattern}\\s*=" "";
}
`
    })
    .join('')
}

/** A cookie's name may hold what a pattern means something else by. */
const cookiePattern = (name: string): string =>
  name.replace(/[^\w-]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`)

/**
 * For the `server { }` of an app: addresses, names of headers, and what answers in place of the app.
 * @param upstream where the question goes, a variable where nginx has to look its name up
 * @param first lines of the question's location that set that variable
 */
export const serverDirectives = (upstream: string, first = ''): string =>
  `${ADDRESSES}
${NAMES}
${REFUSED}

    # The question itself. No answer, or any answer but 2xx, 401 and 403, closes the door (nginx says 500).
    location = /internal/vestibule {
        internal;
        auth_request off;
${first}        proxy_pass http://${upstream}/verify;
        proxy_http_version 1.1;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_set_header Connection "";
        proxy_set_header Upgrade "";
        proxy_set_header Host $host$vestibule_port;
        proxy_set_header X-Original-URL $scheme://$host$vestibule_port$request_uri;
        proxy_set_header X-Original-Method $request_method;
        proxy_set_header X-Forwarded-For $remote_addr;
        # What a client sends under these names is not asked about.
        proxy_set_header X-Forwarded-Proto "";
        proxy_set_header X-Forwarded-Host "";
        proxy_set_header X-Forwarded-Uri "";
        proxy_set_header X-Forwarded-Method "";
        proxy_connect_timeout 3s;
        proxy_read_timeout 10s;
        # An address of 16 KiB comes back in two headers of the answer, and encoded may be three times as long.
        proxy_buffer_size 128k;
        proxy_buffers 4 128k;
        proxy_busy_buffers_size 128k;
    }

    # A browser that opens a page goes to the portal; scripts and programs are told where it is.
    location @vestibule_sign_in {
        auth_request off;
        default_type application/json;
        if ($vestibule_sign_in = "") {
            add_header Location $vestibule_location always;
            add_header Cache-Control no-store always;
            return 401 '{"status":"KO","message":"Sign in first.","login_url":"$vestibule_location"}';
        }
        if ($request_method ~ "^(GET|HEAD|OPTIONS)$") {
            return 302 $vestibule_sign_in;
        }
        return 303 $vestibule_sign_in;
    }

    # Signed in, and still not allowed: the portal says so in words.
    location @vestibule_forbidden {
        auth_request off;
        default_type text/plain;
        if ($vestibule_forbidden = "") {
            return 403 "403 Forbidden";
        }
        return 303 $vestibule_forbidden;
    }
`

/** nginx reads the address before it knows the host: the block that comes first counts for all. */
const ADDRESSES = `    # Addresses of 8 KiB and more, and the cookies of many apps.
    large_client_header_buffers 8 32k;`

/** What cannot be asked about is refused before anything is asked. */
export const REFUSED = `    # CONNECT opens a tunnel, and no request inside it is asked about. TRACE tells back what is added on the way to the app.
    if ($request_method ~ "^(CONNECT|TRACE)$") { return 405; }
    # What is asked about is what is sent on: no http://... and no * in place of a path.
    if ($request !~ "^[^ ]+ +/") { return 400; }`

/** nginx's defaults, said once more: a name with a dot that it lets through is one that no proxy_set_header takes away. */
export const NAMES = `    # No client's Remote.User or Remote_User.
    ignore_invalid_headers on;
    underscores_in_headers off;`

/** Buffers for a long address in the Location of an answer. */
const BUFFERS = `        # Room for a long address in the Location of the answer.
        proxy_buffer_size 64k;
        proxy_buffers 4 64k;
        proxy_busy_buffers_size 64k;`

const variable = (header: string): string => header.toLowerCase().replaceAll('-', '_')

const each = (setup: ProxySetup, line: (header: string) => string): string =>
  headersOf(setup).map(line).join('\n')

/** Asks, takes what the answer says, and sends away who may not pass; for a `location { }` or a whole `server { }`. */
export const questionDirectives = (setup: ProxySetup): string =>
  `        auth_request /internal/vestibule;

${each(setup, (header) => `        auth_request_set $vestibule_${variable(header)} $upstream_http_${variable(header)};`)}
        auth_request_set $vestibule_location $upstream_http_location;
        auth_request_set $vestibule_sign_in $upstream_http_x_vestibule_sign_in;
        auth_request_set $vestibule_forbidden $upstream_http_x_vestibule_forbidden;
        error_page 401 @vestibule_sign_in;
        error_page 403 @vestibule_forbidden;`

/** What the app gets to know, and what it doesn't; for its `location / { }`. */
export function headerDirectives(setup: ProxySetup): string {
  const headers = headersOf(setup)
  const aliases = headers.flatMap((header) => aliasesOf(header, ['_']))
  const untrue = untrueOf(['X-Real-IP'], ['_'])
  const column = Math.max(...[...headers, ...aliases, ...untrue].map((name) => name.length)) + 1
  const taken = (names: readonly string[]): string =>
    names.map((name) => `        proxy_set_header ${name.padEnd(column)}"";`).join('\n')
  return `${REQUEST}
        proxy_set_header Upgrade $vestibule_upgrade;
        proxy_set_header Connection $vestibule_connection;
        proxy_set_header Cookie $vestibule_cookie;
        # A program that signs in with a name and a password (Basic) tells them to the app as well. Where the app has no use
        # for this header of its own:
        #proxy_set_header Authorization "";

        # Who it is: exactly one of each, whatever the client sent under these names or names that fold to them.
${each(setup, (header) => `        proxy_set_header ${header.padEnd(column)}$vestibule_${variable(header)};`)}
${taken(aliases)}

        # What could tell an app of another path, method or place than what was asked about, also for an nginx that lets
        # underscores through.
${taken(untrue)}
        # Room for so many names.
        proxy_headers_hash_max_size 2048;
        proxy_headers_hash_bucket_size 128;`
}

/** Where a request comes from and what it is about, whatever the client says; for the app and for the portal. */
const REQUEST = `        proxy_http_version 1.1;
        proxy_set_header Host $host$vestibule_port;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $host$vestibule_port;`

/** For the `server { }` of the portal, where people sign in. `proxyPass` are the lines that lead to Vestibule. */
export const portalDirectives = (setup: ProxySetup, proxyPass: string): string => `${ADDRESSES}
${REFUSED}
    # Only proxies ask these, however the path is written.
    if ($request_uri ~ "${verifyTargetPattern(setup)}") { return 404; }

    location / {
${proxyPass}
${REQUEST}
        proxy_set_header Connection "";
${BUFFERS}
    }

${verifyPaths(setup)
  .map((path) => `    location ${path} { return 404; }`)
  .join('\n')}
`
