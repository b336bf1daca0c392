import type { FastifyPluginAsync } from 'fastify'
import { okBody } from '../../http/replies.ts'
import type { AdminServices } from './services.ts'
import { explainWhy, failedOf, readAskedWhy } from './why.ts'

/** `GET /api/admin/why?user=&url=&method=&address=`. Without an address to open, what the user was refused last alone. */
export const whyApi: FastifyPluginAsync<{ readonly services: AdminServices }> = async (
  app,
  { services },
) => {
  const { replies, refused } = services
  app.get('/api/admin/why', { config: { guard: 'admin' } }, async (request, reply) => {
    const asked = readAskedWhy(request.query)
    const recent = asked.user === '' ? [] : refused.of(asked.user)
    if (asked.url === '') return replies.json(reply, okBody({ recent }))
    const why = await explainWhy(services, asked)
    if (why.kind !== 'explained')
      return replies.json(
        reply,
        okBody({
          decision: 'malformed',
          reason: why.kind === 'malformed' ? why.reason : 'the address is no IP address',
          recent,
        }),
      )
    const { decision, level, covered, known, subject, explanation, headers } = why
    const { verdict, rules, askings } = explanation
    return replies.json(
      reply,
      okBody({
        decision: covered ? decision : 'malformed',
        ...(!covered && { reason: 'no cookie domain covers the host' }),
        level: covered ? level : null,
        policy: verdict.policy,
        rule: verdict.rule ?? null,
        rules: rules.map((rule) => ({
          number: rule.index,
          title: rule.title,
          policy: rule.policy,
          verdict: rule.verdict,
          failed: failedOf(rule),
        })),
        readings: askings,
        refusal: verdict.refusal ?? null,
        user: { name: subject.user, groups: subject.groups, known },
        headers: Object.fromEntries(headers),
        recent,
      }),
    )
  })
}
