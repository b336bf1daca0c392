import type { Access } from './access.ts'

/** The rules in force, exchangeable while requests are under way: each decision is made whole by one rule set. */
export interface LiveAccess extends Access {
  replace(next: Access): void
}

/** @param first the rules in force until `replace` */
export function createLiveAccess(first: Access): LiveAccess {
  let current = first
  return {
    get needsTwoFactor() {
      return current.needsTwoFactor
    },
    verdict: (subject, target) => current.verdict(subject, target),
    decide: (subject, level, target) => current.decide(subject, level, target),
    explain: (subject, target) => current.explain(subject, target),
    apps: (subject, level, address) => current.apps(subject, level, address),
    replace(next) {
      current = next
    },
  }
}
