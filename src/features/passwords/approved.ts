import { Secret } from '../../kernel/secret.ts'

declare const brand: unique symbol

/**
 * A password that may become a user's. Only the policy makes one, or `approveUnchecked` with its reason: a new
 * way to set a password cannot pass it by.
 */
export type ApprovedPassword = Secret & { readonly [brand]: 'ApprovedPassword' }

/** For the policy alone. */
export const approve = (password: string): ApprovedPassword =>
  // As: the brand exists in types only, and this is where it is given.
  new Secret(password) as ApprovedPassword

/**
 * @param _reason `generated`: random, made by the server; `forced`: the operator has asked for it with `--force`
 */
export const approveUnchecked = (
  password: string,
  _reason: 'generated' | 'forced',
): ApprovedPassword => approve(password)
