import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { suiteCleanup } from '../support/cleanup.ts'
import { assertDiscreet } from '../support/discretion.ts'
import { fastest } from '../support/pace.ts'
import {
  configFor,
  PASSWORD,
  type RunningServer,
  run,
  signIn,
  startServer,
} from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { eventually, eventuallyAnswers, verdict } from '../support/verdict.ts'

/** The rules of the test server with another policy for one app. */
const rules = (policy: string, app = 'app') => ({
  access_control: {
    default_policy: 'deny',
    rules: [
      { domain: `${app}.vestibule.localhost`, policy },
      { domain: 'admin.vestibule.localhost', policy: 'one_factor', subject: 'group:admins' },
    ],
  },
})

suite('the configuration is taken up while the server runs', () => {
  const t = suiteCleanup()
  let server: RunningServer
  let cookie: string

  before(async () => {
    server = await startServer(t, { config: CHEAP, users: await usersYaml({ john: {} }) })
    cookie = await signIn(server.port, 'john')
  })

  const write = (config: Readonly<Record<string, unknown>>): void =>
    writeFileSync(
      server.configFile,
      JSON.stringify(configFor(server.port, server.folder, { ...CHEAP, ...config }), null, 2),
    )
  /** What is printed from here on. */
  const following = () => {
    const from = server.output().length
    return {
      until: (pattern: RegExp) => server.until(pattern, from),
      text: () => server.output().slice(from),
    }
  }
  /** Writes another configuration and waits until it is active. @returns its revision */
  const activate = async (config: Readonly<Record<string, unknown>>): Promise<string> => {
    const log = following()
    write(config)
    const [, revision = ''] = await log.until(
      /revision ([0-9a-f]{12}) of the configuration is active/,
    )
    return revision
  }

  test('a changed rule decides, as soon as the file is written, and the log names the revision', async () => {
    assert.equal((await verdict(server.port, cookie)).status, 200)
    const log = following()
    write(rules('deny'))
    await eventuallyAnswers(server.port, cookie, 403)
    await log.until(
      /level=info msg="revision [0-9a-f]{12} of the configuration is active" changed=access_control\.rules /,
    )
    assert.doesNotMatch(log.text(), /needs a restart/)
    write(rules('one_factor'))
    await eventuallyAnswers(server.port, cookie, 200)
  })
  test('a group that a rule names and no user is in is warned of, at the start and when rules change', async () => {
    const stranger = (rule: number, group: string) =>
      new RegExp(
        `level=warning msg="access_control\\.rules\\[${rule}\\]\\.subject\\[0\\]: names the group ${group}, `,
      )
    assert.match(server.output(), stranger(2, 'admins'))
    const log = following()
    const changed = rules('one_factor')
    for (const rule of changed.access_control.rules)
      if (rule.subject !== undefined) rule.subject = 'group:devs'
    write(changed)
    await log.until(stranger(1, 'devs'))
  })
  test('a file that is replaced by rename, as editors do it, is noticed each time and not only looked for', async () => {
    const noticed: number[] = []
    const asked: number[] = []
    const takes = async (policy: string, status: number, change: () => void): Promise<number> => {
      const config = configFor(server.port, server.folder, { ...CHEAP, ...rules(policy) })
      writeFileSync(`${server.configFile}.new`, JSON.stringify(config))
      const began = performance.now()
      change()
      await eventuallyAnswers(server.port, cookie, status)
      return performance.now() - began
    }
    const replace = () => renameSync(`${server.configFile}.new`, server.configFile)
    for (let round = 0; round < 4; round++) {
      noticed.push(await takes('deny', 403, replace))
      const signalled = takes('one_factor', 200, () => {
        replace()
        server.signal('SIGHUP')
      })
      asked.push(await signalled)
    }
    // With a look every five seconds alone, all but the first wait for nearly five; a busy machine delays both alike.
    const waited = fastest(noticed.slice(1)) - fastest(asked)
    assert.ok(waited < 4_000, `it was looked for: ${noticed}, and when asked ${asked}`)
  })

  test('a faulty file changes nothing: the log says what is wrong, where, and which revision stays', async () => {
    await activate(rules('deny'))
    const revision = await activate(rules('one_factor'))
    for (const [text, place] of [
      // A rule that would open everything, beside a fault.
      [
        readFileSync(server.configFile, 'utf8')
          .replace('"one_factor"', '"bypass"')
          .replace('"group:admins"', '"grup:admins"'),
        /config\.yml:\d+:\d+ access_control\.rules\[1\]\.subject: .*group:/,
      ],
      ['server: [', /config\.yml:\d+:\d+/],
      ['', /config\.yml.*/],
    ] as const) {
      const log = following()
      writeFileSync(server.configFile, text)
      await log.until(new RegExp(`revision ${revision} stays active`))
      assert.match(log.text(), place)
      assert.match(log.text(), /level=error/)
      assert.equal((await verdict(server.port, undefined)).status, 401)
      assert.equal((await verdict(server.port, cookie)).status, 200)
    }
    const log = following()
    unlinkSync(server.configFile)
    await log.until(new RegExp(`revision ${revision} stays active`))
    assert.equal((await verdict(server.port, cookie)).status, 200)
    // And from there a good one is taken up again.
    write(rules('deny'))
    await eventuallyAnswers(server.port, cookie, 403)
    write(rules('one_factor'))
    await eventuallyAnswers(server.port, cookie, 200)
  })

  // The reload took it, and said that a restart was needed, which then failed.
  test('what the next start would refuse is refused at the reload, with the same words', async () => {
    await activate(rules('deny'))
    const revision = await activate(rules('one_factor'))
    const log = following()
    const missing = join(server.folder, 'missing')
    write({ ...rules('bypass'), certificates_directory: missing })
    await log.until(new RegExp(`revision ${revision} stays active`))
    const asked = run(['config', 'validate', '--config', server.configFile], {
      folder: server.folder,
      port: server.port,
    })
    assert.notEqual(await asked.ended, 0)
    for (const words of [asked.output(), log.text()])
      assert.match(words, /config\.yml:\d+:\d+ certificates_directory: does not exist/)
    assert.equal((await verdict(server.port, undefined)).status, 401)
    write(rules('one_factor'))
  })

  test('a log file beside the configuration does not set off reloads, faulty or not', async () => {
    // It was a loop: the line about a fault was a change of the folder, which was the next reload.
    const log = following()
    write({
      ...rules('one_factor'),
      log: { file_path: join(server.folder, 'vestibule.log'), level: 'debug' },
    })
    await eventually(() => existsSync(join(server.folder, 'vestibule.log')), Boolean)
    const file = () => readFileSync(join(server.folder, 'vestibule.log'), 'utf8')
    const faults = () => file().split('stays active').length - 1
    appendFileSync(server.configFile, '\n[')
    await eventually(faults, (count) => count > 0)
    // Three rounds of the loop.
    await sleep(800)
    assert.equal(faults(), 1)
    write(rules('one_factor'))
    await log.until(/is active/)
  })

  test('any other key that changed is named as needing a restart, and keeps its old value', async () => {
    const log = following()
    const cookies = [
      { domain: 'vestibule.localhost', portal_url: 'http://auth.vestibule.localhost:1' },
    ]
    write({
      ...rules('deny'),
      session: { expiration: '1s', cookies },
      branding: { title: 'Other' },
    })
    await log.until(/level=warning msg="changed since the start, but needs a restart: [^"]*"/)
    assert.match(
      log.text(),
      /restart: (?=[^"]*session\.expiration)(?=[^"]*session\.cookies)(?=[^"]*branding\.title)/,
    )
    assert.doesNotMatch(log.text(), /restart: [^"]*(access_control|definitions|log\b)/)
    // What needs none is in force all the same.
    await eventuallyAnswers(server.port, cookie, 403)
    const page = await server.request('/', { headers: { Host: 'auth.vestibule.localhost' } })
    assert.match(page.body, /<title>[^<]*Vestibule/)

    const next = following()
    write(rules('one_factor'))
    await next.until(/is active/)
    await eventuallyAnswers(server.port, cookie, 200)
    assert.doesNotMatch(next.text(), /needs a restart/)
  })

  test('networks by name and the level of the log are taken up', async () => {
    const networks = (home: string) => ({
      access_control: {
        default_policy: 'deny',
        rules: [{ domain: 'app.vestibule.localhost', policy: 'bypass', networks: ['home'] }],
      },
      definitions: { network: { home } },
    })
    write(networks('192.0.2.0/24'))
    await eventuallyAnswers(server.port, undefined, 403)
    write(networks('127.0.0.0/8'))
    await eventuallyAnswers(server.port, undefined, 200)

    const log = following()
    write({ ...rules('deny'), log: { level: 'error' } })
    await eventuallyAnswers(server.port, cookie, 403)
    const from = server.output().length
    // A refusal is said at info; a failed sign-in is an error.
    await verdict(server.port, cookie)
    await assert.rejects(signIn(server.port, 'john', 'wrong password'))
    await server.until(/Unsuccessful 1FA/, from)
    assert.doesNotMatch(server.output().slice(from), /level=info/)
    write({ ...rules('deny'), log: { level: 'debug', format: 'json' } })
    await log.until(/^\{"level":"info","msg":"revision/m)
    await verdict(server.port, cookie)
    await log.until(/^\{"level":"info","msg":"access is forbidden"/m)
    write(rules('one_factor'))
    await eventuallyAnswers(server.port, cookie, 200)
  })

  test('SIGHUP says what came of it, and reads everything', async () => {
    const log = following()
    server.signal('SIGHUP')
    await log.until(/the configuration is unchanged: revision [0-9a-f]{12}/)
    await log.until(/the users are reloaded/)
    write(rules('deny'))
    server.signal('SIGHUP')
    await log.until(/reloading: asked to by a signal/)
    await eventuallyAnswers(server.port, cookie, 403)
    write(rules('one_factor'))
    server.signal('SIGHUP')
    await eventuallyAnswers(server.port, cookie, 200)
  })

  test('ten reloads in the midst of requests cost not one of them, and mix nothing', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
    const statuses: number[] = []
    const opened = new Set<unknown>()
    let running = true
    const client = async (app: string, wanted: readonly number[]): Promise<void> => {
      while (running) {
        const status = await new Promise<number>((resolve, reject) => {
          const sent = http.get(
            {
              host: '127.0.0.1',
              port: server.port,
              path: '/verify',
              agent,
              headers: {
                'X-Original-URL': `http://${app}.vestibule.localhost/`,
                'X-Original-Method': 'GET',
                Cookie: cookie,
              },
            },
            (answer) => {
              answer
                .resume()
                .on('end', () => resolve(answer.statusCode ?? 0))
                .on('error', reject)
            },
          )
          sent.on('socket', (socket) => opened.add(socket))
          sent.on('error', reject)
        })
        assert.ok(wanted.includes(status), `${app}: ${status}`)
        statuses.push(status)
      }
    }
    // One app is opened and closed by turns; the other stays as it is in every revision.
    const clients = [
      ...Array.from({ length: 4 }, () => client('app', [200, 403])),
      ...Array.from({ length: 4 }, () => client('admin', [403])),
    ]
    const failed = Promise.all(clients)
    const log = following()
    for (let round = 0; round < 10; round++) {
      write(rules(round % 2 === 0 ? 'deny' : 'one_factor'))
      if (round % 3 === 0) server.signal('SIGHUP')
      await Promise.race([
        failed,
        eventuallyAnswers(server.port, cookie, round % 2 === 0 ? 403 : 200),
      ])
    }
    running = false
    await failed
    agent.destroy()
    assert.ok(statuses.length > 100, `${statuses.length} requests`)
    assert.ok(statuses.includes(200) && statuses.includes(403))
    assert.equal(opened.size, 8, 'no connection was dropped')
    assert.ok(log.text().split('is active').length > 10)
  })

  test('none of this printed a secret', () => {
    assertDiscreet(server.output(), {
      dataDirectory: join(server.folder, 'data'),
      secrets: [PASSWORD, cookie],
    })
  })
})
