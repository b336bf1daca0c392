import type { Section } from './table.ts'

/** Names that are not Authelia's. */
export const OURS: Section = {
  jwt_secret: ['secret', undefined, 'Signs the JWT that a sign-in can be turned into.'],
  jwt: {
    '': 'A sign-in as a JWT.',
    cookie_name: ['name', undefined, 'The cookie that carries it.'],
    session_length: ['duration', undefined, 'How long it is valid.'],
    refresh_time: ['duration', undefined, 'How long before its end it is renewed.'],
  },
  auth: {
    '': 'What authenticates users: Vestibule, or a proxy in front of it.',
    mode: [['native', 'proxy'], 'native', '`proxy` believes the headers of the proxy in front.'],
    proxy: {
      'header_map.*': ['name', undefined, 'The header that carries it, by what it carries.'],
      permitted_headers: [{ list: 'name' }, undefined, 'Headers that are believed.'],
      secret: ['secret', undefined, 'What the proxy sends along to prove itself.'],
      separator: ['text', ',', 'What stands between groups in a header.'],
      'role_map.*': [{ oneOrMany: 'name' }, undefined, 'Groups that have this role.'],
      default_role: ['text', undefined, 'The role of everybody else.'],
    },
  },
}
