import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type RunningServer, request } from './server.ts'

interface Question {
  readonly app?: string
  readonly path?: string
}

/** Asks, as nginx does, whether this cookie opens an app of vestibule.localhost. */
export const verdict = (
  port: number,
  cookie: string | undefined,
  question?: Question,
): Promise<Answer> =>
  verdictOf({ request: (path, options) => request(port, path, options) }, cookie, question)

/** The same of a server, or of an application without one. */
export function verdictOf(
  server: Pick<RunningServer, 'request'>,
  cookie: string | undefined,
  { app = 'app', path = '/' }: Question = {},
): Promise<Answer> {
  return server.request('/verify', {
    headers: {
      Host: 'vestibule',
      'X-Original-URL': `http://${app}.vestibule.localhost${path}`,
      'X-Original-Method': 'GET',
      ...(cookie !== undefined && { Cookie: cookie }),
    },
  })
}

/** Looks until it is so, at most half a minute. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  wanted: (found: T) => boolean,
): Promise<T> {
  for (let tries = 0; tries < 1200; tries++) {
    const found = await look()
    if (wanted(found)) return found
    await sleep(25)
  }
  throw new Error('it never came to be')
}

/** Until the app is answered with this status. */
export const eventuallyAnswers = (
  port: number,
  cookie: string | undefined,
  status: number,
  app = 'app',
): Promise<Answer> =>
  eventually(
    () => verdict(port, cookie, { app }),
    (answer) => answer.status === status,
  )
