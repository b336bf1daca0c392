import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { ownerOf } from '../../src/features/portal/index.ts'
import { declareChecked, type Guard, guards } from '../../src/http/guard.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { FakeClock } from '../support/clock.ts'
import { openScene, type Scene } from './scene.ts'

/** One route of each guard that a user can meet. */
function addRoutes({ app }: Scene): void {
  app.get('/open', { config: { guard: 'public' } }, () => 'open')
  app.get('/api/own', { config: { guard: 'user' } }, (request) => ownerOf(request).profile.name)
  app.get('/api/careful', { config: { guard: 'elevated' } }, () => 'careful')
  app.get('/careful', { config: { guard: 'elevated' } }, () => 'careful')
  app.get('/api/operator', { config: { guard: 'admin' } }, () => 'operator')
}

test('a route for elevated sessions refuses requests without a session', async (t) => {
  const scene = await openScene(t)
  addRoutes(scene)
  const answer = await scene.get('/api/careful')
  assert.equal(answer.statusCode, 403)
  assert.equal(answer.json().message, 'Sign in first.')
  assert.equal((await scene.get('/open')).statusCode, 200)
})

test('a session that was never elevated opens its own routes and no elevated one', async (t) => {
  const scene = await openScene(t)
  addRoutes(scene)
  const { value } = await scene.house.signIn('john')
  assert.equal((await scene.get('/api/own', value)).body, 'john')
  const answer = await scene.get('/api/careful', value)
  assert.equal(answer.statusCode, 403)
  assert.equal(answer.json().status, 'KO')
  assert.equal(answer.json().message, "Confirm first that it's you.")
  const page = await scene.get('/careful', value)
  assert.equal(page.statusCode, 403)
  assert.match(page.body, /Confirm that it&#39;s you/)
})

test('an elevated session opens elevated routes until its time is over', async (t) => {
  const clock = new FakeClock()
  const scene = await openScene(t, { more: { elevatedUntil: (clock.now() + 60_000) as EpochMs } })
  addRoutes(scene)
  const { value } = await scene.house.signIn('john')
  assert.equal((await scene.get('/api/careful', value)).body, 'careful')
  scene.house.clock.advance(59_999)
  assert.equal((await scene.get('/api/careful', value)).body, 'careful')
  scene.house.clock.advance(1)
  assert.equal((await scene.get('/api/careful', value)).statusCode, 403)
})

test('an elevated session is no administrator’s', async (t) => {
  const clock = new FakeClock()
  const more = { elevatedUntil: (clock.now() + 60_000) as EpochMs }
  const scene = await openScene(t, { more, adminGroups: ['admins'] })
  addRoutes(scene)
  scene.house.users.add('boss', ['admins'])
  const [john, boss] = [await scene.house.signIn('john'), await scene.house.signIn('boss')]
  assert.equal((await scene.get('/api/operator', john.value)).statusCode, 403)
  assert.equal((await scene.get('/api/operator', boss.value)).body, 'operator')
})

test('a route whose guard would not be checked stops the start', async (t) => {
  const withRoute = async (guard: Guard | undefined) => {
    const app = Fastify()
    t.after(() => app.close())
    await app.register(guards)
    app.get('/api/secret', { ...(guard !== undefined && { config: { guard } }) }, () => 'secret')
    await app.ready()
  }
  for (const guard of ['user', 'elevated', 'admin', 'token'] as const)
    await assert.rejects(
      withRoute(guard),
      /\/api\/secret has the guard .* no plugin here checks it/,
    )
  await assert.rejects(withRoute(undefined), /\/api\/secret does not say who may call it/)
  await withRoute('public')
})

test('a plugin that checks guards does so for its own routes alone', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(guards)
  const addRoute = async (inner: FastifyInstance, { url }: { readonly url: string }) => {
    if (url === '/checked') declareChecked(inner)
    inner.get(url, { config: { guard: 'admin' } }, () => '')
  }
  await app.register(addRoute, { url: '/checked' })
  await assert.rejects(
    async () => app.register(addRoute, { url: '/beside' }),
    /\/beside has the guard/,
  )
})
