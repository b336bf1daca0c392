import { Refusal } from '../kernel/refusal.ts'

interface TargetOptions {
  readonly user?: string
  readonly address?: string
}

/** Which of the two was given; undefined when none was. @throws Refusal when both were */
export function banTargetOf({
  user,
  address,
}: TargetOptions): { readonly kind: 'user' | 'address'; readonly name: string } | undefined {
  if (user !== undefined && address !== undefined)
    throw new Refusal('say --user or --address, not both')
  if (user !== undefined) return { kind: 'user', name: user }
  return address === undefined ? undefined : { kind: 'address', name: address }
}
