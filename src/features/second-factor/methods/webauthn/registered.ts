import type { WebauthnConfig } from './manifest.ts'
import type { RegistrationResponse } from './responses.ts'

const ATTACHMENTS: readonly string[] = ['platform', 'cross-platform']
const TRANSPORTS: readonly string[] = [
  'ble',
  'cable',
  'hybrid',
  'internal',
  'nfc',
  'smart-card',
  'usb',
]

/** What a browser says of a new key. */
export const attachmentOf = ({ authenticatorAttachment: given }: RegistrationResponse): string =>
  typeof given === 'string' && ATTACHMENTS.includes(given) ? given : ''

/** Those that we know, each once: they go back to the browser as hints. */
export const transportsOf = ({
  response: { transports },
}: RegistrationResponse): readonly string[] => TRANSPORTS.filter((one) => transports?.includes(one))

/** Why the configuration permits no such key; undefined: it does. */
export function whyFiltered(
  { filtering }: WebauthnConfig,
  { aaguid, backupEligible }: { readonly aaguid: string; readonly backupEligible: boolean },
): string | undefined {
  const { permitted_aaguids: permitted, prohibited_aaguids: prohibited } = filtering
  if (permitted.length > 0 && !permitted.includes(aaguid)) return `model ${aaguid} is not permitted`
  if (prohibited.includes(aaguid)) return `model ${aaguid} is prohibited`
  return filtering.prohibit_backup_eligibility && backupEligible
    ? 'keys that can be copied are prohibited'
    : undefined
}
