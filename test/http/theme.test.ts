import assert from 'node:assert/strict'
import { test } from 'node:test'
import { themeCookie, themeOf } from '../../src/http/theme.ts'

const read = (cookie?: string) => themeOf({ headers: cookie === undefined ? {} : { cookie } })

test('the theme is read from its cookie, wherever it stands among others', () => {
  assert.equal(read('vestibule_theme=dark'), 'dark')
  assert.equal(read('a=b; vestibule_theme=light; c=d'), 'light')
  assert.equal(read('a=b;vestibule_theme=light ;c=d'), 'light')
})

test('anything but a theme is auto', () => {
  for (const cookie of [
    undefined,
    '',
    'vestibule_theme',
    'vestibule_theme=',
    'vestibule_theme=blue',
    'vestibule_theme=%',
    'xvestibule_theme=dark',
    'a=vestibule_theme=dark',
    'vestibule_theme=darker',
    `${'a;'.repeat(5000)}=`,
  ])
    assert.equal(read(cookie), 'auto')
})

test('what is set is what is read, and auto takes the cookie away', () => {
  for (const theme of ['light', 'dark'] as const) {
    const cookie = themeCookie(theme, '/auth', true)
    assert.equal(read(cookie.split(';', 1)[0]), theme)
    assert.match(cookie, /; Path=\/auth\/; HttpOnly; Secure; SameSite=Lax$/)
  }
  assert.match(
    themeCookie('auto', '', false),
    /^vestibule_theme=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/,
  )
})
