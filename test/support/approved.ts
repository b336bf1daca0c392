import { type ApprovedPassword, approveUnchecked } from '../../src/features/passwords/index.ts'

/** A password for tests that are not about the policy. */
export const approved = (password: string): ApprovedPassword =>
  approveUnchecked(password, 'generated')

/** A user of a test as one that is added. */
export const asNew = <T extends { readonly password: string }>(
  given: T,
): Omit<T, 'password'> & { readonly password: ApprovedPassword } => ({
  ...given,
  password: approved(given.password),
})
