// @ts-check
// What the page does better with scripts; everything here works without them.
;(() => {
  /** @param {string} id */
  const byId = (id) => document.getElementById(id)

  // Exact times in the browser's own time zone.
  const exact = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
    dateStyle: 'medium',
    timeStyle: 'short',
  })
  for (const time of document.querySelectorAll('time[title]')) {
    const moment = exact.format(new Date(time.getAttribute('datetime') ?? ''))
    time.setAttribute('title', moment)
    const hidden = time.querySelector('.visually-hidden')
    if (hidden) hidden.textContent = ` (${moment})`
  }

  // Too many wrong passwords: counts down, and lets the link work at the end.
  const countdown = byId('countdown')
  const retry = byId('retry')
  if (countdown && retry instanceof HTMLAnchorElement) {
    const { seconds = '0', text = '', over = '' } = countdown.dataset
    const end = Date.now() + Number(seconds) * 1000
    const href = retry.href
    /** @param {number} left */
    const clock = (left) => {
      const parts = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60]
      const shown = parts[0] === 0 ? parts.slice(1) : parts
      return shown
        .map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0')))
        .join(':')
    }
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000))
      countdown.textContent = left === 0 ? over : text.replace('{time}', clock(left))
      if (left > 0) return
      clearInterval(timer)
      retry.href = href
      retry.removeAttribute('aria-disabled')
      // Read out once, at the end; not every second.
      countdown.setAttribute('role', 'status')
    }
    const timer = setInterval(tick, 250)
    countdown.hidden = false
    retry.removeAttribute('href')
    retry.setAttribute('aria-disabled', 'true')
    retry.setAttribute('role', 'link')
    tick()
  }

  // Sent once: a second click would count as a second try. The back button shows the page again as it was left.
  for (const once of document.querySelectorAll('form[data-once]')) {
    const sends = once.querySelectorAll('button[type=submit]')
    /** @param {boolean} off */
    const turn = (off) => {
      for (const one of sends) if (one instanceof HTMLButtonElement) one.disabled = off
    }
    once.addEventListener('submit', () => turn(true))
    addEventListener('pageshow', () => turn(false))
  }

  // How hard a new password is to guess, from the server, half a second after the last key.
  const strength = byId('strength')
  const fresh = byId('password')
  if (strength && fresh instanceof HTMLInputElement) {
    const meter = strength.querySelector('meter')
    const said = strength.querySelector('p')
    /** @type {number | undefined} */
    let soon
    let asked = 0
    const ask = async () => {
      const mine = ++asked
      try {
        const answer = await fetch(strength.dataset.url ?? '', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ password: fresh.value }),
        })
        const { data } = answer.ok ? await answer.json() : {}
        // What was typed meanwhile has a question of its own.
        if (mine !== asked) return
        strength.hidden = data === undefined
        if (data === undefined || !meter || !said) return
        meter.value = data.score
        said.textContent = data.text
      } catch {
        strength.hidden = true
      }
    }
    fresh.addEventListener('input', () => {
      clearTimeout(soon)
      asked++
      if (fresh.value === '') strength.hidden = true
      else soon = setTimeout(ask, 500)
    })
  }

  // Recovery codes: to the clipboard, to the printer.
  const copy = byId('copy')
  const printer = byId('print')
  if (copy && printer) {
    printer.hidden = false
    printer.addEventListener('click', () => print())
    copy.hidden = navigator.clipboard === undefined
    copy.addEventListener('click', async () => {
      const codes = [...document.querySelectorAll('#codes code')].map((one) => one.textContent)
      await navigator.clipboard.writeText(`${codes.join('\n')}\n`)
      const said = byId('copy-said')
      if (said) said.textContent = copy.dataset.done ?? ''
    })
  }

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
