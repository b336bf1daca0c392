/** The command of an operation that has no file of its own: options from its input, a table or JSON from its output. */
import { z } from 'zod'
import type { AnyOperation } from '../kernel/operation.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'
import { splitList } from './lists.ts'
import { formatTable } from './table.ts'

/** Of a key of an input, what its option needs; from its JSON schema. */
const Key = z.object({
  type: z.enum(['string', 'number', 'integer', 'boolean', 'array']),
  items: z.object({ type: z.literal('string') }).optional(),
  description: z.string().default(''),
})
const Keys = z.object({
  properties: z.record(z.string(), Key),
  required: z.array(z.string()).default([]),
})

/** An input that is no flat object is written as JSON. */
export function configureFor(operation: AnyOperation<never>): Configure {
  const keys = Keys.safeParse(
    z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' }),
  )
  return (command, cli) => {
    command.option('--json', 'print JSON')
    if (!keys.success) {
      command.requiredOption('--input <json>', 'what is asked for')
      command.action(() => call(cli, operation, parsed(command.opts()['input']), command.opts()))
      return
    }
    const { properties, required } = keys.data
    for (const [key, { type, description }] of Object.entries(properties)) {
      const flag = type === 'boolean' ? `--${dashed(key)}` : `--${dashed(key)} <${WORDS[type]}>`
      if (required.includes(key) && type !== 'boolean') command.requiredOption(flag, description)
      else command.option(flag, description)
    }
    command.action(() => {
      const given = command.opts()
      const input = Object.fromEntries(
        Object.entries(properties).flatMap(([key, { type }]) => {
          const value = type === 'boolean' ? given[key] === true : given[key]
          return value === undefined ? [] : [[key, READ[type](value)]]
        }),
      )
      return call(cli, operation, input, given)
    })
  }
}

const WORDS = { string: 'text', number: 'number', integer: 'number', array: 'list' } as const
const READ = {
  string: String,
  boolean: Boolean,
  number: Number,
  integer: Number,
  array: (text: unknown) => splitList(String(text)),
} as const

const dashed = (key: string): string => key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    throw new OperatorError('--input is no JSON')
  }
}

async function call(
  cli: Cli,
  operation: AnyOperation<never>,
  given: unknown,
  { json }: { readonly json?: true },
): Promise<void> {
  const input = operation.input.safeParse(given)
  if (!input.success) throw operatorErrorOf(input.error)
  const answer = await callOperation(cli, operation, given)
  if (answer === undefined) return
  const rows = z.array(z.record(z.string(), z.unknown())).safeParse(answer)
  if (json || !rows.success) cli.print(`${JSON.stringify(answer, null, 2)}\n`)
  else cli.print(tableOf(rows.data))
}

function operatorErrorOf({ issues: [issue] }: z.ZodError): OperatorError {
  const key = issue?.path.join('.') ?? ''
  const text = (issue?.message ?? '').replace(/\.$/, '')
  return new OperatorError(key === '' ? text : `--${dashed(key)}: ${text}`)
}

function tableOf(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cell = (value: unknown) =>
    typeof value === 'object' ? JSON.stringify(value) : String(value ?? '')
  return formatTable(
    keys.map((key) => dashed(key).replaceAll('-', ' ').toUpperCase()),
    rows.map((row) => keys.map((key) => cell(row[key]))),
  )
}
