import formbody from '@fastify/formbody'
import type { FastifyPluginAsync } from 'fastify'
import { LANGUAGES, languageCookie } from '../../http/languages.ts'
import { readPairs } from '../../kernel/pairs.ts'
import { contextOf, FORM_LIMIT, textFields } from '../portal/index.ts'
import type { SettingsServices } from './services.ts'

/** A path of this portal: not another origin, which `//host` and `/\host` would be. */
const PATH = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/

/** The language that is chosen at the foot of any page, signed in or not; kept in a cookie of this browser. */
export const languageRoute: FastifyPluginAsync<{ readonly services: SettingsServices }> = async (
  app,
  { services: { replies, base } },
) => {
  // The address to come back to may hold where a sign-in leads.
  await app.register(formbody, { bodyLimit: FORM_LIMIT, parser: readPairs })
  app.post('/settings/language', { config: { guard: 'public' } }, (request, reply) => {
    const { language = '', back = '' } = textFields(request.body)
    if (Object.hasOwn(LANGUAGES, language))
      reply.header('Set-Cookie', languageCookie(language, base, contextOf(request).secure))
    return replies.redirect(reply, PATH.test(back) ? back : `${base}/`)
  })
}
