/** Titles, colours, pictures, styles and links of an operator, for all domains and for each. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { contrast, inkOn, READABLE, readableOn } from '../../src/http/branding/contrast.ts'
import { readPicture, readStylesheet } from '../../src/http/branding/files.ts'
import { loadForStart } from '../../src/server/start-checks.ts'
import { buildApp } from '../support/app.ts'
import { usersYaml } from '../support/users.ts'

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="10" height="10" fill="#d14"/></svg>`
const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(32)])

const folder = mkdtempSync(join(tmpdir(), 'vestibule-brand-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

test('on every colour, one of white and black can be read, and a colour is moved until it can', () => {
  for (let step = 0; step < 4096; step += 7) {
    const hex = `#${step.toString(16).padStart(3, '0')}`
    assert.ok(contrast(inkOn(hex), hex) >= READABLE, hex)
    for (const ground of ['#eef1f6', '#1a1f2a'])
      assert.ok(contrast(readableOn(hex, ground), ground) >= READABLE, `${hex} on ${ground}`)
  }
  assert.equal(readableOn('#3454d1', '#ffffff'), '#3454d1')
  assert.ok(Math.abs(contrast('#000', '#fff') - 21) < 1e-9)
})

test('a file is taken for what it is, not for its name, and bounded', () => {
  assert.equal(readPicture(file('a.svg', SVG), 'logo').type, 'image/svg+xml')
  assert.equal(readPicture(file('a.png', PNG), 'logo').type, 'image/png')
  assert.throws(() => readPicture(file('b.png', SVG), 'logo'), /is no image\/png/)
  assert.throws(
    () => readPicture(file('b.svg', '<html>not a picture</html>'), 'logo'),
    /is no image\/svg/,
  )
  assert.throws(() => readPicture(file('b.html', SVG), 'logo'), /is none of/)
  assert.throws(() => readPicture(file('c.jpg', PNG), 'logo'), /is none of/)
  assert.throws(
    () => readPicture(file('c.svg', SVG + ' '.repeat(70_000)), 'logo'),
    /larger than 64 KiB/,
  )
  assert.throws(() => readPicture(file('empty.png', ''), 'background'), /is no image\/png/)
  assert.throws(() => readPicture(folder.concat('/none.png'), 'logo'), /ENOENT/)
  assert.throws(() => readStylesheet(file('x.css', 'a{}</style><script>')), /ends a style/)
})

suite('brands', async () => {
  const config = {
    branding: {
      title: 'Example & Co',
      accent: '#ffcc00',
      logo: file('logo.svg', SVG),
      links: [{ title: 'Privacy', url: 'https://example.com/privacy?a=1&b=2' }],
    },
    session: {
      cookies: [
        { domain: 'vestibule.localhost', portal_url: 'http://auth.vestibule.localhost:9091' },
        {
          domain: 'other.localhost',
          portal_url: 'http://auth.other.localhost:9091',
          branding: {
            title: 'Other',
            background: file('back.png', PNG),
            stylesheet: file('own.css', '.card { border: 1px solid red }'),
          },
        },
      ],
    },
  }

  test('each domain has its own, and takes the rest from all; files have safe headers', async (t) => {
    const app = await buildApp(t, { config, users: await usersYaml({ john: {} }) })
    const at = (host: string, path = '/') =>
      app.request(path, { headers: { Host: `${host}:9091`, 'Accept-Encoding': 'identity' } })
    const styleOf = async (page: string, host: string) => {
      const [, url = ''] = /href="(\/static\/portal\.[^"]+\.css)"/.exec(page) ?? []
      return (await at(host, url)).body
    }
    const shared = await at('auth.vestibule.localhost')
    assert.match(shared.body, /<title>Sign in &middot; Example &#38; Co<\/title>/)
    assert.match(
      shared.body,
      /<a href="https:\/\/example\.com\/privacy\?a&#61;1&#38;b&#61;2">Privacy<\/a>/,
    )
    const style = await styleOf(shared.body, 'auth.vestibule.localhost')
    assert.match(style, /--accent:#ffcc00;--accent-strong:#ffcc00;--on-accent:#000000;/)
    assert.doesNotMatch(style, /solid red/)

    const other = await at('auth.other.localhost')
    assert.match(other.body, /<title>Sign in &middot; Other<\/title>/)
    assert.match(other.body, />Privacy</)
    const own = await styleOf(other.body, 'auth.other.localhost')
    assert.match(own, /solid red/)
    const [, back = ''] = /url\("(background\.[0-9a-f]+\.png)"\)/.exec(own) ?? []
    assert.equal(
      (await at('auth.other.localhost', `/static/${back}`)).headers['content-type'],
      'image/png',
    )

    const [, logo = ''] = /<img class="logo" src="([^"]+)"/.exec(shared.body) ?? []
    const picture = await at('auth.vestibule.localhost', logo)
    assert.equal(picture.headers['content-type'], 'image/svg+xml')
    assert.equal(
      picture.headers['content-security-policy'],
      "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    )
    assert.equal(picture.headers['x-content-type-options'], 'nosniff')
    // The policy of the pages is no wider than before.
    assert.match(
      String(shared.headers['content-security-policy']),
      /^default-src 'none'; base-uri 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; form-action /,
    )
    // A refusal at an app's own host carries everything with it.
    const refused = await app.request('/api/authz/forward-auth', {
      headers: {
        Accept: 'text/html',
        Cookie: await app.signIn('john'),
        'X-Forwarded-Method': 'GET',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'admin.vestibule.localhost',
        'X-Forwarded-Uri': '/',
      },
    })
    assert.equal(refused.status, 403)
    assert.match(refused.body, /<img class="logo" src="data:image\/svg\+xml;base64,/)
    assert.doesNotMatch(refused.body, /\/static\/|name="back"/)
  })

  test('what cannot be used is refused at the start, and said at its place', async () => {
    const look = async (branding: Readonly<Record<string, unknown>>, perDomain = {}) => {
      const path = file(
        'config.yml',
        JSON.stringify({
          branding,
          session: {
            cookies: [
              {
                domain: 'example.com',
                portal_url: 'https://auth.example.com',
                branding: perDomain,
              },
            ],
          },
          access_control: { default_policy: 'one_factor' },
        }),
      )
      const loaded = await loadForStart({ files: [path], env: {}, cwd: folder })
      return loaded.ok ? loaded.warnings : loaded.faults
    }
    const texts = async (...given: Parameters<typeof look>) =>
      (await look(...given)).map(({ path, message }) => `${path} ${message}`).join('\n')
    assert.match(await texts({ logo: '/nowhere/logo.svg' }), /branding\.logo names .*ENOENT/)
    assert.match(
      await texts({}, { stylesheet: '/nowhere/x.css' }),
      /session\.cookies\[0\]\.branding\.stylesheet names/,
    )
    assert.match(await texts({ accent: 'red' }), /branding\.accent/)
    assert.match(
      await texts({ links: [{ title: 'x', url: 'javascript:alert(1)' }] }),
      /branding\.links\[0\]\.url/,
    )
    assert.match(await texts({ accent: '#ffcc00' }), /branding\.accent.*hard to read.*darker/)
  })
})
