/** Environment variables → values at their paths. */

import { DISSOLVED, MOVED } from './authelia/old-names.ts'
import { coerce } from './coerce.ts'
import { describe } from './describe.ts'
import { type Fault, NOT_ALLOWED, type Notice } from './faults.ts'
import type { TextFile } from './files.ts'
import { type Known, settled } from './known.ts'
import { nearest } from './nearest.ts'
import { entryAt, isWritten, type MapTree, type Origin, putEntry, type Tree } from './tree.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Variables that begin like ours and are no keys: what they are for. */
export const META_VARIABLES: Readonly<Record<string, string>> = {
  VESTIBULE_CONFIG: 'The configuration files or directories, separated by commas; `--config` wins.',
  VESTIBULE_DEFAULT_CONFIG:
    'What is read where neither names a file and there is no `./config.yml`; the image sets it.',
}
const PREFIX = 'VESTIBULE_'
/**
 * What Kubernetes (and Docker's old links) put into the environment when a service is called vestibule, or vestibule-…:
 * VESTIBULE_SERVICE_HOST, VESTIBULE_PORT_9091_TCP_ADDR.
 */
const SERVICE_LINK =
  /^(VESTIBULE|AUTHELIA)_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/
const isServiceLink = (name: string, text: string): boolean =>
  SERVICE_LINK.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text))
/** Names of keys that Authelia reads from a file, for those that no feature reads yet. */
const SECRET_NAME = /(KEY|SECRET|PASSWORD|TOKEN|CERTIFICATE_CHAIN)$/

export const isOurs = (name: string): boolean =>
  /^(VESTIBULE|X_AUTHELIA|AUTHELIA)_/.test(name) && !Object.hasOwn(META_VARIABLES, name)

/** `session.cookies` → `VESTIBULE_SESSION_COOKIES`. */
export const variableOf = (path: readonly string[]): string =>
  PREFIX + path.join('_').toUpperCase().replaceAll('-', '_')

/** What the keys of Authelia's old variables are called today. `jwt_secret` is another key here. */
const TODAY: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...MOVED,
    ...Object.fromEntries(Object.entries(DISSOLVED).map(([from, [to]]) => [from, to])),
    jwt_secret: 'identity_validation.reset_password.jwt_secret',
  }).map(([from, to]) => [variableOf(from.split('.')), to]),
)

interface Variable {
  readonly path: readonly string[]
  readonly node: Known
}

/** Every key that one variable can give: single values and lists of them, at paths without lists and free keys. */
export function variablesOf(known: Known): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>()
  const walk = (node: Known, path: readonly string[]) => {
    const single = node.leaf !== undefined || node.item?.leaf !== undefined
    const end = !node.built && node.keys.size === 0 && node.item === undefined
    // Old names come from old files; a variable of ours has no past.
    if (node.nameOf !== undefined) return
    if (path.length > 0 && (single || (end && node.any === undefined && !node.open))) {
      const name = variableOf(path)
      // A key that a feature reads wins over one that none reads.
      if (variables.get(name)?.node.built !== true) variables.set(name, { path, node })
    }
    for (const [key, next] of node.keys) walk(next, [...path, key])
  }
  walk(known, [])
  return variables
}

/** Whether a variable is there that gives no key that a feature reads. */
export function givesUnsupported(env: Environment, known: Known): boolean {
  const names = Object.keys(env)
    .filter((name) => isOurs(name) && !name.startsWith('X_'))
    .map((name) => variableOfToday(name.replace(/^AUTHELIA/, PREFIX.slice(0, -1))))
  if (names.length === 0) return false
  const variables = variablesOf(known)
  return names.some((name) => !variables.has(name) && !variables.has(name.replace(/_FILE$/, '')))
}

export interface Applied {
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
  /** What was read, in order, for the revision: names of variables and of secret files, and their texts. */
  readonly read: readonly (readonly [source: string, text: string])[]
}

/** Puts the environment's values into `root`. Values of variables are never repeated in a fault. */
export async function applyEnvironment(
  root: MapTree,
  known: Known,
  env: Environment,
  readFile: (path: string) => Promise<TextFile>,
): Promise<Applied> {
  const names = Object.keys(env).filter(isOurs).sort()
  if (names.length === 0) return { faults: [], notices: [], read: [] }
  const variables = variablesOf(known)
  const values = new EnvironmentValues(root, readFile)
  const { faults, read } = values
  const notices: Notice[] = []
  for (const name of names) {
    const text = env[name]
    if (text === undefined) continue
    if (!name.startsWith(PREFIX)) {
      if (!isServiceLink(name, text))
        notices.push({ source: name, path: '', message: foreign(name, variables, known) })
      continue
    }
    const direct = variables.get(name)
    if (direct !== undefined) {
      read.push([name, text])
      values.put(direct, text, { source: name })
      continue
    }
    if (isServiceLink(name, text)) continue
    const base = name.replace(/_FILE$/, '')
    const secret = base === name ? undefined : variables.get(base)
    if (secret === undefined) faults.push(unknownVariable(name, variables, known))
    else await values.putFile(secret, base, name, text)
  }
  return { faults, notices, read }
}

