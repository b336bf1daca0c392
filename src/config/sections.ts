/** What a section is for, where the schema of none says it. */
export const SECTIONS: Readonly<Record<string, string>> = {
  access_control: 'What is asked of whom before an app opens.',
  admin: 'Who runs Vestibule.',
  authentication_backend: 'Who exists, and how they prove it.',
  'authentication_backend.file': 'Users in a file.',
  'authentication_backend.file.password': 'How passwords are kept.',
  'authentication_backend.file.password.argon2': 'Digests with argon2.',
  'authentication_backend.file.password.sha2crypt': 'Digests with SHA-2 crypt.',
  'authentication_backend.file.password.pbkdf2': 'Digests with PBKDF2.',
  'authentication_backend.file.password.bcrypt': 'Digests with bcrypt.',
  'authentication_backend.file.password.scrypt': 'Digests with scrypt.',
  'authentication_backend.file.search': 'What people may write in place of their name.',
  'authentication_backend.hashing': 'How much work hashing may be.',
  branding: 'What the portal looks like.',
  definitions: 'Names for use elsewhere.',
  session: 'Who is signed in, and for how long.',
}
