/** Simple classifiers that try to tell two kinds of answers apart by one number each, and how well they do. */

/** Scores a sample: the higher, the more it looks like one of the second kind. */
type Score = (sample: number) => number

interface Classifier {
  readonly name: string
  train(first: readonly number[], second: readonly number[]): Score
}

export const CLASSIFIERS: readonly Classifier[] = [
  { name: 'threshold', train: threshold },
  { name: 'mean', train: nearestMean },
  { name: 'k-NN', train: nearestNeighbours },
]

const mean = (list: readonly number[]): number =>
  list.reduce((sum, one) => sum + one, 0) / list.length

/** The one cut that tells most of the training samples apart. */
function threshold(first: readonly number[], second: readonly number[]): Score {
  const all = [
    ...first.map((value) => ({ value, second: 0 })),
    ...second.map((value) => ({ value, second: 1 })),
  ].sort((a, b) => a.value - b.value)
  let ofFirst = 0
  let ofSecond = 0
  let best = { gain: 0, cut: Number.POSITIVE_INFINITY, sign: 1 }
  for (const one of all) {
    if (one.second === 1) ofSecond++
    else ofFirst++
    const gain = ofFirst / first.length - ofSecond / second.length
    if (Math.abs(gain) > best.gain)
      best = { gain: Math.abs(gain), cut: one.value, sign: gain > 0 ? 1 : -1 }
  }
  return (sample) => (sample > best.cut ? best.sign : -best.sign)
}

/** Which of the two means is nearer. */
function nearestMean(first: readonly number[], second: readonly number[]): Score {
  const [one, two] = [mean(first), mean(second)]
  return (sample) => Math.abs(sample - one) - Math.abs(sample - two)
}

/** How many of the nearest training samples are of the second kind. */
function nearestNeighbours(first: readonly number[], second: readonly number[]): Score {
  const all = [
    ...first.map((value) => ({ value, second: 0 })),
    ...second.map((value) => ({ value, second: 1 })),
  ]
  const k = Math.max(5, Math.round(Math.sqrt(all.length)))
  return (sample) =>
    mean(
      all
        .map(({ value, second: kind }) => ({ distance: Math.abs(value - sample), kind }))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, k)
        .map(({ kind }) => kind),
    )
}

/** The area under the curve: 0.5 is a coin, 1 is certainty. Ties count half. */
export function areaUnderCurve(first: readonly number[], second: readonly number[]): number {
  const all = [
    ...first.map((score) => ({ score, second: false })),
    ...second.map((score) => ({ score, second: true })),
  ].sort((a, b) => a.score - b.score)
  let rankSum = 0
  for (let i = 0; i < all.length; ) {
    let j = i
    while (j < all.length && all[j]?.score === all[i]?.score) j++
    // Ranks from 1; those with one score share their mean.
    const rank = (i + 1 + j) / 2
    for (; i < j; i++) if (all[i]?.second) rankSum += rank
  }
  const n = second.length
  return (rankSum - (n * (n + 1)) / 2) / (first.length * n)
}

export interface Judgement {
  readonly classifier: string
  readonly auc: number
}

/** Trains each classifier on one half and judges it on the other. */
export function judge(first: readonly number[], second: readonly number[]): Judgement[] {
  const half = <T>(list: readonly T[], which: 0 | 1) => list.filter((_, i) => i % 2 === which)
  return CLASSIFIERS.map(({ name, train }) => {
    const score = train(half(first, 0), half(second, 0))
    return {
      classifier: name,
      auc: areaUnderCurve(half(first, 1).map(score), half(second, 1).map(score)),
    }
  })
}
