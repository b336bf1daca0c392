import type { FastifyReply } from 'fastify'

/**
 * What the browser keeps of this origin goes with the session. Never `"cookies"`: that is every cookie of the whole
 * registrable domain, the apps' too. Below a base path the origin is another app's as well, and what it stores is its own.
 */
export function forgetHere(reply: FastifyReply, { base }: { readonly base: string }): void {
  reply.header('Clear-Site-Data', base === '' ? '"cache", "storage"' : '"cache"')
}
