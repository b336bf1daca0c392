// @ts-check
// Security keys and passkeys. A page asks for it with a button `#webauthn`, which is hidden until this runs: `data-purpose`
// says what it is for, `data-next` where to go then. What went wrong is said in `#webauthn-said`, in the words of the button.
;(() => {
  const button = document.getElementById('webauthn')
  if (!(button instanceof HTMLButtonElement)) return
  const { purpose = '', base = '', next = '' } = button.dataset
  const said = document.getElementById('webauthn-said')

  /** @param {string} [words] */
  const say = (words) => {
    if (!said) return
    said.textContent = words ?? ''
    said.hidden = words === undefined
  }

  button.hidden = false
  if (!('PublicKeyCredential' in window) || !navigator.credentials) {
    button.disabled = true
    // Next to a password it is no loss.
    if (purpose === 'passkey') button.hidden = true
    else say(button.dataset.unsupported)
    return
  }

  // Browsers of 2024 and older have no JSON of their own for this.
  /** @param {string} text */
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
  /** @param {ArrayBuffer | null | undefined} buffer */
  const text = (buffer) =>
    buffer
      ? btoa(String.fromCharCode(...new Uint8Array(buffer)))
          .replace(/\+/g, '-')
          .replace(/\//g, '_')
          .replace(/=+$/, '')
      : undefined
  /** @param {{ id: string }[]} [list] */
  const descriptors = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }))

  /** @param {any} json */
  const requestOf = (json) =>
    PublicKeyCredential.parseRequestOptionsFromJSON?.(json) ?? {
      ...json,
      challenge: bytes(json.challenge),
      allowCredentials: descriptors(json.allowCredentials),
    }
  /** @param {any} json */
  const creationOf = (json) =>
    PublicKeyCredential.parseCreationOptionsFromJSON?.(json) ?? {
      ...json,
      challenge: bytes(json.challenge),
      user: { ...json.user, id: bytes(json.user.id) },
      excludeCredentials: descriptors(json.excludeCredentials),
    }
  /** @param {any} credential */
  const jsonOf = (credential) => {
    try {
      // Some password managers put an object of their own in its place, and this throws.
      if (credential.toJSON) return credential.toJSON()
    } catch {
      // By hand then.
    }
    const { id, type, authenticatorAttachment, response } = credential
    const from = response.attestationObject
      ? { attestationObject: text(response.attestationObject) }
      : {
          authenticatorData: text(response.authenticatorData),
          signature: text(response.signature),
          userHandle: text(response.userHandle),
        }
    return {
      ...{ id, rawId: text(credential.rawId), type, authenticatorAttachment },
      response: {
        clientDataJSON: text(response.clientDataJSON),
        transports: response.getTransports?.(),
        ...from,
      },
      clientExtensionResults: credential.getClientExtensionResults(),
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  const ask = async (method, path, body) => {
    const answer = await fetch(base + path, {
      method,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (answer.ok) return (await answer.json()).data
    throw new Refusal(answer.status)
  }
  class Refusal extends Error {
    /** @param {number} status */
    constructor(status) {
      super(String(status))
      this.status = status
    }
  }

  const query = new URLSearchParams(location.search)
  // Where the user wants to go, in the names of the API.
  const target = () => ({
    targetURL: query.get('rd') ?? undefined,
    requestMethod: query.get('rm') ?? undefined,
    flow: query.get('flow') ?? undefined,
    flowID: query.get('flow_id') ?? undefined,
  })

  const SECOND = '/api/secondfactor/webauthn'
  const REGISTER = `${SECOND}/credential/register`
  const PASSKEY = '/api/firstfactor/passkey'
  const ELEVATION = '/api/user/session/elevation'

  const get = async (
    /** @type {any} */ options,
    /** @type {CredentialRequestOptions} */ how = {},
  ) => jsonOf(await navigator.credentials.get({ ...how, publicKey: requestOf(options.publicKey) }))

  /** @type {Record<string, () => Promise<void>>} */
  const ceremonies = {
    'sign-in': async () => {
      const trust = document.querySelector('#trust-device')
      const trustDevice = trust instanceof HTMLInputElement && trust.checked
      const response = await get(await ask('GET', SECOND))
      await ask('POST', SECOND, { response, trustDevice, ...target() })
    },
    confirm: async () => {
      const response = await get(await ask('POST', `${ELEVATION}/webauthn`))
      await ask('PUT', ELEVATION, { webauthn: response })
    },
    register: async () => {
      const name = document.querySelector('input[name=description]')
      if (!(name instanceof HTMLInputElement) || !name.reportValidity()) throw new Refusal(0)
      const options = await ask('PUT', REGISTER, { description: name.value })
      const created = await navigator.credentials.create({
        publicKey: creationOf(options.publicKey),
      })
      await ask('POST', REGISTER, jsonOf(created))
    },
    passkey: async () => {
      await waiting?.abort()
      await signInWith(await get(await ask('GET', PASSKEY)))
    },
  }

  /** @param {unknown} response */
  const signInWith = async (response) => {
    const remember = document.querySelector('input[name=remember]')
    const keepMeLoggedIn = remember instanceof HTMLInputElement && remember.checked
    await ask('POST', PASSKEY, { response, keepMeLoggedIn, ...target() })
  }

  /** @param {unknown} error */
  const complain = (error) => {
    const { failed, cancelled, nameTaken, limited } = button.dataset
    const status = error instanceof Refusal ? error.status : undefined
    if (status === 0) return
    if (status === 409) say(nameTaken ?? failed)
    else if (status === 429) say(limited ?? failed)
    else if (status === undefined && error instanceof DOMException) say(cancelled ?? failed)
    else say(failed)
  }

  /** @param {() => Promise<void>} work */
  const run = async (work) => {
    say()
    button.disabled = true
    try {
      await work()
      location.assign(next)
    } catch (error) {
      complain(error)
      button.disabled = false
      void offer()
    }
  }

  button.addEventListener('click', () => {
    const work = ceremonies[purpose]
    if (work) void run(work)
  })
  addEventListener('pageshow', () => {
    button.disabled = false
  })

  /** @type {{ abort: () => Promise<void> } | undefined} */
  let waiting
  // Less than the server keeps a challenge for.
  const RENEW = 480_000

  /** The browser offers passkeys where the name is typed, for as long as the page is open. */
  const offer = async () => {
    if (purpose !== 'passkey' || waiting) return
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return
    const over = new AbortController()
    const renew = setTimeout(() => over.abort(), RENEW)
    const wait = (async () => {
      try {
        const options = await ask('GET', PASSKEY)
        const how = /** @type {const} */ ({ mediation: 'conditional', signal: over.signal })
        const response = await get(options, how)
        return response
      } catch {
        // Aborted, or no passkey was chosen: the form is still here.
        return undefined
      } finally {
        clearTimeout(renew)
        waiting = undefined
      }
    })()
    waiting = {
      abort: async () => {
        clearTimeout(renew)
        over.abort()
        await wait
      },
    }
    const response = await wait
    if (response !== undefined) await run(() => signInWith(response))
    else if (over.signal.aborted && !button.disabled) void offer()
  }
  void offer()
})()
