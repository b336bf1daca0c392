/**
 * Opaque identifiers: what a user is called outside of this installation. A random UUID for each service, sector and user
 * says nothing about the user, and two sectors cannot compare theirs.
 *
 * Owns: the table, how an identifier is made, and Authelia's file of them. Does not own: what a service does with it.
 */
export { identifiersYaml, readIdentifier, readIdentifiers } from './exchange.ts'
export { newIdentifier, parseIdentifier, SERVICES, type Service } from './identifier.ts'
export { type Identifiers, type OpaqueIdentifier, type Owner, openIdentifiers } from './store.ts'
