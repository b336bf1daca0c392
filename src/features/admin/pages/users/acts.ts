import type { FastifyReply, FastifyRequest } from 'fastify'
import { textFields } from '../../../portal/index.ts'
import { revokeSessions } from '../../../sessions/index.ts'
import { liftBans } from '../../../throttle/index.ts'
import { changeUser, setPassword, showUser } from '../../../users/index.ts'
import type { AdminServices } from '../../services.ts'
import { changesOf, readTyped } from './fields.ts'
import { generatePassword } from './generated.ts'
import { nameIn, userHref } from './path.ts'
import { refusalOf } from './refusal.ts'
import { showUserPage } from './user.ts'

type Act = (
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<FastifyReply>

/** What the forms on a user's page do, by the button's value. */
const ACTS: Readonly<Record<string, Act>> = {
  change,
  password: (services, request, reply) => {
    const { password = '' } = textFields(request.body)
    return set(services, request, reply, { password, isGenerated: false })
  },
  generate: (services, request, reply) =>
    set(services, request, reply, { password: generatePassword(), isGenerated: true }),
  async end(services, request, reply) {
    const user = nameIn(request)
    await services.ask(request, revokeSessions, { user })
    return done(services, reply, user, 'ended')
  },
  async lift(services, request, reply) {
    const name = nameIn(request)
    await services.ask(request, liftBans, { kind: 'user', name })
    return done(services, reply, name, 'lifted')
  },
}

export async function act(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { act: asked = 'change' } = textFields(request.body)
  const found = Object.hasOwn(ACTS, asked) ? ACTS[asked] : undefined
  return (found ?? change)(services, request, reply)
}

/** After a form the browser asks for the page again: going back and reloading do nothing twice. */
const done = (
  { replies, base }: AdminServices,
  reply: FastifyReply,
  name: string,
  what: string,
): FastifyReply => replies.redirect(reply, userHref(base, name, [what]))

async function change(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { ask, speak } = services
  const username = nameIn(request)
  const typed = readTyped(request.body)
  const { version = '' } = textFields(request.body)
  try {
    const changes = changesOf(typed, await ask(request, showUser, { username }))
    if (Object.keys(changes).length > 0)
      await ask(request, changeUser, { username, ...changes, version })
  } catch (error) {
    const { status, text, faults } = refusalOf(speak(request).t, error, services)
    const isStale = status === 412
    return showUserPage(services, request, reply, { status, alert: text, faults, typed, isStale })
  }
  return done(services, reply, username, 'changed')
}

async function set(
  services: AdminServices,
  request: FastifyRequest,
  reply: FastifyReply,
  { password, isGenerated }: { readonly password: string; readonly isGenerated: boolean },
): Promise<FastifyReply> {
  const { ask, speak } = services
  const username = nameIn(request)
  const { version = '', must_change: mustChange } = textFields(request.body)
  const must_change_password = mustChange !== undefined
  const { t } = speak(request)
  try {
    await ask(request, setPassword, { username, password, must_change_password, version })
  } catch (error) {
    const { status, text, faults } = refusalOf(t, error, services)
    return showUserPage(services, request, reply, { status, alert: text, faults })
  }
  if (!isGenerated) return done(services, reply, username, 'password-set')
  // Not stored anywhere: this answer is the one place where it can be read.
  return showUserPage(services, request, reply, {
    ...{ notice: t('admin.users.password-set'), generated: password },
  })
}
