import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { run } from '../../src/cli/index.ts'
import { askServer } from '../../src/control/client.ts'
import { commandsOf } from '../../src/control/commands.ts'
import { socketPath } from '../../src/control/protocol.ts'
import { openControlServer } from '../../src/control/server.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { type AnyOperation, bindOperations, defineOperation } from '../../src/kernel/operation.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { operations, type Services, storedOperations } from '../../src/operations.ts'
import { buildApp } from '../support/app.ts'
import { Collector } from '../support/cli.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

/** One entry, as it would stand in a feature's list. */
const greet = defineOperation({
  name: 'greetings.send',
  summary: 'greet a user',
  who: 'admin',
  input: z.strictObject({ user: z.string().min(1), times: z.int().max(3).optional() }),
  output: z.array(z.object({ text: z.string(), by: z.string() })),
  audits: ['user.added'],
  http: [{ method: 'POST', path: '/api/admin/greetings/:user', status: 201 }],
  run({ audit }: Pick<Services, 'audit'>, { user, times = 1 }, { name, actor }) {
    if (user === 'nobody') throw new OperatorError('nobody is greeted', 'greet a user')
    if (user === 'taken') throw new AppError('USER_EXISTS', { reason: 'taken is taken' })
    audit.record('user.added', { user, actor, details: { reason: 'greeted' } })
    return Array.from({ length: times }, () => ({ text: `hello ${user}`, by: name, secret: 'x' }))
  },
})

/** With an input that is no flat object, and one with every kind of key. */
const shape = defineOperation({
  name: 'shapes.draw',
  summary: 'draw',
  who: 'operator',
  input: z.union([
    z.strictObject({ ids: z.array(z.string()) }),
    z.strictObject({ all: z.literal(true) }),
  ]),
  output: z.object({ drawn: z.unknown() }),
  audits: [],
  run: (_services: unknown, drawn) => ({ drawn }),
})
const list = defineOperation({
  name: 'shapes.list',
  summary: 'list',
  who: 'operator',
  input: z.strictObject({
    kind: z.enum(['round', 'square']),
    sideCount: z.int().optional(),
    ids: z.array(z.string()).optional(),
    hidden: z.boolean(),
  }),
  output: z.array(z.record(z.string(), z.unknown())),
  audits: [],
  run: (_services: unknown, input) => [input],
})

/** All three surfaces over one set of services. */
async function start(t: TestContext, list: readonly AnyOperation<Services>[]) {
  const built = await buildApp(t, {
    config: { admin: { groups: ['admins'] }, audit: { log: false } },
    users: await usersYaml({ root: { groups: ['admins'] }, john: {} }),
    operations: list,
  })
  const { app, folder, configFile, services } = built
  const { audit, log } = services
  const { fastify } = app
  const directory = join(folder, 'data')
  mkdirSync(directory)
  const control = await openControlServer({
    path: socketPath(directory),
    commands: commandsOf(built.operations),
    log,
  })
  t.after(() => control.close())

  const http = async (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    given: { readonly user?: string; readonly body?: unknown } = {},
  ) => {
    const headers = { host: 'auth.vestibule.localhost:9091', 'sec-fetch-site': 'same-origin' }
    const cookie = given.user === undefined ? '' : await signIn(given.user, headers)
    const payload = given.body === undefined ? undefined : JSON.stringify(given.body)
    const answer = await fastify.inject({
      ...{ method, url },
      headers: { ...headers, ...(cookie !== '' && { cookie }) },
      ...(payload !== undefined && { payload }),
    })
    return { status: answer.statusCode, body: answer.json() }
  }
  async function signIn(username: string, headers: Readonly<Record<string, string>>) {
    const payload = JSON.stringify({ username, password: PASSWORD })
    const url = '/api/firstfactor'
    const answer = await fastify.inject({ method: 'POST', url, headers, payload })
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  }
  const cli = async (...argv: string[]) => {
    const [stdout, stderr] = [new Collector(), new Collector()]
    const stdin = () => assert.fail('nothing is read')
    const status = await run(
      { argv: ['-c', configFile, ...argv], env: {}, cwd: folder, stdin, stdout, stderr },
      async () => ({ operations: list, storedOperations }),
    )
    return { status, out: stdout.text, err: stderr.text }
  }
  const socket = (name: string, input: unknown) => askServer(directory, name, input)
  const recorded = async () =>
    ((await audit.list({ limit: 100 })) ?? []).filter(({ name }) => !name.startsWith('login.'))
  return { http, cli, socket, recorded }
}

