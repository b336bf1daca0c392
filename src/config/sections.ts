/** What a section is for, where the schema of none says it. */
export const SECTIONS: Readonly<Record<string, string>> = {
  access_control: 'Which requests pass, and which factors they need.',
  admin: 'Administrators of Vestibule.',
  authentication_backend: 'Where users are stored, and how their passwords are checked.',
  'authentication_backend.file': 'Users in a file.',
  'authentication_backend.file.password': 'How passwords are stored.',
  'authentication_backend.file.password.argon2': 'Digests with argon2.',
  'authentication_backend.file.password.sha2crypt': 'Digests with SHA-2 crypt.',
  'authentication_backend.file.password.pbkdf2': 'Digests with PBKDF2.',
  'authentication_backend.file.password.bcrypt': 'Digests with bcrypt.',
  'authentication_backend.file.password.scrypt': 'Digests with scrypt.',
  'authentication_backend.file.search': 'What users may type in place of their name.',
  'authentication_backend.hashing': 'How much of the machine hashing may use.',
  branding: 'What the portal looks like.',
  definitions: 'Names that other keys use.',
  session: 'Session cookies, and how long a session lasts.',
}
