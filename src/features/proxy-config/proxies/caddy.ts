import { aliasesOf, headersOf, OVERRIDES, SAID, SIGNS } from '../headers.ts'
import {
  hostsOf,
  indent,
  literal,
  type PrintSnippet,
  type ProxySetup,
  portalsOf,
  splitListen,
  verifyPaths,
  verifyTargetPattern,
} from '../setup.ts'

/** Caddy 2.6 and newer, as a piece of a Caddyfile. */
export const caddy: PrintSnippet = (setup) => {
  const { verifyUpstream, appUpstream, cookieNames } = setup
  const portals = portalsOf(setup)
  const headers = headersOf(setup)
  const names = cookieNames.map(literal).join('|')
  const upstream = verifyUpstream.replace(/^unix:/, 'unix/')
  const removed = [
    ...headers.flatMap((header) => [header, ...aliasesOf(header)]),
    ...OVERRIDES,
    ...otherSpellings([...OVERRIDES, ...SAID]),
  ]
  return [
    {
      name: 'Caddyfile',
      text: `# Vestibule in front of one app. Goes into your Caddyfile; for Caddy 2.6 and newer.

# What every app takes, inside a route: this order and no other.
(vestibule) {
${indent(REFUSED, '\t')}

	# Identity headers of a client, and every spelling that an app could take for them: PHP and its kin read Remote_User,
	# Remote.User and Remote!User as Remote-User. The others could tell an app of another path, method or place than what
	# was asked about; a * stands for whatever follows.
${removed.map((header) => `	request_header ${quoted(`-${header}`)}`).join('\n')}

	# A websocket keeps its upgrade. Any other (h2c) would be a tunnel, and what goes through it is not checked; and a
	# Connection header of the client's own could name headers that are to be dropped on the way to the app.
	@vestibule_websocket header_regexp Upgrade (?i)^websocket$
	@vestibule_no_websocket not header_regexp Upgrade (?i)^websocket$
	request_header @vestibule_no_websocket -Connection
	request_header @vestibule_websocket Upgrade websocket
	request_header @vestibule_websocket Connection Upgrade

	# The question. Only a 2xx opens; any other answer (the way to the portal, 401, 403) goes to the client as it is,
	# and without an answer it is 502. Caddy itself says what is asked about, whatever the client sent.
	forward_auth ${upstream} {
		uri /api/authz/forward-auth
		copy_headers ${headers.map(quoted).join(' ')}
	}

	# The app never sees the session cookie; all others stay.
	request_header Cookie \`(?:^|;)\\s*(?:${names})\\s*=[^;]*()\` $1
	request_header Cookie \`^[;\\s]*()\` $1
	@vestibule_no_cookie header_regexp Cookie ^\\s*$
	request_header @vestibule_no_cookie -Cookie
}

# An app. A further one: a copy with its own name and reverse_proxy.
${site(setup, hostsOf(setup))} {
${bind(setup)}	route {
		import vestibule
		# Your app.
		reverse_proxy ${appUpstream}
	}
}
${portals.length === 0 ? '' : portal(setup, portals, upstream)}`,
    },
  ]
}

/** What cannot be asked about. */
const REFUSED = [
  '# CONNECT opens a tunnel, and no request inside it is asked about. TRACE tells back what is added on the way to the app.',
  '@vestibule_tunnel method CONNECT TRACE',
  'respond @vestibule_tunnel 405',
  '# What is asked about is what is sent on: no http://... and no * in place of a path.',
  '@vestibule_no_path not vars_regexp {http.request.orig_uri} ^/',
  'respond @vestibule_no_path 400',
]

/** Beginnings of names with another sign than the hyphen: at the first place any, further on `_` or `.`. */
const otherSpellings = (headers: readonly string[]): readonly string[] => [
  ...new Set(
    headers.flatMap((header) => {
      const parts = header.split('-')
      return parts.slice(1).flatMap((part, index) => {
        const start = parts.slice(0, index + 1).join('-')
        return (index === 0 ? SIGNS : ['_', '.']).map((sign) => `${start}${sign}${part}*`)
      })
    }),
  ),
]

const portal = (setup: ProxySetup, hosts: readonly string[], upstream: string): string => `
# The portal, where people sign in.
${site(setup, hosts)} {
${bind(setup)}	route {
${indent(REFUSED, '\t\t')}

		# Only proxies ask these, however the path is written.
		@vestibule_verify path ${verifyPaths(setup)
      .flatMap((path) => [path, `${path}/*`])
      .join(' ')}
		respond @vestibule_verify 404
		@vestibule_verify_written vars_regexp {http.request.orig_uri} \`${verifyTargetPattern(setup)}\`
		respond @vestibule_verify_written 404

		reverse_proxy ${upstream}
	}
}
`

function site({ listen, tls }: ProxySetup, hosts: readonly string[]): string {
  const { port } = splitListen(listen)
  const scheme = tls ? 'https' : 'http'
  const ending = port === (tls ? '443' : '80') ? '' : `:${port}`
  return hosts.map((host) => `${scheme}://${host}${ending}`).join(', ')
}

function bind({ listen }: ProxySetup): string {
  const { address } = splitListen(listen)
  return address === undefined ? '' : `	bind ${address}\n`
}

/** Caddyfile's two kinds of quotes, for names with signs that could mean something. */
function quoted(name: string): string {
  if (/^[\w.-]+$/.test(name)) return name
  return name.includes('`') ? `"${name}"` : `\`${name}\``
}