test('an entry in the list is reachable on the socket, over HTTP and on the command line', async (t) => {
  const { http, cli, socket, recorded } = await start(t, [...operations, greet])

  assert.deepEqual(await socket('greetings.send', { user: 'mary' }), [
    { text: 'hello mary', by: '' },
  ])

  const url = '/api/admin/greetings/john'
  const sent = await http('POST', url, { user: 'root', body: { times: 2 } })
  const line = { text: 'hello john', by: 'root' }
  assert.deepEqual(sent, { status: 201, body: { status: 'OK', data: [line, line] } })

  const json = await cli('greetings', 'send', '--user', 'eve', '--json')
  assert.deepEqual([json.status, json.err], [0, ''])
  assert.deepEqual(JSON.parse(json.out), [{ text: 'hello eve', by: '' }])
  const table = await cli('greetings', 'send', '--user', 'eve', '--times', '1')
  assert.equal(table.out, 'TEXT       BY\nhello eve\n')
  assert.match((await cli('help')).out, /^ +greetings +manage greetings$/m)
  assert.match((await cli('help', 'greetings')).out, /^ +send +greet a user$/m)

  assert.deepEqual(
    (await recorded())
      .filter(({ name }) => name === 'user.added')
      .map(({ user, actor }) => `${user} by ${actor}`),
    ['eve by operator', 'eve by operator', 'john by user:root', 'mary by operator'],
  )
})

test('an operation over HTTP is for administrators, and an input that it does not take is 400', async (t) => {
  const { http, recorded } = await start(t, [greet])
  const url = '/api/admin/greetings/john'
  for (const user of [undefined, 'john'])
    assert.equal((await http('POST', url, { ...(user && { user }), body: {} })).status, 403)
  for (const body of [{ times: 4 }, { unknown: 1 }, [], 'text', null])
    assert.equal((await http('POST', url, { user: 'root', body })).status, 400)
  assert.deepEqual(
    (await recorded()).filter(({ name }) => name === 'user.added'),
    [],
  )
})

test('an expected no is told to the operator in full, and to an administrator by its code', async (t) => {
  const { http, cli, socket } = await start(t, [greet])
  await assert.rejects(
    socket('greetings.send', { user: 'taken' }),
    /^OperatorError: taken is taken$/,
  )
  const refused = await cli('greetings', 'send', '--user', 'nobody')
  assert.deepEqual(refused, {
    status: 1,
    out: '',
    err: 'vestibule: nobody is greeted; greet a user\n',
  })
  const taken = await http('POST', '/api/admin/greetings/taken', { user: 'root' })
  assert.deepEqual(
    [taken.status, taken.body.message],
    [409, 'There is a user with this name already.'],
  )
  const nobody = await http('POST', '/api/admin/greetings/nobody', { user: 'root' })
  assert.deepEqual([nobody.status, nobody.body.message], [400, 'The request body is not valid.'])
})

