import { z } from 'zod'
import { slicesOf } from '../config/index.ts'
import { features } from '../features.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command.action(() => cli.print(`${JSON.stringify(configSchema(), null, 2)}\n`))
}

type Node = Record<string, unknown>

/**
 * The JSON schema (draft 7, which editors read) of what a configuration file may say. Keys of Authelia's that have no
 * effect here yet are accepted by the server, but not known to the schema.
 */
export function configSchema(): Node {
  const root: Node = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Vestibule configuration',
    ...emptyObject(),
  }
  // Outer slices first: an inner one is put into what the outer one made.
  const slices = Object.entries(slicesOf(features)).sort(([a], [b]) => depth(a) - depth(b))
  for (const [path, schema] of slices) {
    const { $schema: _, ...node } = z.toJSONSchema(schema, {
      target: 'draft-7',
      io: 'input',
      unrepresentable: 'any',
    })
    place(root, path.split('.'), node)
  }
  return root
}

const depth = (path: string): number => path.split('.').length
const emptyObject = (): Node => ({ type: 'object', properties: {}, additionalProperties: false })

function place(node: Node, [key = '', ...rest]: readonly string[], leaf: Node): void {
  const properties = propertiesOf(node)
  if (rest.length === 0) {
    properties[key] = leaf
    return
  }
  const existing = properties[key]
  const next = isNode(existing) ? existing : emptyObject()
  properties[key] = next
  place(next, rest, leaf)
}

function propertiesOf(node: Node): Node {
  const existing = node['properties']
  const properties = isNode(existing) ? existing : {}
  node['properties'] = properties
  return properties
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null
