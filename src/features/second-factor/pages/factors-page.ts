import formbody from '@fastify/formbody'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import type { Translate } from '../../../http/messages.ts'
import type { EpochMs } from '../../../kernel/clock.ts'
import { readPairs } from '../../../kernel/pairs.ts'
import { pageRefusals, textFields } from '../../portal/index.ts'
import { ago, type SettingsPage, type SettingsServices } from '../../settings/index.ts'
import type { MethodName, SecondFactor, TotpConfig } from '../method.ts'
import { CredentialId, CredentialName } from '../methods/webauthn/index.ts'
import { keyEntry, type SecurityKey, type SecurityKeys } from './key-entry.ts'
import { notice } from './markup.ts'
import { askedBy, ENROL, RECOVERY_CODES } from './services.ts'
import { forgetBrowser, trustedBrowsers, trustedList } from './trusted-browsers.ts'

export type { SecurityKey, SecurityKeys } from './key-entry.ts'

const PATH = 'factors'
/** A name and an id. */
const BODY_LIMIT = 4096

export interface FactorsPageOptions {
  readonly secondFactor: SecondFactor
  /** Undefined: there are none here. */
  readonly keys: SecurityKeys | undefined
}

/** The second factors of a user: list, add, remove, which one is asked for first. */
export const createFactorsPage = (options: FactorsPageOptions): SettingsPage => ({
  path: PATH,
  title: 'secondFactor.settings.title',
  async routes(app, { services }) {
    const page = createPage(options, services)
    await app.register(pageRefusals, services)
    await app.register(formbody, { bodyLimit: BODY_LIMIT, parser: readPairs })
    app.get(`/settings/${PATH}`, { config: { guard: 'user' } }, page.show)
    app.post(`/settings/${PATH}`, { config: { guard: 'elevated' } }, page.change)
    app.post(`/settings/${PATH}/forget`, { config: { guard: 'user' } }, (request, reply) =>
      forgetBrowser(
        options.secondFactor.trusted,
        services,
        `${services.base}/settings/${PATH}`,
        request,
        reply,
      ),
    )
  },
})

const NOTICES = [
  'added',
  'removed',
  'saved',
  'gone',
  'name-taken',
  'confirmed',
  'forgotten',
] as const
type Notice = (typeof NOTICES)[number]

/** Everything that the page shows. */
interface Facts {
  readonly totp: TotpConfig | undefined
  readonly keys: readonly SecurityKey[]
  readonly codes: { readonly remaining: number; readonly createdAt: EpochMs } | undefined
  /** What the user could be asked for first: recovery codes are for when nothing else is there. */
  readonly choices: readonly MethodName[]
  readonly preferred: MethodName | undefined
  readonly hasFactor: boolean
  readonly trusted: Awaited<ReturnType<typeof trustedBrowsers>>
}

function createPage({ secondFactor, keys }: FactorsPageOptions, services: SettingsServices) {
  const { replies, base, speak, clock } = services
  const here = `${base}/settings/${PATH}`

  async function factsOf(request: FastifyRequest): Promise<Facts> {
    const { user, domain } = askedBy(request)
    const [totp, list, codes, available, hasFactor, trusted] = await Promise.all([
      secondFactor.totp?.config(user),
      keys?.list(user) ?? [],
      secondFactor.recoveryCodes.status(user),
      secondFactor.available(user, domain),
      secondFactor.hasFactor(user),
      trustedBrowsers(secondFactor.trusted, user),
    ])
    const choices = available.filter((method) => method !== 'recovery_code')
    return { totp, keys: list, codes, choices, preferred: choices[0], hasFactor, trusted }
  }

  return {
    async show(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      const { flags } = askedBy(request)
      const facts = await factsOf(request)
      const { t, language } = speak(request)
      const said = NOTICES.find((flag) => flags.has(flag))
      return replies.page(request, reply, {
        title: t('secondFactor.settings.title'),
        navigation: services.navigation(t, PATH),
        script: true,
        content: content(t, facts, {
          ...{ said, here, base, secondFactor, keys },
          when: (time) => ago(time, clock.now(), language),
        }),
      })
    },

    async change(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      const said = await apply({ secondFactor, keys }, request)
      return replies.redirect(reply, `${here}?${said}=`)
    },
  }
}

