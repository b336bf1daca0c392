/**
 * The public key (COSE_Key, ES256) of a pair whose private half was thrown away. An answer of an unknown key is checked against
 * it, so that it takes as long as one of a known key.
 */
export const DECOY_KEY: Uint8Array = Buffer.from(
  'pQECAyYgASFYIKui_p2LYCcoLKTLF7A_zudMzJ4-QwaRx0EYw16kTaq2IlggRMxIWQwbC2UTV-vSQ9kOwC_1370BX7n0GkS10nIDpPE',
  'base64url',
)
