/** What became of one attempt to deliver. */
export type Outcome =
  | { readonly kind: 'sent' }
  /** Tried again later. */
  | {
      readonly kind: 'failed'
      readonly problem: string
      /** Milliseconds; not earlier than this. */
      readonly retryAfter?: number
    }
  /** Trying again would not help. */
  | { readonly kind: 'refused'; readonly problem: string }
