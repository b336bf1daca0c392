/** The commands of `storage user totp` and `storage user webauthn`, as Authelia has them. */
import type { Entry } from './entry.ts'

export const FACTOR_COMMANDS: readonly Entry[] = [
  {
    name: 'totp',
    summary: 'one-time codes of users',
    children: [
      {
        name: 'list',
        operation: 'totp.list',
        summary: 'list who has one-time codes',
        load: () => import('./totp-list.ts'),
      },
      {
        name: 'generate',
        operation: 'totp.generate',
        summary: 'give a user one-time codes, which count at once',
        load: () => import('./totp-generate.ts'),
      },
      {
        name: 'delete',
        operation: 'totp.delete',
        summary: 'remove the one-time codes of a user',
        load: () => import('./totp-delete.ts'),
      },
      {
        name: 'export',
        operation: 'totp.export',
        summary: 'write one-time codes with their secrets to a file, as Authelia does',
        load: () => import('./totp-export.ts'),
        children: [
          {
            name: 'csv',
            summary: 'write them to a table of comma-separated values',
            load: () => import('./totp-export-csv.ts'),
          },
          {
            name: 'png',
            summary: 'write a QR code for each user to a directory',
            load: () => import('./totp-export-png.ts'),
          },
          {
            name: 'uri',
            summary: 'print the otpauth:// address of each user',
            load: () => import('./totp-export-uri.ts'),
          },
        ],
      },
      {
        name: 'import',
        operation: 'totp.import',
        summary: 'add the one-time codes of a file',
        load: () => import('./totp-import.ts'),
      },
    ],
  },
  {
    name: 'webauthn',
    summary: 'security keys and passkeys of users',
    children: [
      {
        name: 'list',
        operation: 'webauthn.list',
        summary: 'list the keys of one user or of all',
        load: () => import('./webauthn-list.ts'),
      },
      {
        name: 'delete',
        operation: 'webauthn.delete',
        summary: 'remove one key, or all of a user',
        load: () => import('./webauthn-delete.ts'),
      },
      {
        name: 'export',
        operation: 'webauthn.export',
        summary: 'write keys to a file, as Authelia does',
        load: () => import('./webauthn-export.ts'),
      },
      {
        name: 'import',
        operation: 'webauthn.import',
        summary: 'add the keys of a file',
        load: () => import('./webauthn-import.ts'),
      },
    ],
  },
]
