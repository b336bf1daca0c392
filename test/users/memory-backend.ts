/**
 * User backends in memory, for tests of what is above them: `digest` stores digests as a database would, `bind` checks
 * passwords itself and answers every question later, as LDAP does.
 */
import { parseDigest } from '../../src/features/passwords/index.ts'
import type {
  Account,
  AccountFields,
  AccountsChange,
  Condition,
  UserBackend,
} from '../../src/features/users/backend.ts'
import {
  isLasting,
  lastAdministrator,
  takesAdministrator,
} from '../../src/features/users/last-administrator.ts'
import { isSamePassword, markOf } from '../../src/features/users/password-marks.ts'
import { searchListed } from '../../src/features/users/search-listed.ts'
import { AppError } from '../../src/kernel/errors.ts'
import type { GivenUser } from '../conformance/user-case.ts'

/** Makes an account of a given user. `digest`: of its password; the password itself where the backend checks it. */
type Make = (user: Omit<GivenUser, 'password'>, secret: string, continues?: string) => Account

let made = 0
const rest = () => ({ version: String(++made), attributes: {} })

export const digestAccount: Make = ({ disabled = false, ...profile }, text, continues) => {
  const parsed = parseDigest(text)
  if (!parsed.ok) throw new TypeError(parsed.problem)
  const { digest } = parsed
  const mark = markOf(text)
  return { kind: 'digest', profile, disabled, digest, mark, continues, ...rest() }
}

export const bindAccount: Make = ({ disabled = false, ...profile }, secret) => ({
  kind: 'bind',
  profile,
  disabled,
  ...rest(),
  bind: async (password) => password === secret,
})

const NAME = /^[a-z]{1,100}$/
const enabledProfile = (account: Account | undefined) =>
  account?.disabled === false ? account.profile : undefined
const fieldsOf = ({ profile, disabled }: Account) => ({ ...profile, disabled })

/** The accounts, and the listeners that are told of each change. */
function createAccounts(make: Make) {
  const accounts = new Map<string, { readonly account: Account; readonly secret: string }>()
  const listeners: ((change: AccountsChange) => void)[] = []
  const get = (name: string): Account | undefined => accounts.get(name)?.account
  const tell = (invalidated: readonly string[], added: readonly string[]) => {
    const change = { invalidated, added, accounts: [...accounts.values()].map((a) => a.account) }
    for (const listener of listeners) listener(change)
  }

  function put(user: Omit<GivenUser, 'password'>, secret: string, continues?: string): boolean {
    const before = accounts.get(user.name)
    const is = make(user, secret, continues)
    const same =
      before?.secret === secret &&
      JSON.stringify(fieldsOf(before.account)) === JSON.stringify(fieldsOf(is))
    if (!same) accounts.set(user.name, { account: is, secret })
    if (before === undefined || before.account.disabled) return false
    const was = before.account
    const isSame =
      was.kind === 'digest' && is.kind === 'digest'
        ? isSamePassword(was, is)
        : before.secret === secret
    return is.disabled || !isSame
  }

  return {
    accounts,
    listeners,
    get,
    put(user: Omit<GivenUser, 'password'>, secret: string, continues?: string): void {
      const isNew = !accounts.has(user.name)
      const isInvalid = put(user, secret, continues)
      tell(isInvalid ? [user.name] : [], isNew ? [user.name] : [])
    },
    remove(name: string): void {
      const was = get(name)
      accounts.delete(name)
      tell(was?.disabled === false ? [name] : [], [])
    },
    replaceAll(given: readonly (readonly [GivenUser, string])[]): void {
      const names = new Set(given.map(([{ name }]) => name))
      const invalidated = [...accounts.values()]
        .filter(({ account }) => !account.disabled && !names.has(account.profile.name))
        .map(({ account }) => account.profile.name)
      for (const name of accounts.keys()) if (!names.has(name)) accounts.delete(name)
      const added = [...names].filter((name) => !accounts.has(name))
      for (const [{ password, ...user }, secret] of given)
        if (put(user, secret)) invalidated.push(user.name)
      tell(invalidated, added)
    },
  }
}

type Accounts = ReturnType<typeof createAccounts>

const known = ({ get }: Accounts, name: string): Account => {
  const account = get(name)
  if (account === undefined) throw new AppError('USER_UNKNOWN')
  return account
}

type User = Omit<GivenUser, 'password'>

