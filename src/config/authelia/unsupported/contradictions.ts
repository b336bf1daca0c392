/**
 * What keys that no feature reads yet say against each other. Notices: nothing happens by it so far, and the feature will
 * refuse it when it comes.
 */
import { type Notice, placeOf } from '../../faults.ts'
import { asksForSomething, find, type MapTree, type Tree } from '../../tree.ts'

type Look = (path: string) => Tree | undefined

/** @returns what is wrong, or undefined; the notice stands at `at`. */
interface Contradiction {
  readonly at: string
  readonly says: (look: Look) => string | undefined
}

const CONTRADICTIONS: readonly Contradiction[] = [
  {
    at: 'notifier.smtp',
    says: (look) =>
      asks(look('notifier.smtp')) && asks(look('notifier.filesystem'))
        ? 'is given together with notifier.filesystem: only one of them will be used'
        : undefined,
  },
  {
    at: 'password_policy.zxcvbn.enabled',
    says: (look) =>
      isTrue(look('password_policy.zxcvbn.enabled')) &&
      isTrue(look('password_policy.standard.enabled'))
        ? 'and password_policy.standard.enabled are both true: only one policy can hold'
        : undefined,
  },
  {
    at: 'password_policy.standard.max_length',
    says: (look) => {
      const most = count(look('password_policy.standard.max_length')) ?? 0
      return most > 0 && most < (count(look('password_policy.standard.min_length')) ?? 8)
        ? 'is less than min_length: no password would do'
        : undefined
    },
  },
  {
    at: 'privacy_policy.enabled',
    says: (look) =>
      isTrue(look('privacy_policy.enabled')) && !asks(look('privacy_policy.policy_url'))
        ? 'is true without privacy_policy.policy_url: there is nothing to show'
        : undefined,
  },
  {
    at: 'webauthn.filtering.prohibited_aaguids',
    says: (look) =>
      asks(look('webauthn.filtering.prohibited_aaguids')) &&
      asks(look('webauthn.filtering.permitted_aaguids'))
        ? 'is given together with permitted_aaguids: who is not on that list is refused anyway'
        : undefined,
  },
  {
    at: 'identity_providers.oidc',
    says: (look) =>
      asks(look('identity_providers.oidc.clients')) && !asks(look('identity_providers.oidc.jwks'))
        ? 'has clients and no jwks: tokens need a key to be signed with'
        : undefined,
  },
]

/** @param root everything that was written, under today's names */
export function contradictions(root: MapTree, isUnsupported: (path: string) => boolean): Notice[] {
  const look: Look = (path) => find(root, path.split('.')).tree
  const single = CONTRADICTIONS.flatMap(({ at, says }): Notice[] => {
    const message = look(at) === undefined || !isUnsupported(at) ? undefined : says(look)
    if (message === undefined) return []
    const spot = find(root, at.split('.'))
    return [{ ...placeOf(spot.at), path: spot.text, message }]
  })
  return isUnsupported(CLIENTS) ? [...single, ...clientsTwice(root)] : single
}

const CLIENTS = 'identity_providers.oidc.clients'

function clientsTwice(root: MapTree): Notice[] {
  const clients = find(root, CLIENTS.split('.')).tree
  if (clients?.kind !== 'list') return []
  const seen = new Map<string, number>()
  return clients.items.flatMap((client, index): Notice[] => {
    const entry = client.kind === 'map' ? client.entries.get('client_id') : undefined
    if (entry?.value.kind !== 'scalar' || typeof entry.value.value !== 'string') return []
    const first = seen.get(entry.value.value)
    if (first === undefined) {
      seen.set(entry.value.value, index)
      return []
    }
    const path = entry.written ?? `${CLIENTS}[${index}].client_id`
    return [{ ...placeOf(entry.at), path, message: `is that of ${CLIENTS}[${first}] too` }]
  })
}

const asks = (tree: Tree | undefined): boolean => tree !== undefined && asksForSomething(tree)
const scalar = (tree: Tree | undefined) => (tree?.kind === 'scalar' ? tree.value : undefined)
const isTrue = (tree: Tree | undefined): boolean => scalar(tree) === true
const count = (tree: Tree | undefined): number | undefined => {
  const value = scalar(tree)
  return typeof value === 'number' ? value : undefined
}
