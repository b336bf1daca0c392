import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstStartBanner, randomPassword, resetAdminBanner } from '../src/first-start.ts'

test('a random password has at least twenty characters that no font confuses, and is never the same', () => {
  const passwords = new Set(Array.from({ length: 200 }, randomPassword))
  assert.equal(passwords.size, 200)
  for (const password of passwords) assert.match(password, /^[^0Oo1Il5Ss2Zz8B\W_]{20,}$/)
})

test('the banner names the user, the password, the portal, the data and where the proxy’s part is, and the password last', () => {
  const banner = firstStartBanner({
    password: 'pw',
    portalUrl: 'http://auth.vestibule.localhost:9091',
    dataDirectory: '/srv/data',
    usersFile: '/srv/data/users.yml',
  })
  assert.match(banner, /^User: admin$/m)
  assert.match(banner, /^Password: pw$/m)
  assert.match(banner, /^Portal: http:\/\/auth\.vestibule\.localhost:9091$/m)
  assert.match(banner, /\/srv\/data /)
  assert.match(banner, /vestibule proxy-config nginx/)
  assert.match(banner, /^Password: pw\n─+\n*$/m)
  assert.ok(banner.trim().split('\n').length < 20, 'it fits on a screen')
  assert.match(banner, /vestibule hash-password[\s\S]*\/srv\/data\/users\.yml/)
})

test('after a reset the banner says that the flag should go', () => {
  const banner = resetAdminBanner({ password: 'pw', usersFile: '/srv/users.yml' })
  assert.match(banner, /^Password: pw$/m)
  assert.match(banner, /Take reset_admin_password out/)
})
