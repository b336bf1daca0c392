import { meetsAll } from './criteria.ts'
import { type Candidates, indexHosts } from './hosts.ts'
import {
  type Asking,
  anonymous,
  isAnonymous,
  type Meter,
  type Subject,
  type Target,
} from './question.ts'
import type { Rule } from './rules.ts'
import { isPlain, queryOf, readTarget } from './target-readings.ts'
import { stricter, type Unjudgeable, type Verdict } from './verdict.ts'

/**
 * What the rules say of a request: the strictest of what they say of each of its readings.
 * @param fallback where no rule matches
 * @param few how many rules of a list are walked and not indexed
 */
export function createVerdicts(
  rules: readonly Rule[],
  fallback: Verdict,
  few: number,
): (subject: Subject, target: Target) => Verdict {
  const candidatesOf = indexHosts(rules, few)
  // One for all: a decision is made in one go, and the hot path makes no garbage.
  const asking: Asking = {
    subject: anonymous,
    isAnonymous: true,
    method: '',
    address: '',
    path: '',
    query: undefined,
    pathAlone: false,
    text: '',
  }

  // So is what a decision may cost.
  const meter: Meter = { left: 0 }

  /** The first rule that matches, in both askings when there is a query: adding a query to a request changes no decision. */
  function ask(candidates: Candidates, path: string): Verdict {
    const { query } = asking
    asking.path = path
    asking.text = query === undefined ? path : `${path}?${query}`
    asking.pathAlone = false
    for (const { index } of candidates.many) index.find(asking, meter)
    const first = match(candidates, asking, meter) ?? fallback
    if (query === undefined || !candidates.seesPathAlone) return first
    asking.pathAlone = true
    return stricter(first, match(candidates, asking, meter) ?? fallback)
  }

  function openQuery({ many }: Candidates, query: string | undefined): void {
    asking.query = query
    for (const { index } of many) index.openQuery(asking, meter)
  }

  return function verdict(subject: Subject, target: Target): Verdict {
    asking.subject = subject
    asking.isAnonymous = isAnonymous(subject)
    asking.method = target.method
    asking.address = target.address
    meter.left = MAX_WORK
    const candidates = candidatesOf(target.host)
    for (const { index, fitting } of candidates.many) index.open(asking, fitting)
    const query = queryOf(target)
    if (isPlain(target.path, query)) {
      openQuery(candidates, query)
      const answer = ask(candidates, target.path)
      return meter.left < 0 ? REFUSED.work : answer
    }
    const readings = readTarget(target)
    if ('refusal' in readings) return REFUSED[readings.refusal]
    const { paths, queries } = readings
    let strictest: Verdict | undefined
    for (const one of queries) {
      openQuery(candidates, one)
      for (const path of paths) {
        const answer = ask(candidates, path)
        if (meter.left < 0) return REFUSED.work
        strictest = strictest === undefined ? answer : stricter(strictest, answer)
      }
    }
    return { ...(strictest ?? REFUSED.readings), readings: paths.length * queries.length }
  }
}

/** The walk through the few first: what it finds, the long lists need not look behind. */
function match({ few, many }: Candidates, asking: Asking, meter: Meter): Verdict | undefined {
  let first: Verdict | undefined
  for (const candidate of few) {
    if (!meetsAll(candidate, asking)) continue
    first = candidate.verdict
    break
  }
  for (const { index } of many) first = index.first(asking, first?.rule ?? Infinity, meter) ?? first
  return first
}

/**
 * What the long lists of a host may cost one decision, in places of automata looked at, 5 to 20 ns each. A path of 2 KiB
 * has that much only where it is in 200 places at each character, 16 KiB of it where it is in 25.
 */
const MAX_WORK = 400_000

const refused = (refusal: Unjudgeable): Verdict => ({
  policy: 'deny',
  rule: undefined,
  hasSubject: false,
  readings: 0,
  refusal,
})
const REFUSED: Readonly<Record<Unjudgeable, Verdict>> = {
  control: refused('control'),
  malformed: refused('malformed'),
  rounds: refused('rounds'),
  readings: refused('readings'),
  work: refused('work'),
}