test('the command of an operation takes what its input has, and says what is wrong with the rest', async (t) => {
  const { cli } = await start(t, [shape, list])
  const drawn = await cli('shapes', 'draw', '--input', '{"ids":["a"]}')
  assert.deepEqual(JSON.parse(drawn.out), { drawn: { ids: ['a'] } })
  const flags = ['--kind', 'round', '--side-count', '3', '--ids', 'a, b', '--hidden']
  assert.equal(
    (await cli('shapes', 'list', ...flags)).out,
    'KIND   SIDE COUNT  IDS        HIDDEN\nround  3           ["a","b"]  true\n',
  )
  for (const [argv, said] of [
    [['draw', '--input', '{'], /^vestibule: --input is no JSON\n$/],
    [['draw', '--input', '{"ids":1}'], /^vestibule: Invalid input\n$/],
    [['list'], /required option '--kind <text>'/],
    [['list', '--kind', 'long'], /^vestibule: --kind: Invalid option/],
    [['list', '--kind', 'round', '--side-count', 'x'], /^vestibule: --side-count: /],
  ] as const) {
    const { status, out, err } = await cli('shapes', ...argv)
    assert.deepEqual([status, out], [1, ''])
    assert.match(err, said)
  }
})

test('an operation for the operator alone has no route', () => {
  const routes = operations.flatMap(({ who, routes }) => (who === 'operator' ? routes : []))
  assert.deepEqual(routes, [])
})

test('the routes of the admin API are those of the contract', () => {
  assert.deepEqual(
    operations.flatMap(({ routes }) => routes.map(({ method, path }) => `${method} ${path}`)),
    [
      'DELETE /api/admin/users/:username/sessions',
      'GET /api/admin/bans',
      'POST /api/admin/bans',
      'DELETE /api/admin/bans/:id',
      'DELETE /api/admin/bans',
      'DELETE /api/admin/users/:username/factors',
      'GET /api/admin/users',
      'GET /api/admin/users/:username',
      'POST /api/admin/users',
      'PATCH /api/admin/users/:username',
      'PUT /api/admin/users/:username/password',
      'DELETE /api/admin/users/:username',
    ],
  )
})

test('what an operation says that it records is what the audit trail gets', async (t) => {
  const { http, socket, recorded } = await start(t, operations)
  await http('GET', '/api/admin/bans', { user: 'john' })
  const { body } = await http('POST', '/api/admin/bans', { user: 'root', body: { user: 'john' } })
  await http('DELETE', `/api/admin/bans/${body.data.id}`, { user: 'root' })
  for (const name of ['sessions.revoke', 'devices.revoke']) await socket(name, { user: 'john' })
  const asked = ['bans.add', 'bans.lift', 'sessions.revoke', 'devices.revoke']
  const declared = operations
    .filter(({ name }) => asked.includes(name))
    .flatMap(({ audits }) => audits)
  const found = new Set((await recorded()).map(({ name }) => name))
  found.delete('device.added')
  assert.deepEqual([...found].sort(), [...declared].sort())
})

test('two operations of one name stop the start', () => {
  assert.throws(() =>
    bindOperations([greet, greet], { audit: { record() {}, list: async () => [] } }),
  )
})

test('a ban in the admin API has these keys in this order, and times of ISO 8601', async (t) => {
  const { http } = await start(t, operations)
  const added = await http('POST', '/api/admin/bans', { user: 'root', body: { user: 'john' } })
  const { data } = added.body
  assert.match(
    JSON.stringify(added.body),
    /^\{"status":"OK","data":\{"id":"[^"]+","kind":"user","name":"john","source":"operator","reason":"","by":"root","created_at":"[^"]+Z","expires_at":"[^"]+Z"\}\}$/,
  )
  assert.equal(Date.parse(data.expires_at) - Date.parse(data.created_at), 86_400_000)
  const lifted = await http('DELETE', '/api/admin/bans', { user: 'root', body: { user: 'john' } })
  assert.deepEqual(lifted.body, { status: 'OK', data: { lifted: [data] } })
  const again = await http('POST', '/api/admin/bans', { user: 'root', body: { user: 'john' } })
  const url = `/api/admin/bans/${again.body.data.id}`
  assert.deepEqual((await http('DELETE', url, { user: 'root' })).body, { status: 'OK' })
  assert.equal((await http('DELETE', url, { user: 'root' })).status, 404)
  const wide = await http('POST', '/api/admin/bans', {
    user: 'root',
    body: { address: '10.0.0.0/8' },
  })
  assert.deepEqual([wide.status, wide.body.message], [400, 'This ban cannot be made.'])
})