class EnvironmentValues {
  readonly faults: Fault[] = []
  readonly read: [source: string, text: string][] = []
  readonly #root: MapTree
  readonly #readFile: (path: string) => Promise<TextFile>

  constructor(root: MapTree, readFile: (path: string) => Promise<TextFile>) {
    this.#root = root
    this.#readFile = readFile
  }

  async putFile(variable: Variable, base: string, name: string, path: string): Promise<void> {
    const dotted = variable.path.join('.')
    const { node } = variable
    if (!takesFile(variable, base)) {
      this.faults.push({ source: name, path: dotted, message: `is no secret: use ${base}` })
      return
    }
    // The variable without _FILE comes first in the order of names: it stands in the tree by now, like a file's value.
    const there = entryAt(this.#root, variable.path)
    if (there !== undefined && isWritten(there.value)) {
      const message = `is also given by ${there.at.source}; keep one`
      this.faults.push({ source: name, path: dotted, message })
      return
    }
    if (!node.built) {
      // No feature would read it.
      const at = { source: name }
      putEntry(this.#root, variable.path, {
        at,
        value: { kind: 'scalar', value: null, at, unread: true },
      })
      return
    }
    const file = await this.#readFile(path)
    if (!file.ok) {
      this.faults.push({ source: name, path: dotted, message: `names a file that ${file.problem}` })
      return
    }
    this.read.push([path, file.text])
    const text = file.text.replace(/[\r\n]+$/, '')
    // An empty text is the default; an empty file is a secret that was lost on its way.
    if (text === '')
      this.faults.push({ source: name, path: dotted, message: 'names a file that is empty' })
    this.put(variable, text, { source: name })
  }

  put({ path, node: key }: Variable, text: string, at: Origin): void {
    const node = settled(key)
    const value = coerce(node, text, at)
    if (value === undefined)
      this.faults.push({
        source: at.source,
        path: path.join('.'),
        message: NOT_ALLOWED,
        ...(node.leaf?.secret !== true && { found: JSON.stringify(text.slice(0, 60)) }),
        allowed: describe(node),
      })
    const unread: Tree = { kind: 'scalar', value: null, at, unread: true }
    putEntry(this.#root, path, { at, value: value ?? unread })
  }
}

function unknownVariable(
  name: string,
  variables: ReadonlyMap<string, Variable>,
  known: Known,
): Fault {
  const group = [...variables.values()].find((variable) =>
    variableOf(variable.path).startsWith(`${name}_`),
  )
  const isList = onlyInFiles(known).find((path) => name.startsWith(variableOf(path)))
  if (group !== undefined || isList !== undefined)
    return {
      source: name,
      path: '',
      message: 'is a key that only a file can give: it is no single value',
    }
  const today = variableOfToday(name)
  const near =
    today !== name && variables.has(today.replace(/_FILE$/, ''))
      ? today
      : nearest(name, [...variables.keys(), ...Object.keys(META_VARIABLES)])
  return {
    source: name,
    path: '',
    message: 'is no variable of ours',
    ...(near !== undefined && { nearest: near }),
  }
}

/** Paths that hold lists of maps or maps with free keys. */
function onlyInFiles(known: Known): string[][] {
  const paths: string[][] = []
  const walk = (node: Known, path: string[]) => {
    if (node.any !== undefined || (node.item !== undefined && node.item.leaf === undefined))
      paths.push(path)
    for (const [key, next] of node.keys) walk(next, [...path, key])
  }
  walk(known, [])
  return paths.filter((path) => path.length > 0)
}

function foreign(name: string, variables: ReadonlyMap<string, Variable>, known: Known): string {
  if (name === 'X_AUTHELIA_CONFIG') return 'is ignored; its name here is VESTIBULE_CONFIG'
  if (name === 'X_AUTHELIA_CONFIG_FILTERS')
    return 'asks for filters, which are not supported: values that need them are refused'
  if (name.startsWith('X_')) return 'is ignored: it has no meaning here'
  const ours = name.replace(/^AUTHELIA/, PREFIX.slice(0, -1))
  const variable = variableOfToday(ours)
  const bare = variable.replace(/_FILE$/, '')
  const found = variables.get(bare)
  if (found !== undefined)
    return `is ignored; its name here is ${takesFile(found, bare) ? variable : bare}`
  const base = ours.replace(/_FILE$/, '')
  const today = TODAY.get(ours) ?? TODAY.get(base)
  if (today !== undefined) return `is ignored; write ${today}`
  const inFile = onlyInFiles(known).find((path) => base.startsWith(variableOf(path)))
  return inFile === undefined
    ? 'is ignored: there is no such key'
    : `is ignored; write ${inFile.join('.')} into a file`
}

/** Whether a file may give it: a secret, as far as that is known. */
const takesFile = ({ node }: Variable, name: string): boolean =>
  node.built ? node.leaf?.secret === true : SECRET_NAME.test(name)

/** What a variable of an old key is called today; any other as it is. */
function variableOfToday(name: string): string {
  const whole = TODAY.get(name)
  if (whole !== undefined) return variableOf(whole.split('.'))
  const today = TODAY.get(name.replace(/_FILE$/, ''))
  return today === undefined ? name : `${variableOf(today.split('.'))}_FILE`
}
