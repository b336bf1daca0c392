/** Where a confirmation may lead back to: pages of the portal alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readReturn } from '../../src/features/portal/index.ts'

test('a confirmation leads back to pages of the portal', () => {
  for (const path of [
    '/settings/password',
    '/second-factor/enrol/totp',
    '/admin/users/new',
    '/admin/users/ann%2Fb%20%C3%BC/delete',
    "/admin/users/o'neil_(2)*~!.x@".replace('@', '%40'),
  ])
    assert.equal(readReturn(path), path)
})

test('and nowhere else', () => {
  for (const path of [
    '',
    '/',
    '//evil.example',
    '/admin//evil.example',
    '/admin/users/..',
    '/admin/../logout',
    '/admin/%2e%2E/logout',
    '/admin/users/.%2e',
    '/settings/%2e',
    '/settings/./x',
    '/admin/users/a\\b',
    '/admin/users/a?b',
    '/admin/users/a#b',
    '/admin/users/a:b',
    '/admin/users/a@evil.example',
    '/admin/users/a\nb',
    '/admin/users/a\n',
    '/administrator',
    '/api/admin/users',
    'https://evil.example/admin',
    '/logout',
  ])
    assert.equal(readReturn(path), '', JSON.stringify(path))
})
