/** The choice of a language, on every page and without scripts. */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { LANGUAGES } from '../../src/http/languages.ts'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { usersYaml } from '../support/users.ts'

const HOST = 'auth.vestibule.localhost:9091'

suite('the language of the pages', () => {
  const t = suiteCleanup()
  let app: BuiltApp
  let cookie: string

  before(async () => {
    app = await buildApp(t, { users: await usersYaml({ john: { groups: ['vestibule-admins'] } }) })
    cookie = await app.signIn('john')
  })

  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    app.request(path, { headers: { Host: HOST, ...headers } })
  const choose = (form: Readonly<Record<string, string>>, headers = {}) =>
    app.request('/settings/language', {
      method: 'POST',
      headers: {
        Host: HOST,
        Origin: `http://${HOST}`,
        'Content-Type': 'application/x-www-form-urlencoded',
        ...headers,
      },
      body: new URLSearchParams(form).toString(),
    })

  test('a page comes in the language that the browser accepts, Arabic from right to left', async () => {
    assert.match((await get('/')).body, /<html lang="en" dir="ltr"/)
    const german = await get('/', { 'Accept-Language': 'de-CH, en;q=0.5' })
    assert.match(german.body, /<html lang="de" dir="ltr"/)
    assert.match(german.body, /<h1>Anmelden<\/h1>/)
    assert.match((await get('/', { 'Accept-Language': 'ar' })).body, /<html lang="ar" dir="rtl"/)
    assert.match((await get('/nowhere', { 'Accept-Language': 'ar' })).body, /dir="rtl"/)
  })

  test('what is chosen is kept in a cookie, and the page comes back with what it carried', async () => {
    const page = await get('/?rd=https%3A%2F%2Fapp.vestibule.localhost%2F')
    const back = /name="back" value="([^"]+)"/.exec(page.body)?.[1]?.replaceAll('&#61;', '=')
    assert.equal(back, '/?rd=https%3A%2F%2Fapp.vestibule.localhost%2F')
    const answer = await choose({ language: 'de', back: back ?? '' })
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.location, back)
    const [set = ''] = answer.headers['set-cookie'] ?? []
    assert.match(
      set,
      /^vestibule_language=de; Max-Age=31536000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    const kept = set.split(';', 1)[0] ?? ''
    const german = await get('/', { Cookie: kept, 'Accept-Language': 'ar' })
    assert.match(german.body, /<option value="de" lang="de" selected>/)
  })

  test('it leads to this portal alone, takes languages that are there, and obeys no other site', async () => {
    for (const back of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example/',
      '',
      '/a b',
      '/\n/x',
      '\\\\x',
    ]) {
      const { headers } = await choose({ language: 'de', back })
      assert.equal(headers.location, '/', JSON.stringify(back))
    }
    const none = await choose({ language: '../../package', back: '/logout' })
    assert.equal(none.headers['set-cookie'], undefined)
    assert.equal(none.headers.location, '/logout')
    const foreign = await choose({ language: 'de' }, { Origin: 'https://evil.example' })
    assert.equal(foreign.status, 403)
    assert.equal(foreign.headers['set-cookie'], undefined)
  })

  // A page of each kind; what is loaded with it is the same for all.
  test('the first view of every page is at most 25 KB, in the language that needs most', async () => {
    const [style = '', script = ''] = await Promise.all(
      [/href="(\/static\/[^"]+\.css)"/, /src="(\/static\/[^"]+\.js)"/].map(async (link) => {
        const [, url = ''] = link.exec((await get('/')).body) ?? []
        return (await get(url)).body
      }),
    )
    const shared = gzipSync(style).length + gzipSync(script).length
    const paths = [
      '/',
      '/nowhere',
      '/logout',
      '/forbidden?rd=https://bank.vestibule.localhost/',
      '/second-factor/enrol',
      '/settings/sessions',
      '/settings/history',
      '/settings/appearance',
      '/settings/confirm',
      '/admin/why?user=john&url=https://bank.vestibule.localhost/',
    ]
    for (const path of paths)
      for (const language of Object.keys(LANGUAGES)) {
        const { body } = await get(path, { Cookie: `${cookie}; vestibule_language=${language}` })
        const weight = shared + gzipSync(body).length
        assert.ok(weight <= 25 * 1024, `${path} in ${language}: ${weight}`)
      }
    for (const language of Object.keys(LANGUAGES)) {
      const { body } = await get('/', { Cookie: `vestibule_language=${language}` })
      const weight = shared + gzipSync(body).length
      assert.ok(weight <= 15 * 1024, `the sign-in page in ${language}: ${weight}`)
    }
  })
})
