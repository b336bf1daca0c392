import { OperatorError } from '../kernel/operator-error.ts'

interface SubjectOptions {
  readonly user?: string
  readonly address?: string
}

/** Which of the two was given; undefined when none was. @throws OperatorError when both were */
export function subjectOf({
  user,
  address,
}: SubjectOptions): { readonly kind: 'user' | 'address'; readonly name: string } | undefined {
  if (user !== undefined && address !== undefined)
    throw new OperatorError('say --user or --address, not both')
  if (user !== undefined) return { kind: 'user', name: user }
  return address === undefined ? undefined : { kind: 'address', name: address }
}
