import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { noBrowser, openPage, startBrowser } from '../support/browser.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { runCli } from '../support/cli.ts'
import { assertLooks } from '../support/look.ts'
import { PASSWORD, type RunningServer, signIn, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

suite('own sign-ins and failures, of a running server', () => {
  const t = suiteCleanup()
  let server: RunningServer
  before(async () => {
    server = await startServer(t, {
      config: CHEAP,
      users: await usersYaml({ john: {}, harry: {} }),
    })
  })

  const headers = (Cookie: string) => ({
    Host: `auth.vestibule.localhost:${server.port}`,
    Cookie,
  })

  test('tell of sessions that the operator ended, and so does the log', async (t) => {
    const Cookie = await signIn(server.port, 'john')
    const argv = ['sessions', 'revoke', '--user', 'john', '--config', server.configFile]
    assert.equal((await runCli(t, argv, { cwd: server.folder })).status, 0)
    const answer = await server.request('/api/user/history', { headers: headers(Cookie) })
    assert.equal(answer.status, 403)
    const told = await server.request('/api/user/history', {
      headers: headers(await signIn(server.port, 'john')),
    })
    const [, revoked] = JSON.parse(told.body).data
    assert.equal(revoked?.event, 'session.revoked')
    await server.until(/msg="audit" actor=operator event=session\.revoked .*user=john/)
  })

  test('have a page that is accessible, needs no script and fits a phone', {
    skip: noBrowser,
  }, async () => {
    const browser = await startBrowser(t)
    await assert.rejects(signIn(server.port, 'harry', 'wrong'), /401/)
    const page = await openPage(browser)
    await page.goto(`http://auth.vestibule.localhost:${server.port}/`)
    await page.getByLabel('Username').fill('harry')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('link', { name: 'Sign-ins and failures' }).click()
    await page.getByRole('heading', { name: 'Sign-ins and failures' }).waitFor()
    await page.getByText('New device').first().waitFor()
    await page.getByText('Wrong password').first().waitFor()
    await assertLooks(page, 'settings-history')
    await page.context().close()
  })
})
