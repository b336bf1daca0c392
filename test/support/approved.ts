import { type ApprovedPassword, approveUnchecked } from '../../src/features/passwords/index.ts'

/** A password for tests that are not about the policy. */
export const approved = (password: string): ApprovedPassword =>
  approveUnchecked(password, 'generated')
