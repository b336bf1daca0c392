/** zod's issues → faults that a person can act on. */
import type { z } from 'zod'
import type { ConfigPath } from '../kernel/feature.ts'
import { describe } from './describe.ts'
import { type Fault, NOT_ALLOWED, placeOf } from './faults.ts'
import { type Known, knownAt } from './known.ts'
import { nearest } from './nearest.ts'
import { find, isNothing, joinPath, type MapTree, type Tree } from './tree.ts'

type Issue = z.core.$ZodIssue

/** @param base the path of the slice that the issues come from */
export function explainIssues(
  issues: readonly Issue[],
  base: ConfigPath,
  root: MapTree,
  known: Known,
): Fault[] {
  return issues.flatMap((issue) => explain(issue, base, root, known))
}

function explain(issue: Issue, base: ConfigPath, root: MapTree, known: Known): Fault[] {
  const path: ConfigPath = [...base, ...issue.path.map(stepOf)]
  const spot = find(root, path)
  if (spot.tree?.kind === 'scalar' && spot.tree.unread) return []
  const place = { ...placeOf(spot.at), path: spot.text }
  const node = knownAt(known, path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const near = nearest(key, node?.keys.keys() ?? [])
      const at = find(root, [...path, key])
      return {
        ...placeOf(at.at),
        path: at.text,
        message: 'unknown key',
        ...(near !== undefined && { nearest: joinPath(spot.text, near) }),
      }
    })
  }
  if (issue.code === 'invalid_union') {
    const specific = mostSpecific(issue, spot.tree)
    if (specific !== undefined)
      return specific.flatMap((inner) => explain(inner, path, root, known))
  }
  const missing = spot.tree === undefined || isNothing(spot.tree)
  // Of a key that does not fit its map, the value says nothing.
  const found =
    missing || issue.code === 'invalid_key' ? undefined : foundText(spot.tree, node, path)
  const allowed = allowedText(issue, node, spot.tree)
  return [
    {
      ...place,
      message: missing && isAboutType(issue) ? 'is missing' : messageOf(issue, spot.tree, node),
      ...(spot.tree === undefined && { isAbsent: true as const }),
      ...(found !== undefined && { found }),
      ...(allowed !== undefined && { allowed }),
    },
  ]
}

const stepOf = (step: PropertyKey): string | number =>
  typeof step === 'number' ? step : String(step)

const isAboutType = (issue: Issue): boolean =>
  issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union'

/**
 * Of the branches of a union, the one that was meant: the one that got deepest into the value, or else the one whose
 * type fits. Several that fit (a word of a list, or a duration) have nothing more specific to say than their sum.
 */
function mostSpecific(
  issue: z.core.$ZodIssueInvalidUnion,
  tree: Tree | undefined,
): readonly Issue[] | undefined {
  const branches = issue.errors
    .map((issues) => ({ issues, depth: Math.max(0, ...issues.map(depthOf)) }))
    .filter(({ issues }) => issues.length > 0)
  const deepest = Math.max(0, ...branches.map(({ depth }) => depth))
  if (deepest > 0) return branches.find(({ depth }) => depth === deepest)?.issues
  const fitting = branches.filter(({ issues }) => !issues.some((inner) => isWrongType(inner, tree)))
  return fitting.length === 1 ? fitting[0]?.issues : undefined
}

/** Of a list or a map, zod says that it is none of the words. */
const isWrongType = (issue: Issue, tree: Tree | undefined): boolean =>
  issue.path.length === 0 &&
  (issue.code === 'invalid_type' ||
    (issue.code === 'invalid_value' && tree?.kind !== 'scalar') ||
    (issue.code === 'invalid_union' &&
      issue.errors.every((branch) => branch.some((inner) => isWrongType(inner, tree)))))

function depthOf(issue: Issue): number {
  const inside = issue.code === 'invalid_union' ? issue.errors.flat().map(depthOf) : []
  return issue.path.length + Math.max(0, ...inside)
}

/** zod's own sentences begin like this. */
const isOwnMessage = ({ message }: Issue): boolean =>
  !/^(Invalid|Too (small|big)|Unrecognized)\b/.test(message)

