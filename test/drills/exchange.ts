/** One question put to the server, and everything that came back held against what is due. */
import { isLast, type Outcome, probe } from './connections.ts'
import { type Answer, type AskedOf, type Piece, readRequests, valuesOf } from './http.ts'
import { type Finding, judge } from './judge.ts'
import type { Question } from './questions.ts'
import { answerDue, type Due, type World } from './reference.ts'

/** What a question is by the reference. */
export interface Reading {
  readonly question: Question
  readonly pieces: readonly Piece[]
  /** For each request among the pieces. */
  readonly dues: readonly Due[]
  /** Exactly one whole request that leaves its connection as it was. */
  readonly isTame: boolean
}

export function readQuestion(question: Question, world: World): Reading {
  const pieces = readRequests(question.bytes)
  const requests = pieces.filter((piece) => piece.kind === 'request')
  const dues = requests.map((request) => answerDue(request, question.peer, world))
  const [only] = requests
  const isTame =
    pieces.length === 1 && only !== undefined && !only.closes && !isSpecial(only, dues[0])
  return { question, pieces, dues, isTame }
}

/** Node drops what came in one piece with a request to upgrade, behind it. */
const isSpecial = ({ version, headers }: AskedOf, due: Due | undefined): boolean =>
  version !== 'HTTP/1.1' ||
  valuesOf(headers, 'upgrade').length > 0 ||
  due === undefined ||
  due.kind === 'closed' ||
  due.kind === 'expectation'

/** Puts a question over a connection of its own. */
export async function ask(port: number, reading: Reading): Promise<readonly Finding[]> {
  return judgeAll(reading, await send(port, reading))
}

/** The same, unjudged. */
export function send(port: number, { question, pieces, dues }: Reading): Promise<Outcome> {
  return probe({
    port,
    peer: question.peer,
    bytes: question.bytes,
    toHead: (n) => methodOf(pieces[n]) === 'HEAD',
    due: dues.filter(({ kind }) => kind !== 'closed').length,
  })
}

export const methodOf = (piece: Piece | undefined): string =>
  piece?.kind === 'request' ? piece.method : ''

function judgeAll({ pieces, dues }: Reading, outcome: Outcome): readonly Finding[] {
  const findings: Finding[] = []
  const { answers, hung, garbled } = outcome
  if (hung)
    findings.push({ weight: 'violation', kind: 'hang', detail: `${answers.length} answers` })
  if (garbled !== undefined)
    findings.push({ weight: 'violation', kind: 'garbled', detail: garbled })
  for (const [i, answer] of answers.entries()) {
    const due = dues[i]
    if (isParserRefusal(answer)) {
      if (due !== undefined && !mayBeClosed(pieces, i))
        // A parser that is stricter than RFC 9112 breaks no promise.
        findings.push({
          weight: 'remark',
          kind: 'HTTP refuses what the reference reads',
          detail: String(answer.status),
        })
      return findings
    }
    if (due === undefined) {
      // A request without Host, or what is none.
      if (answer.status === 400 && isLast(answer)) return findings
      findings.push({
        weight: answer.status === 200 ? 'violation' : 'difference',
        kind: 'an answer to what is no request',
        detail: String(answer.status),
      })
      return findings
    }
    const finding = judge(due, answer)
    if (finding !== undefined) findings.push(finding)
  }
  const due = dues[answers.length]
  const isOwed = due !== undefined && due.kind !== 'closed' && !isLast(answers.at(-1))
  if (isOwed && !mayBeClosed(pieces, answers.length))
    findings.push({ weight: 'violation', kind: 'no answer', detail: due.kind })
  return findings
}

/** The next bytes are no request: their refusal may be quicker than the answer. */
const mayBeClosed = (pieces: readonly Piece[], i: number): boolean =>
  pieces[i + 1]?.kind === 'refused'

/** What is refused before anybody reads it has no Date. */
const isParserRefusal = (answer: Answer): boolean =>
  [400, 408, 431].includes(answer.status) &&
  isLast(answer) &&
  valuesOf(answer.headers, 'date').length === 0
