/** The texts of our mails, in the language of the templates that may replace them. */
import type { Kind } from '../notification.ts'
import type { Format } from './kinds.ts'

const page = (content: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ .Title }}</title></head>
<body style="margin:0;padding:24px;background:#f4f5f7;color:#1c1f24;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:520px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px">
<h1 style="margin:0 0 16px;font-size:20px">{{ .Title }}</h1>
<p>Hello {{ .DisplayName }},</p>
${content}
{{- if .RemoteIP }}
<p style="color:#5b6470;font-size:14px">This was asked for from the address {{ .RemoteIP }}.</p>
{{- end }}
</div>
</body>
</html>
`

const REVOKE_TEXT = `{{ if .RevocationLinkURL }}
If it was not you, make it void here: {{ .RevocationLinkURL }}
{{ end }}`
const REVOKE_HTML = `{{- if .RevocationLinkURL }}
<p>If it was not you, <a href="{{ .RevocationLinkURL }}">{{ or .RevocationLinkText "make it void" }}</a>.</p>
{{- end }}`

export const BUILTIN: Readonly<Record<Kind, Readonly<Record<Format, string>>>> = {
  event: {
    txt: `Hello {{ .DisplayName }},

{{ .BodyPrefix }} {{ .BodyEvent }} {{ .BodySuffix }}
{{ if .Details }}
{{ range $name, $value := .Details -}}
{{ $name }}: {{ $value }}
{{ end -}}
{{ end }}
If it was not you, change your password and tell an administrator.
{{ if .RemoteIP }}
It came from the address {{ .RemoteIP }}.
{{ end }}`,
    html: page(`<p>{{ .BodyPrefix }} <b>{{ .BodyEvent }}</b> {{ .BodySuffix }}</p>
{{- if .Details }}
<ul>
{{- range $name, $value := .Details }}
<li>{{ $name }}: {{ $value }}</li>
{{- end }}
</ul>
{{- end }}
<p>If it was not you, change your password and tell an administrator.</p>`),
  },
  identity_verification_otc: {
    txt: `Hello {{ .DisplayName }},

your one-time code for {{ .Domain }} is:

    {{ .OneTimeCode }}

Enter it where you were asked for it, and nowhere else. Give it to no one.
${REVOKE_TEXT}{{ if .RemoteIP }}
It was asked for from the address {{ .RemoteIP }}.
{{ end }}`,
    html: page(`<p>your one-time code for {{ .Domain }} is:</p>
<p style="font:700 28px/1.2 monospace;letter-spacing:3px">{{ .OneTimeCode }}</p>
<p>Enter it where you were asked for it, and nowhere else. Give it to no one.</p>
${REVOKE_HTML}`),
  },
  identity_verification_jwt: {
    txt: `Hello {{ .DisplayName }},

to go on at {{ .Domain }}, open this link:

{{ .LinkURL }}

It works once. Give it to no one.
${REVOKE_TEXT}{{ if .RemoteIP }}
It was asked for from the address {{ .RemoteIP }}.
{{ end }}`,
    html: page(`<p>to go on at {{ .Domain }}, open this link:</p>
<p><a href="{{ .LinkURL }}">{{ .LinkText }}</a></p>
<p>It works once. Give it to no one.</p>
${REVOKE_HTML}`),
  },
}