const textIn = (tree: Tree | undefined): string =>
  tree?.kind === 'scalar' && typeof tree.value === 'string' ? tree.value : ''

function messageOf(issue: Issue, tree: Tree | undefined, node?: Known): string {
  // The message of a feature says more than a generated one.
  if (isOwnMessage(issue)) return issue.message
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues
    return inner === undefined
      ? 'is no key for this map'
      : `is no key for this map: ${messageOf(inner, undefined)}`
  }
  if (tree?.kind === 'map' && node !== undefined && node.keys.size === 0 && node.item?.keys.size)
    return 'is one item of a list; put "- " in front of it'
  const [, key = ''] = /^([\w-]+):\S/.exec(textIn(tree)) ?? []
  return node?.keys.has(key) ? `lacks a space after "${key}:"` : NOT_ALLOWED
}

function allowedText(issue: Issue, node: Known | undefined, tree?: Tree): string | undefined {
  switch (issue.code) {
    case 'custom': {
      const { allowed } = issue.params ?? {}
      const text = Array.isArray(allowed) ? allowed.join(', ') : allowed
      if (typeof text !== 'string') return undefined
      // A word that may stand there too comes from another branch of a union, which zod leaves out.
      const words = [...(node?.leaf?.values ?? [])].map(String).filter((w) => !text.includes(w))
      return [...words, text].join(', ')
    }
    case 'invalid_value':
      return issue.values.map(String).join(', ')
    case 'too_small':
      return `${issue.inclusive ? 'at least' : 'more than'} ${amount(issue.minimum, issue.origin)}`
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${amount(issue.maximum, issue.origin)}`
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`
    case 'invalid_format':
      // The message of a feature says it better than its pattern.
      if (issue.format !== 'regex') return `a ${issue.format}`
      return isOwnMessage(issue) ? undefined : `what matches ${issue.pattern}`
    case 'invalid_type':
      if (issue.expected === 'int') return 'a whole number'
      return describeNode(node) ?? TYPES[issue.expected]
    case 'invalid_union': {
      if (node !== undefined && isWrongType({ ...issue, path: [] }, tree)) return describeNode(node)
      const parts = issue.errors
        .map((branch) => branch[0])
        .map((inner) => (inner === undefined ? undefined : allowedText(inner, undefined)))
        .filter((part) => part !== undefined)
      return [...new Set(parts)].join(', or ') || describeNode(node)
    }
    default:
      return undefined
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true, false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}

function describeNode(node: Known | undefined): string | undefined {
  const text = node === undefined ? '' : describe(node)
  return text === '' ? undefined : text
}

function amount(limit: number | bigint, origin: string): string {
  if (origin === 'string') return `${limit} character${limit === 1 ? '' : 's'}`
  if (origin === 'array' || origin === 'set') return `${limit} item${limit === 1 ? '' : 's'}`
  return String(limit)
}

/** Last parts of names that hold secrets, whether a schema marks them or not. */
const SECRET_NAME = /(secret|password|token|private_key|encryption_key|digest|credentials?)$/i
const MAX_FOUND = 60

/**
 * What stands there, in words. A text is quoted only where a single value belongs and no secret does; a password in an
 * address is left out.
 */
export function foundText(
  tree: Tree | undefined,
  node: Known | undefined,
  path: ConfigPath,
): string | undefined {
  if (tree === undefined || isNothing(tree)) return undefined
  if (tree.kind === 'map') return 'a map'
  if (tree.kind === 'list') return 'a list'
  const { value } = tree
  const name = String(path.findLast((step) => typeof step === 'string') ?? '')
  if (typeof value === 'boolean') return String(value)
  const kind = typeof value === 'number' ? 'a number' : 'a text'
  const leaf = node?.leaf ?? (typeof path.at(-1) === 'number' ? undefined : node?.item?.leaf)
  if (leaf === undefined || leaf.secret) return kind
  if (leaf.types.has('string') && SECRET_NAME.test(name)) return kind
  if (typeof value === 'number') return String(value)
  const shown = String(value).replace(/\/\/[^/@\s]*@/g, '//…@')
  return JSON.stringify(shown.length > MAX_FOUND ? `${shown.slice(0, MAX_FOUND)}…` : shown)
}