/** One change that a form of the page asks for. */
async function apply(
  { secondFactor, keys }: FactorsPageOptions,
  request: FastifyRequest,
): Promise<Notice> {
  const { user, domain } = askedBy(request)
  const { action = '', method = '', ...typed } = textFields(request.body)
  const id = CredentialId.safeParse(typed['id']).data ?? ''
  switch (action) {
    case 'remove-totp':
      if ((await secondFactor.totp?.remove(user)) !== true) return 'gone'
      await secondFactor.removed(request, 'totp')
      return 'removed'
    case 'remove-key':
      if ((await keys?.remove(user, id)) === undefined) return 'gone'
      await secondFactor.removed(request, 'webauthn')
      return 'removed'
    case 'rename-key': {
      const name = CredentialName.safeParse(typed['name']).data
      const renamed = name === undefined ? 'unknown' : await keys?.rename(user, id, name)
      if (renamed === 'name-taken') return 'name-taken'
      return renamed === 'renamed' ? 'saved' : 'gone'
    }
    case 'prefer': {
      const available = await secondFactor.available(user, domain)
      const chosen = available.find((one) => one === method && one !== 'recovery_code')
      if (chosen === undefined) return 'gone'
      await secondFactor.setPreferred(user, chosen)
      return 'saved'
    }
    default:
      return 'gone'
  }
}

interface Place extends FactorsPageOptions {
  readonly said: Notice | undefined
  readonly here: string
  readonly base: string
  /** @returns markup */
  readonly when: (time: EpochMs) => string
}

function content(t: Translate, facts: Facts, place: Place): string {
  const { said, here, base, secondFactor, keys } = place
  const methods = new Set(secondFactor.methods.map(({ name }) => name))
  const key = facts.keys.map((one) => keyEntry(t, one, place)).join('')
  const add = (method: 'totp' | 'webauthn'): string =>
    html`<a class="button quiet below" href="${base}${ENROL}/${method}">${t(`secondFactor.settings.add.${method}`)}</a>`
  return html`<h1>${t('secondFactor.settings.title')}</h1>
<p class="lead">${t(facts.hasFactor ? 'secondFactor.settings.text' : 'secondFactor.settings.noFactor')}</p>
!${said === undefined ? '' : notice(t(`secondFactor.settings.${said}`))}
!${
    methods.has('totp')
      ? html`<h2>${t('secondFactor.settings.totp')}</h2>
!${facts.totp === undefined ? html`<p>${t('secondFactor.settings.noTotp')}</p>!${add('totp')}` : html`<ul class="entries">!${totpEntry(t, facts.totp, place)}</ul>`}`
      : ''
  }
!${
    methods.has('webauthn') && keys !== undefined
      ? html`<h2>${t('secondFactor.settings.keys')}</h2>
!${key === '' ? html`<p>${t('secondFactor.settings.noKeys')}</p>` : html`<ul class="entries">!${key}</ul>`}
!${add('webauthn')}`
      : ''
  }
!${facts.hasFactor ? recovery(t, facts, place) : ''}
!${trustedList(t, facts.trusted, place)}
!${facts.choices.length > 1 ? preference(t, facts, here) : ''}
<a class="button quiet below" href="${base}/">${t('settings.back')}</a>`
}

function totpEntry(
  t: Translate,
  { createdAt, lastUsedAt }: TotpConfig,
  { here, when }: Place,
): string {
  return html`<li class="entry"><div>
<strong>${t('secondFactor.settings.totpName')}</strong>
<small>${t('secondFactor.settings.created')} !${when(createdAt)}, !${lastUsedAt === undefined ? t('secondFactor.settings.neverUsed') : html`${t('secondFactor.settings.lastUsed')} !${when(lastUsedAt)}`}</small>
</div>
<details><summary class="button quiet small">${t('secondFactor.settings.remove')}</summary>
<form method="post" action="${here}">
<p>${t('secondFactor.settings.removeTotpText')}</p>
<button class="button danger" type="submit" name="action" value="remove-totp">${t('secondFactor.settings.removeTotp')}</button>
</form></details></li>`
}

function recovery(t: Translate, { codes }: Facts, { base, when }: Place): string {
  const remaining = codes?.remaining ?? 0
  return html`<h2>${t('secondFactor.settings.codes')}</h2>
!${
    codes === undefined
      ? html`<p>${t('secondFactor.settings.noCodes')}</p>`
      : html`<p !${remaining < 3 ? 'class="alarming"' : ''}>${t(remaining === 1 ? 'secondFactor.settings.oneCodeLeft' : 'secondFactor.settings.codesLeft', { remaining })} <small>${t('secondFactor.settings.codesMade')} !${when(codes.createdAt)}</small></p>`
  }
<a class="button quiet below" href="${base}${RECOVERY_CODES}">${t(codes === undefined ? 'secondFactor.settings.makeCodes' : 'secondFactor.settings.newCodes')}</a>`
}

function preference(t: Translate, { choices, preferred }: Facts, here: string): string {
  const choice = (method: MethodName): string =>
    html`<label class="check"><input type="radio" name="method" value="${method}" !${method === preferred ? 'checked' : ''}> ${t(`secondFactor.${method}.way`)}</label>`
  return html`<form method="post" action="${here}">
<fieldset class="choices"><legend>${t('secondFactor.settings.preferred')}</legend>!${choices.map(choice).join('')}</fieldset>
<button class="button quiet" type="submit" name="action" value="prefer">${t('secondFactor.settings.save')}</button>
</form>`
}
