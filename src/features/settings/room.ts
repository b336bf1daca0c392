import type { FastifyRequest } from 'fastify'
import type { SettingsOptions } from './index.ts'
import { createOwnSessions, type OwnSessions } from './own-sessions.ts'

/** What the pages and the API of this room share. */
export interface Room extends SettingsOptions {
  readonly own: OwnSessions
  /** The language to speak, and its words. */
  speak(request: FastifyRequest): ReturnType<SettingsOptions['messages']['negotiate']>
}

export function createRoom(options: SettingsOptions): Room {
  const { messages, sessions } = options
  return {
    ...options,
    own: createOwnSessions(sessions),
    speak: ({ headers }) => messages.negotiate(headers['accept-language']),
  }
}
