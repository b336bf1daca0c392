import type { z } from 'zod'
import type { Manifest, SlicesOf } from '../kernel/feature.ts'
import { knownOf, patternsOf } from './known.ts'

export type Features = Readonly<Record<string, Manifest>>
export type Slices = Readonly<Record<string, z.ZodType>>

/** The parsed configuration, flat: every slice under its dotted path. */
export type ConfigOf<F extends Features> = SlicesOf<F[keyof F]>

/**
 * The slices of all features under one roof.
 *
 * A slice may lie inside another one (`authentication_backend.file.password` in `authentication_backend.file`): it is
 * cut out before the outer one is read.
 * @throws TypeError when two features claim the same key, whole or in part
 */
export function slicesOf(features: Features): Slices {
  const slices: Record<string, z.ZodType> = {}
  const owners = new Map<string, string>()
  for (const [feature, { config = {} }] of Object.entries(features)) {
    for (const [path, schema] of Object.entries(config)) {
      const owner = owners.get(path)
      if (owner !== undefined)
        throw new TypeError(
          `the configuration key ${path} is claimed by ${owner} and by ${feature}`,
        )
      owners.set(path, feature)
      slices[path] = schema
    }
  }
  for (const [path, schema] of Object.entries(slices)) {
    const inner = innerSlices(path, slices)
    if (inner.length === 0) continue
    const own = new Set([...patternsOf(knownOf({ [path]: schema }))].map(({ pattern }) => pattern))
    for (const name of inner) {
      if (own.has(name))
        throw new TypeError(
          `the configuration key ${name} is claimed by ${owners.get(path)} (in ${path}) and by ${owners.get(name)}`,
        )
    }
  }
  return slices
}

/** The slices that lie inside this one. */
export const innerSlices = (path: string, slices: Slices): string[] =>
  Object.keys(slices).filter((other) => other.startsWith(`${path}.`))
