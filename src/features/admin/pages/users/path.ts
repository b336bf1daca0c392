import type { FastifyRequest } from 'fastify'
import { textFields } from '../../../portal/index.ts'

export const PATH = '/admin/users'
/** The page that adds users. A user may have this name too: the query `user` tells that page from theirs. */
const NEW = 'new'

/** @param more what is added to the query */
export function userHref(base: string, name: string, more: readonly string[] = []): string {
  const query = [...(name === NEW ? ['user'] : []), ...more].map((key) => `${key}=`).join('&')
  return `${base}${PATH}/${encodeURIComponent(name)}${query === '' ? '' : `?${query}`}`
}

export const actHref = (base: string, name: string, act: string): string =>
  `${base}${PATH}/${encodeURIComponent(name)}/${act}`

/** Whether the page of the user `new` was asked for, and not the one that adds users. */
// Fastify's parser gives an object for every query.
export const isOfUser = ({ query }: FastifyRequest): boolean => 'user' in (query as object)

/** The name of the user that the page is about. */
export const nameIn = ({ params }: FastifyRequest): string => textFields(params)['username'] ?? NEW
