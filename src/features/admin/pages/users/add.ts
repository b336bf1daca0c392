import type { FastifyReply, FastifyRequest } from 'fastify'
import { html } from 'ghtml'
import { textFields } from '../../../portal/index.ts'
import { addUser } from '../../../users/index.ts'
import type { AdminServices } from '../../services.ts'
import {
  EMPTY,
  type FieldFaults,
  fieldsOf,
  inputOf,
  NO_FAULTS,
  readTyped,
  type Typed,
  textField,
} from './fields.ts'
import { PATH, userHref } from './path.ts'
import { refusalOf } from './refusal.ts'

interface Shown {
  readonly username: string
  readonly typed: Typed
  readonly faults: FieldFaults
  readonly alert?: string
  readonly status?: number
}

const NEW: Shown = {
  ...{ username: '', faults: NO_FAULTS, typed: { ...EMPTY, must_change_password: true } },
}

export function showAddPage(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
  { username, typed, faults, alert, status }: Shown = NEW,
): FastifyReply {
  const { base, replies, speak } = services
  const { t } = speak(request)
  const name = `type="text" autocomplete="off" autocapitalize="none" spellcheck="false" dir="ltr" maxlength="256" required`
  return replies.page(
    request,
    reply,
    {
      title: t('admin.users.new'),
      navigation: services.navigation(t, 'users'),
      script: true,
      content: html`<h1>${t('admin.users.new')}</h1>
!${alert === undefined ? '' : html`<div class="alert" role="alert"><p>${alert}</p></div>`}
<form method="post" action="${base}${PATH}/new">
!${textField(t, 'username', { value: username, faults, more: name })}
!${fieldsOf(t, typed, faults)}
!${textField(t, 'password', { value: '', faults, more: 'type="password" autocomplete="new-password" maxlength="1024"', hint: t('admin.users.passwordHint') })}
<button class="button" type="submit">${t('admin.users.add')}</button>
</form>
<a class="button quiet below" href="${base}${PATH}">${t('admin.users.back')}</a>`,
    },
    status,
  )
}

export async function add(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { ask, base, replies, speak } = services
  const { username: given = '', password = '' } = textFields(request.body)
  const username = given.trim()
  const typed = readTyped(request.body)
  const { expires_at, ...fields } = inputOf(typed)
  try {
    await ask(request, addUser, {
      ...{ username, ...fields },
      ...(expires_at !== null && { expires_at }),
      ...(password !== '' && { password }),
    })
  } catch (error) {
    const { text, ...refusal } = refusalOf(speak(request).t, error, services)
    return showAddPage(services, request, reply, { username, typed, alert: text, ...refusal })
  }
  return replies.redirect(reply, userHref(base, username, ['added']))
}
