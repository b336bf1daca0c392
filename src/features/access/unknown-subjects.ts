import type { ConfigPath } from '../../kernel/feature.ts'
import { printable } from '../../kernel/printable.ts'
import type { AccessControl } from './manifest.ts'

/** The names that there are, those of disabled users included. */
export interface Directory {
  readonly names: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

/**
 * Users and groups that rules name and that do not exist. A rule for them matches no user, which is usually a mistake. An
 * empty directory gives no warnings: its users have not been added yet.
 */
export function unknownSubjectsIn(
  { rules }: AccessControl,
  { names, groups }: Directory,
): { readonly path: ConfigPath; readonly message: string }[] {
  if (names.size === 0) return []
  return rules.flatMap(({ subject = [] }, index) =>
    subject.flatMap((all, i) =>
      all.flatMap((holder, j) => {
        const [, kind, name = ''] = /^(user|group):(.*)$/s.exec(holder) ?? []
        const isThere = kind === 'user' ? names.has(name) : groups.has(name)
        if (kind === undefined || isThere) return []
        const path = ['access_control', 'rules', index, 'subject', i]
        return {
          path: all.length > 1 ? [...path, j] : path,
          message:
            kind === 'user'
              ? `names the user ${printable(name)}, who does not exist`
              : `names the group ${printable(name)}, which no user is in`,
        }
      }),
    ),
  )
}
