import type { ProxySetup } from '../index.ts'

/**
 * What nginx needs, complete: where to ask, what to tell the app, what to keep from it, and where people go who may
 * not pass. One text for the banner of the first start, for deploy/nginx and for the tests that run nginx with it.
 */
export function nginx({
  verifyUpstream,
  listen,
  serverName,
  appUpstream,
  portalServerName,
  cookieName,
  identityHeaders,
}: ProxySetup): string {
  const { user, groups, name, email } = identityHeaders
  const headers = [user, groups, name, email]
  // A cookie's name may hold what a pattern means something else by.
  const cookie = cookieName.replace(/[^\w-]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`)
  const variable = (header: string) => header.toLowerCase().replaceAll('-', '_')
  const column = Math.max(...headers.map((header) => header.length)) + 1
  const each = (line: (header: string) => string) => headers.map(line).join('\n')
  const aliases = headers.flatMap(aliasesOf)
  return `# Vestibule in front of one app. Goes inside nginx's http { }, for example as /etc/nginx/conf.d/vestibule.conf.

upstream vestibule {
    server ${verifyUpstream};
    keepalive 32;
}

# A websocket keeps its upgrade. Any other (h2c) would be a tunnel through which nobody is asked again.
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

# The app never sees the session cookie. A second one of that name is somebody's trick: then it sees no cookie at all.
map $http_cookie $vestibule_one_less {
    default $http_cookie;
    "~^(?<vestibule_before>(?:.*;)?\\s*)${cookie}\\s*=[^;]*(?:;\\s*)?(?<vestibule_after>.*)$" "$vestibule_before$vestibule_after";
}
map $vestibule_one_less $vestibule_cookie {
    default $vestibule_one_less;
    "~(?:^|;)\\s*${cookie}\\s*=" "";
}

# A host that no server block names is no app's. Without this block nginx would hand it to the first.
server {
    listen ${listen} default_server;
    server_name _;
    # nginx reads the address before it knows the host: this one counts for all.
    large_client_header_buffers 8 32k;
${NAMES}
    return 421;
}

server {
    listen ${listen};
    server_name ${serverName};

    # Addresses of 8 KiB and more, and the cookies of many apps.
    large_client_header_buffers 8 32k;
${NAMES}

    location / {
        auth_request /internal/vestibule;

${each((header) => `        auth_request_set $vestibule_${variable(header)} $upstream_http_${variable(header)};`)}
        auth_request_set $vestibule_location $upstream_http_location;
        auth_request_set $vestibule_sign_in $upstream_http_x_vestibule_sign_in;
        auth_request_set $vestibule_forbidden $upstream_http_x_vestibule_forbidden;
        error_page 401 @vestibule_sign_in;
        error_page 403 @vestibule_forbidden;

        # Your app.
        proxy_pass http://${appUpstream};
        proxy_http_version 1.1;
        proxy_set_header Host $host$vestibule_port;
        proxy_set_header Upgrade $vestibule_upgrade;
        proxy_set_header Connection $vestibule_connection;
        proxy_set_header Cookie $vestibule_cookie;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $host$vestibule_port;

        # Who it is: exactly one of each, whatever the client sent under these names or names that fold to them.
${each((header) => `        proxy_set_header ${header.padEnd(column)}$vestibule_${variable(header)};`)}
${aliases.map((alias) => `        proxy_set_header ${alias.padEnd(column)}"";`).join('\n')}
    }

    # The question itself. No answer, or any answer but 2xx, 401 and 403, closes the door (nginx says 500).
    location = /internal/vestibule {
        internal;
        proxy_pass http://vestibule/verify;
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
        # Room for a long address in the Location of the answer.
        proxy_buffer_size 64k;
        proxy_buffers 4 64k;
        proxy_busy_buffers_size 64k;
    }

    # A browser that opens a page goes to the portal; scripts and programs are told where it is.
    location @vestibule_sign_in {
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
        default_type text/plain;
        if ($vestibule_forbidden = "") {
            return 403 "403 Forbidden";
        }
        return 303 $vestibule_forbidden;
    }
}
${portalServerName === undefined ? '' : portal(listen, portalServerName)}`
}

/** Every other name that nginx lets through and application servers read as this one: `-` and `_` for each other. */
function aliasesOf(header: string): readonly string[] {
  const [first = '', ...rest] = header.split(/[-_]/)
  let names = [first]
  for (const part of rest) {
    // Past some sixty spellings the second of two locks is enough: underscores_in_headers.
    const signs = names.length < 64 ? ['-', '_'] : ['-']
    names = names.flatMap((name) => signs.map((sign) => name + sign + part))
  }
  return names.filter((alias) => alias !== header)
}

/** nginx's defaults, said once more: a name with a dot that it lets through is one that no proxy_set_header takes away. */
const NAMES = `    # No client's Remote.User or Remote_User.
    ignore_invalid_headers on;
    underscores_in_headers off;`

const portal = (listen: string, serverName: string): string => `
# The portal, where people sign in.
server {
    listen ${listen};
    server_name ${serverName};
    large_client_header_buffers 8 32k;

    location / {
        proxy_pass http://vestibule;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host$vestibule_port;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $host$vestibule_port;
        proxy_buffer_size 64k;
        proxy_buffers 4 64k;
        proxy_busy_buffers_size 64k;
    }

    # Only proxies ask these.
    location /verify { return 404; }
    location /api/authz/ { return 404; }
    location /api/verify { return 404; }
}
`
