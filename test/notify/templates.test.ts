import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import type { Notification } from '../../src/features/notify/index.ts'
import { composeMail, readTemplates } from '../../src/features/notify/templates/index.ts'
import { TemplateFault } from '../../src/features/notify/templates/lex.ts'
import { parseTemplate } from '../../src/features/notify/templates/parse.ts'
import { asHtml, asText, render, type Value } from '../../src/features/notify/templates/render.ts'
import { temporaryDirectory } from '../support/cli.ts'

const to = { name: 'John Doe', address: 'john@example.com' }
const code: Notification = {
  kind: 'identity_verification_otc',
  to,
  subject: 'Confirm your identity',
  fields: {
    domain: 'auth.example.com',
    remoteIP: '192.0.2.1',
    oneTimeCode: 'ABCD2345',
    revocationLinkURL: 'https://auth.example.com/revoke/one-time-code?id=1&x=2',
  },
}
const event: Notification = {
  kind: 'event',
  to,
  subject: 'Password changed successfully',
  fields: {
    remoteIP: '192.0.2.1',
    bodyPrefix: 'Your',
    bodyEvent: 'password',
    bodySuffix: 'was changed.',
    details: { Browser: 'Firefox <140>', Time: 'noon' },
  },
}
const builtin = readTemplates(undefined).templates
const compose = (notification: Notification, templates = builtin) =>
  composeMail(notification, templates, 'id')

const fill = (source: string, data: Record<string, Value> = {}, encode = asText) =>
  render(parseTemplate(source, Object.keys(data)), data, encode)

suite('the built-in templates', () => {
  test('say everything, in text and HTML', () => {
    const { text, html, title } = compose(code)
    assert.equal(title, 'Confirm your identity')
    for (const part of [text, html])
      for (const said of ['John Doe', 'auth.example.com', 'ABCD2345', '192.0.2.1', '/revoke/'])
        assert.ok(part.includes(said), said)
    assert.match(html, /id=1&amp;x=2"/)
    assert.match(text, /id=1&x=2/)
    const told = compose(event)
    assert.match(told.text, /Your password was changed\./)
    assert.match(told.text, /^Browser: Firefox <140>\nTime: noon$/m)
    assert.match(told.html, /<li>Browser: Firefox &lt;140&gt;<\/li>/)
  })

  test('leave out what there is nothing of', () => {
    const { revocationLinkURL: _, ...fields } = code.fields
    const { text, html } = compose({ ...code, fields: { ...fields, remoteIP: '' } })
    for (const part of [text, html]) assert.doesNotMatch(part, /void|address|undefined/)
    assert.doesNotMatch(text, /\n\n\n/)
  })
})

test('nothing in a field begins a line, a header or an element', () => {
  const evil = 'x\r\nBcc: all@example.com\u2028\u0085\u202e<script>alert(1)</script>'
  const {
    to: addressed,
    title,
    text,
    html,
  } = compose({
    ...event,
    to: { ...to, name: evil },
    subject: evil,
    fields: { ...event.fields, bodyEvent: evil, details: { [evil]: evil } },
  })
  for (const line of [addressed.name, title]) assert.doesNotMatch(line, /[\r\n\u2028\u0085\u202e]/)
  assert.doesNotMatch(text, /^Bcc/m)
  assert.doesNotMatch(html, /<script/)
})

suite('the template language', () => {
  test('has what Authelia’s templates use', () => {
    const data = { A: 'a', B: '', D: { x: '1', y: '2' } }
    for (const [source, expected] of [
      ['{{ .A }}{{.B}}|', 'a|'],
      ['{{ if .A }}yes{{ else }}no{{ end }}', 'yes'],
      ['{{ if .B }}yes{{ else if eq .A "b" }}b{{ else if eq .A "a" }}a{{ else }}no{{ end }}', 'a'],
      ['{{ if not (eq .A "") }}set{{ end }}', 'set'],
      ['{{ if and .A (or .B .D) }}both{{ end }}', 'both'],
      ['{{ range $k, $v := .D }}{{ $k }}={{ $v }};{{ end }}', 'x=1;y=2;'],
      ['{{ range $v := .D }}{{ $v }}{{ . }}{{ $.A }}{{ end }}', '11a22a'],
      ['{{ range .B }}x{{ else }}none{{ end }}', 'none'],
      ['{{ with .D }}{{ .x }}{{ end }}', '1'],
      ['{{ $x := .A | upper }}{{ $x }}', 'A'],
      ['a\n{{- /* said by no one */ -}}\nb', 'ab'],
      ['  {{- .A -}}  ', 'a'],
      ['{{ len .D }}{{ ne .A "b" }}', '2true'],
      ['{{ "\\"q\\"" }}{{ `raw` }}{{ or .B "else" }}', '"q"rawelse'],
    ] as const)
      assert.equal(fill(source, data), expected, source)
  })

  test('escapes values and not the template', () => {
    assert.equal(
      fill('<b title="{{ .A }}">{{ .A }}</b>', { A: `<'&">` }, asHtml),
      '<b title="&lt;&#39;&amp;&quot;&gt;">&lt;&#39;&amp;&quot;&gt;</b>',
    )
  })

  test('says what is wrong, and in which line', () => {
    for (const [source, line, problem] of [
      ['one\n{{ .Titel }}', 2, /no field \.Titel; there are \.Title/],
      ['{{ if .Title }}\n', 1, /no \{\{ end \}\}/],
      ['\n\n{{ end }}', 3, /belongs to nothing/],
      ['{{ .Title', 1, /not closed/],
      ['{{ exec "rm" }}', 1, /function exec is not known/],
      ['{{ eq .Title }}', 1, /number of arguments/],
      ['{{ .Title ? }}', 1, /cannot be read/],
      ['{{ (eq .Title "a" }}', 1, /parenthesis/],
      ['{{ }}', 1, /empty/],
      [`${'{{ if .Title }}'.repeat(50)}${'{{ end }}'.repeat(50)}`, 1, /too deeply/],
    ] as const)
      assert.throws(
        () => parseTemplate(source, ['Title']),
        (error) =>
          error instanceof TemplateFault && error.line === line && problem.test(error.message),
        source,
      )
  })
})

suite('a folder of templates', () => {
  const folderOf = (t: TestContext, files: Readonly<Record<string, string>>) => {
    const folder = temporaryDirectory(t)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    return folder
  }

  test('replaces what it has, each file by itself', (t) => {
    const folder = folderOf(t, {
      'IdentityVerificationOTC.txt': 'Code: {{ .OneTimeCode }} for {{ .DisplayName }}',
    })
    const { templates, problems } = readTemplates(folder)
    assert.deepEqual(problems, [])
    const { text, html } = compose(code, templates)
    assert.equal(text, 'Code: ABCD2345 for John Doe')
    assert.equal(html, compose(code).html)
  })

  test('with a fault is named by file and line', (t) => {
    const folder = folderOf(t, { 'Event.html': '<p>\n{{ .LinkURL }}</p>' })
    const [problem, ...others] = readTemplates(folder).problems
    assert.deepEqual(others, [])
    assert.equal(problem?.line, 2)
    assert.match(problem.file, /Event\.html$/)
  })
})
