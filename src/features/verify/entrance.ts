import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Identity } from '../sessions/index.ts'
import type { Endpoint } from './endpoints.ts'
import type { Walk } from './walk.ts'

/** A walk as far as it needs no waiting. */
export interface Begun {
  readonly walk: Walk
  readonly identity: Identity | undefined | Promise<Identity | undefined>
}

/** What an endpoint does for the entrance. Both may throw: then the router's way answers. */
export interface Steps {
  /** @param url the request target below the base path */
  begin(request: IncomingMessage, url: string): Begun
  /** Writes the 200 that the rules allow at once. @returns false when they do not; then nothing was written */
  allow(walk: Walk, identity: Identity | undefined, response: ServerResponse): boolean
}

/**
 * The short way into the verify walk, past Fastify's router and its machinery
 * (docs/decisions/005-a-second-entrance-to-verify.md).
 *
 * It says one thing only: the 200 of a request that a known session or the rules alone let through. Everything else
 * (refusals, errors, a session that has to be fetched, credentials in headers, targets that are spelled in another way) goes
 * to Fastify, which takes over the walk where it stands or begins anew.
 */
export interface Entrance {
  /** Mounts an endpoint, which has to be a route of Fastify's as well. */
  mount(endpoint: Endpoint, steps: Steps): void
  /** @returns whether it was answered; otherwise the request and its response are untouched */
  answer(request: IncomingMessage, response: ServerResponse): boolean
  /** The walk that this request has begun here, once. */
  take(endpoint: Endpoint, request: IncomingMessage): Begun | undefined
}

interface Mounted {
  readonly endpoint: Endpoint
  readonly path: string
  readonly steps: Steps
}

const SLASH = 0x2f
const QUESTION = 0x3f

/** The router refuses paths that cannot be decoded: whatever holds an encoded letter is left to it. */
const isEncoded = (url: string): boolean => {
  const percent = url.indexOf('%')
  if (percent === -1) return false
  const question = url.indexOf('?')
  return question === -1 || percent < question
}

/** @param withoutBase what the router does to a request target first; undefined where there is no base path */
export function createEntrance(withoutBase: ((url: string) => string) | undefined): Entrance {
  const mounted: Mounted[] = []
  const begun = new WeakMap<IncomingMessage, Begun>()

  /** By the raw target: the path as it is mounted, and behind it nothing, a query, or what the dialect takes. */
  const find = (url: string): Mounted | undefined => {
    for (const one of mounted) {
      if (!url.startsWith(one.path)) continue
      if (url.length === one.path.length) return one
      const next = url.charCodeAt(one.path.length)
      if (next === QUESTION) return one
      if (next === SLASH && one.endpoint.dialect.takesTail) return isEncoded(url) ? undefined : one
    }
    return undefined
  }

  return {
    mount(endpoint, steps) {
      mounted.push({ endpoint, path: endpoint.path, steps })
    },
    answer(request, response) {
      const raw = request.url ?? ''
      const url = withoutBase === undefined ? raw : withoutBase(raw)
      const found = find(url)
      if (found === undefined) return false
      try {
        const start = found.steps.begin(request, url)
        const { walk, identity } = start
        if (identity instanceof Promise || !found.steps.allow(walk, identity, response)) {
          // The route that takes the walk over handles the failure.
          if (identity instanceof Promise) identity.catch(() => {})
          begun.set(request, start)
          return false
        }
      } catch {
        // Fastify's way meets the same failure, and has the words and the status for it. Nothing was written.
        return false
      }
      response.end()
      return true
    },
    take(endpoint, request) {
      const start = begun.get(request)
      if (start === undefined || start.walk.endpoint !== endpoint) return undefined
      begun.delete(request)
      return start
    },
  }
}
