/** The pages of users in a browser: by keyboard alone, in all sizes and themes, and with two administrators at once. */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { noBrowser, openPage, startBrowser } from '../support/browser.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { assertLooks, complaintsOf } from '../support/look.ts'
import { PASSWORD, type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

suite('users in the portal', { skip: noBrowser }, () => {
  const t = suiteCleanup()
  let server: RunningServer
  let browser: Browser

  before(async () => {
    if (noBrowser !== undefined) return
    server = await startServer(t, {
      config: { ...CHEAP, admin: { groups: ['root'] } },
      users: await usersYaml({
        john: { displayname: 'John Doe', groups: ['root'] },
        ann: { displayname: 'Ann Bee', email: 'ann@example.com', groups: ['dev', 'writers'] },
      }),
    })
    browser = await startBrowser(t)
  })

  const address = (path: string) => `http://auth.vestibule.localhost:${server.port}${path}`
  const signedIn = async (): Promise<Page> => {
    const page = await openPage(browser)
    await page.goto(address('/'))
    await page.keyboard.type('john')
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForSelector('a[href="/admin"]')
    return page
  }
  /** Goes on by the keyboard until that element has the focus. */
  const tabTo = async (page: Page, selector: string): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return
      await page.keyboard.press('Tab')
    }
    assert.fail(`the keyboard does not reach ${selector}`)
  }

  test('found, opened and changed by keyboard alone; the looks; both versions for the second', async () => {
    const page = await signedIn()
    const complaints = complaintsOf(page)
    await page.goto(address('/admin'))
    assert.equal(new URL(page.url()).pathname, '/admin/users')
    await assertLooks(page, 'admin-users')
    await tabTo(page, '#search')
    await page.keyboard.type('bee')
    await page.keyboard.press('Enter')
    await page.waitForURL(/search=bee/)
    await tabTo(page, 'a[href="/admin/users/ann"]')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/admin\/users\/ann$/)
    await assertLooks(page, 'admin-user')

    const other = await openPage(browser)
    await other.context().addCookies(await page.context().cookies())
    await other.goto(address('/admin/users/ann'))
    await other.fill('#display_name', 'Ann C.')
    await other.click('button[value="change"]')
    await other.waitForSelector('[role="status"]')

    await tabTo(page, '#display_name')
    await page.keyboard.press('End')
    await page.keyboard.type('!')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#versions')
    assert.match(await page.innerText('#versions'), /Ann Bee![\s\S]*Ann C\./)
    await assertLooks(page, 'admin-user-versions')
    await tabTo(page, 'button[value="change"]')
    await page.keyboard.press('Enter')
    await page.waitForURL(/changed=/)
    assert.equal(await page.inputValue('#display_name'), 'Ann Bee!')

    await page.goto(address('/admin/users/new'))
    await page.fill('#username', 'ann')
    await page.fill('#display_name', 'Another')
    await page.press('#display_name', 'Enter')
    await page.waitForSelector('#username-wrong')
    // The field with the fault has the focus.
    await page.waitForSelector('#username:focus')
    await assertLooks(page, 'admin-user-new')
    await page.goto(address('/admin/users/ann/delete'))
    await assertLooks(page, 'admin-user-delete')
    assert.deepEqual(complaints, [])
  })
})
