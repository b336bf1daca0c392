// @ts-check
// What the page does better with scripts; everything here works without them.
;(() => {
  /** @param {string} id */
  const byId = (id) => document.getElementById(id)
  const form = byId('sign-in')
  if (!(form instanceof HTMLFormElement)) return
  const username = byId('username')
  const password = byId('password')
  if (!(username instanceof HTMLInputElement) || !(password instanceof HTMLInputElement)) return

  // After a wrong password the name is still there: kept in this tab only, never sent or stored elsewhere.
  const KEPT = 'vestibule-username'
  if (form.dataset.failed !== undefined && username.value === '') {
    username.value = sessionStorage.getItem(KEPT) ?? ''
    if (username.value !== '') password.focus()
  }
  sessionStorage.removeItem(KEPT)

  const reveal = byId('reveal')
  if (reveal instanceof HTMLButtonElement) {
    reveal.hidden = false
    const show = reveal.textContent ?? ''
    const hide = reveal.dataset.hide ?? show
    reveal.addEventListener('click', () => {
      const shown = password.type === 'text'
      password.type = shown ? 'password' : 'text'
      reveal.textContent = shown ? show : hide
      reveal.setAttribute('aria-pressed', String(!shown))
      password.focus()
    })
  }

  const caps = byId('caps')
  /** @param {KeyboardEvent} event */
  const watchCaps = (event) => {
    if (caps && typeof event.getModifierState === 'function')
      caps.hidden = !event.getModifierState('CapsLock')
  }
  password.addEventListener('keydown', watchCaps)
  password.addEventListener('keyup', watchCaps)

  const channel = 'BroadcastChannel' in window ? new BroadcastChannel('vestibule') : undefined
  const button = form.querySelector('button[type=submit]')
  form.addEventListener('submit', () => {
    // Once: a second click while the first is on its way would count as a second attempt.
    if (button instanceof HTMLButtonElement) button.disabled = true
    password.type = 'password'
    sessionStorage.setItem(KEPT, username.value)
    channel?.postMessage('submitted')
  })
  // The back button shows this page again as it was left, with the button off.
  addEventListener('pageshow', () => {
    if (button instanceof HTMLButtonElement) button.disabled = false
  })

  // Signed in elsewhere: this tab goes on by itself.
  let asking = false
  const goOnIfSignedIn = async () => {
    if (asking) return false
    asking = true
    try {
      const answer = await fetch(`${form.dataset.base ?? ''}/api/state`, {
        headers: { accept: 'application/json' },
      })
      const state = answer.ok ? await answer.json() : undefined
      if (state?.data?.authentication_level >= 1) {
        location.reload()
        return true
      }
    } catch {
      // Offline, or the server restarts: the form is still here.
    } finally {
      asking = false
    }
    return false
  }
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void goOnIfSignedIn()
  })
  const goOnSoon = async () => {
    for (let tries = 0; tries < 15; tries++) {
      await new Promise((done) => setTimeout(done, 1000))
      if (await goOnIfSignedIn()) return
    }
  }
  channel?.addEventListener('message', goOnSoon)
  // Another tab is on its way through another domain.
  if (form.dataset.waiting !== undefined) void goOnSoon()
})()