function changed(account: Account, fields: Partial<AccountFields>): User {
  const { expiresAt: until, mustChangePassword: must, ...user } = fieldsOf(account)
  const { expiresAt = until, mustChangePassword = must, attributes: _, ...rest } = fields
  return {
    ...user,
    ...rest,
    ...(typeof expiresAt === 'number' && { expiresAt }),
    ...(mustChangePassword === true && { mustChangePassword }),
  }
}

/** @param after undefined where the groups of the user do not stay */
function meet(own: Accounts, name: string, condition: Condition = {}, after?: User): void {
  const account = known(own, name)
  if ((condition.version ?? account.version) !== account.version) throw new AppError('USER_CHANGED')
  const { administrators } = condition
  if (administrators === undefined) return
  const standing = ({ groups, disabled, expiresAt }: User) => ({
    ...{ groups, disabled: disabled === true },
    expires: expiresAt !== undefined,
  })
  const is = after && standing(after)
  if (!takesAdministrator(standing(fieldsOf(account)), is, administrators)) return
  const others = [...own.accounts.values()].filter(({ account: other }) => other !== account)
  if (!others.some((one) => isLasting(standing(fieldsOf(one.account)), administrators)))
    throw lastAdministrator()
}

/** A backend with digests, which takes every change. */
export function createDigestBackend(name = 'memory') {
  const own = createAccounts(digestAccount)
  const { accounts, get } = own
  const all = () => [...accounts.values()].map(({ account }) => account)
  const digests = () => all().flatMap((account) => (account.kind === 'digest' ? [account] : []))
  const backend = {
    name,
    profile: (user) => enabledProfile(get(user)),
    byName: get,
    byLogin: get,
    isEmpty: () => accounts.size === 0,
    list: all,
    search: (query) => searchListed([...accounts.keys()].sort(), get, query),
    costliest: () => digests().sort((a, b) => b.digest.weight - a.digest.weight)[0]?.digest,
    onChange: (listener) => void own.listeners.push(listener),
    reload: async () => ({ ok: true, users: accounts.size, revision: name }),
    writing: {
      kind: 'digest',
      async set(user, digest, mustChangePassword, condition) {
        meet(own, user, condition)
        own.put(changed(known(own, user), { mustChangePassword }), digest)
      },
      async renew(user, digest, mark) {
        const account = known(own, user)
        if (account.kind !== 'digest' || account.mark !== mark) return false
        own.put(fieldsOf(account), digest, mark)
        return true
      },
    },
    creation: {
      async add(user, { displayName, groups, digest, ...more }) {
        if (accounts.has(user)) throw new AppError('USER_EXISTS')
        if (!NAME.test(user)) throw new AppError('BODY_INVALID', { faults: ['is no name'] })
        const base = digestAccount({ name: user, displayName, email: '', groups }, digest)
        own.put(changed(base, more), digest)
      },
    },
    editing: {
      async change(user, fields, condition) {
        const after = changed(known(own, user), fields)
        meet(own, user, condition, after)
        own.put(after, accounts.get(user)?.secret ?? '')
      },
    },
    removal: {
      async remove(user, condition) {
        meet(own, user, condition)
        own.remove(known(own, user).profile.name)
      },
    },
    close: async () => {},
  } satisfies UserBackend
  return { backend, replaceAll: own.replaceAll }
}

/** A backend that checks passwords itself, takes new ones and no other change. */
export function createBindBackend(name = 'remote') {
  const own = createAccounts(bindAccount)
  const { accounts, get } = own
  const backend = {
    name,
    profile: async (user) => enabledProfile(get(user)),
    byName: async (user) => get(user),
    byLogin: async (login) => get(login),
    isEmpty: () => false,
    async *list() {
      for (const { account } of accounts.values()) yield account
    },
    search: (query) => searchListed([...accounts.keys()].sort(), get, query),
    costliest: () => undefined,
    onChange: (listener) => void own.listeners.push(listener),
    reload: async () => ({ ok: true, users: accounts.size, revision: '' }),
    writing: {
      kind: 'password',
      async set(user, password) {
        const account = known(own, user)
        if (password === '' || password.length > 1024) throw new AppError('PASSWORD_UNUSABLE')
        own.put(fieldsOf(account), password)
      },
    },
    close: async () => {},
  } satisfies UserBackend
  return { backend, replaceAll: own.replaceAll }
}
