/** Authelia's file of opaque identifiers (`storage user identifiers export`). */
import { z } from 'zod'
import { OperatorError } from '../../kernel/operator-error.ts'
import { parseIdentifier, SERVICES } from './identifier.ts'
import type { OpaqueIdentifier } from './store.ts'

const Identifier = z.string().transform((text, context) => {
  const identifier = parseIdentifier(text)
  if (identifier !== undefined) return identifier
  context.addIssue('is no random UUID (version 4)')
  return z.NEVER
})
const Row = z
  .object({
    service: z.enum(SERVICES),
    sector_id: z.string().max(255).default(''),
    username: z.string().min(1).max(1000),
    identifier: Identifier,
  })
  .transform(
    ({ service, sector_id: sector, username: user, identifier }): OpaqueIdentifier => ({
      ...{ service, sector, user, identifier },
    }),
  )
const Exported = z.object({ identifiers: z.array(Row) })

export async function identifiersYaml(all: readonly OpaqueIdentifier[]): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify({
    identifiers: all.map(({ service, sector, user, identifier }) => ({
      service,
      sector_id: sector,
      username: user,
      identifier,
    })),
  })
}

/** @throws OperatorError */
export async function readIdentifiers(text: string): Promise<readonly OpaqueIdentifier[]> {
  const read = Exported.safeParse(await parsed(text))
  if (!read.success) {
    const [issue] = read.error.issues
    throw new OperatorError(`${issue?.path.join('.') || 'the file'}: ${issue?.message}`)
  }
  return read.data.identifiers
}

/** A row as Authelia's table and file have it. @returns undefined for what is none */
export const readIdentifier = (row: unknown): OpaqueIdentifier | undefined =>
  Row.safeParse(row).data

async function parsed(text: string): Promise<unknown> {
  const { parse } = await import('yaml')
  try {
    return parse(text, { maxAliasCount: 0 })
  } catch (error) {
    throw new OperatorError(
      `the file is no YAML: ${error instanceof Error ? error.message.split('\n')[0] : ''}`,
      undefined,
      { cause: error },
    )
  }
}
