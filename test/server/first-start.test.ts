import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomPassword } from '../../src/features/passwords/index.ts'
import { firstStartBanner, resetAdminBanner } from '../../src/server/first-start.ts'

test('a random password has at least twenty characters that no font confuses, and is never the same', () => {
  const passwords = new Set(Array.from({ length: 200 }, randomPassword))
  assert.equal(passwords.size, 200)
  for (const password of passwords) assert.match(password, /^[^0Oo1Il5Ss2Zz8B\W_]{20,}$/)
})

test('the banner is five lines: portal, data, where the proxy’s part is, the user, and the password last', () => {
  const banner = firstStartBanner({
    password: 'pw',
    portalUrl: 'http://auth.vestibule.localhost:9091',
    dataDirectory: '/srv/data',
  })
  const lines = banner.trim().split('\n')
  assert.equal(lines.length, 5)
  assert.equal(lines[0], 'Portal: http://auth.vestibule.localhost:9091')
  assert.match(lines[1] ?? '', /^Data: \/srv\/data /)
  assert.match(lines[2] ?? '', /vestibule proxy-config nginx/)
  assert.deepEqual(lines.slice(3), ['User: admin', 'Password: pw'])
  for (const line of lines) assert.ok(line.length <= 80, line)
})

test('after a reset the banner says that the flag should go', () => {
  const banner = resetAdminBanner({ password: 'pw', usersIn: '/srv/users.yml' })
  assert.match(banner, /Its digest is in \/srv\/users.yml$/m)
  assert.match(banner, /^Password: pw$/m)
  assert.match(banner, /Take reset_admin_password out/)
})
