/** Every question through one proxy, and what is wrong with what came of it. */

import type { StartProxy } from '../support/proofs/scene.ts'
import type { ProxyUnderTest } from '../support/proxy-proofs.ts'
import { send } from './proxy-client.ts'
import { type Allowed, readExchange, wrongWith } from './proxy-judge.ts'
import { createProxyQuestions, type ProxyQuestion } from './proxy-questions.ts'
import { openProxyScene, type ProxyScene } from './proxy-scene.ts'

export interface ProxyReport {
  readonly asked: { readonly http1: number; readonly http2: number }
  /** Requests that reached the app, each the one that was judged. */
  readonly passed: number
  readonly refused: number
  /** Questions about CONNECT or TRACE: the proxy has not refused these itself. */
  readonly unjudgeable: number
  readonly wrong: readonly string[]
}

/** @param size mixtures over each protocol, beside the known tricks */
export async function drillProxy(
  t: Parameters<StartProxy>[0],
  { start, http2 }: Pick<ProxyUnderTest, 'start' | 'http2'>,
  { seed, size }: { readonly seed: number; readonly size: number },
): Promise<ProxyReport> {
  const scene = await openProxyScene(t)
  const questions = createProxyQuestions(seed, scene.sessions)
  const judge = createProxyJudge(scene)
  const asked = { http1: 0, http2: 0 }
  const work = [
    ['http1', start],
    ['http2', http2],
  ] as const
  for (const [protocol, open] of work) {
    if (open === undefined) continue
    const port = await scene.start(open)
    const count = questions.fixed[protocol] + size
    for (; asked[protocol] < count; asked[protocol]++)
      await judge.ask(port, questions[protocol](asked[protocol]))
  }
  const unjudgeable = scene.recorder.exchanges.filter(({ method, headers }) =>
    [method, ...headers.filter(([name]) => /-method$/i.test(name)).map(([, value]) => value)].some(
      (one) => one === 'CONNECT' || one === 'TRACE',
    ),
  ).length
  return { asked, unjudgeable, ...judge.result() }
}

function createProxyJudge({ app, recorder, world }: ProxyScene) {
  const wrong: string[] = []
  let passed = 0
  let refused = 0
  // What was allowed, and not used yet: a client that gave up may be followed by its request.
  let before: Allowed[] = []
  return {
    async ask(port: number, question: ProxyQuestion): Promise<void> {
      const [seen, asked] = [app.seen.length, recorder.exchanges.length]
      const status = await send(port, question)
      const report = (text: string) =>
        void wrong.push(
          `${question.kind} ${question.index} (${status}): ${text}\n  ${spell(question)}`,
        )
      const now: Allowed[] = []
      for (const exchange of recorder.exchanges.slice(asked)) {
        const read = readExchange(exchange, world)
        if (typeof read === 'string') report(read)
        else if (read !== undefined) now.push(read)
      }
      const mine = app.seen.slice(seen)
      for (const one of mine) {
        const reasons = [...before, ...now].map((allowed) => wrongWith(one, allowed))
        const at = reasons.indexOf(undefined)
        if (at === -1)
          report(
            `the app got ${one.method} ${JSON.stringify(one.url)}: ${reasons.at(-1) ?? 'nothing was allowed'}`,
          )
        else if (at < before.length) before.splice(at, 1)
        else now.splice(at - before.length, 1)
        if (at !== -1) passed++
      }
      if (mine.length === 0) refused++
      before = now
    },
    result: () => ({ passed, refused, wrong }),
  }
}

const spell = (question: ProxyQuestion): string =>
  question.kind === 'http1'
    ? JSON.stringify(question.bytes.slice(0, 400))
    : JSON.stringify(question.headers)
