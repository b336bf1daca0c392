import type { BaseLogger } from 'pino'
import type { z } from 'zod'
import type { ConfigPath, ConfigReport, StartPlace, StartReport } from '../../kernel/feature.ts'
import type { UserBackend } from './backend.ts'

/** What every backend is opened with, beside its own part of the configuration. */
export interface BackendTools {
  readonly place: StartPlace
  /** `identity_headers.separator`: no group may hold it. */
  readonly separator: string
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

type AnyConfig = Readonly<Record<string, unknown>>

/** How a backend is configured, checked and opened. Loaded with the configuration: what is costly is imported later. */
export interface BackendDefinition<Key extends string, Schema extends z.ZodType> {
  /** Where its part of the configuration is: `authentication_backend.file`. Without that part it is not opened. */
  readonly key: Key
  readonly schema: Schema
  /** Checks several keys of the part together. */
  check?(
    config: z.infer<Schema>,
    report: ConfigReport,
    explicit: (path: ConfigPath) => boolean,
  ): void
  /** Looks at what the opening depends on, and changes nothing. */
  look?(
    config: z.infer<Schema>,
    tools: Pick<BackendTools, 'place' | 'separator'>,
    report: StartReport,
  ): Promise<void>
  /** @throws OperatorError when its users cannot be read; the message names every fault with its place */
  open(config: z.infer<Schema>, tools: BackendTools): Promise<UserBackend>
}

/** A definition that takes its own part out of the whole configuration: definitions can be a list. */
export function defineBackend<const Key extends string, Schema extends z.ZodType>(
  definition: BackendDefinition<Key, Schema>,
) {
  const { key, schema } = definition
  // The part was parsed by the schema that stands beside its key.
  const partOf = (config: AnyConfig) => config[key] as z.infer<Schema> | undefined
  return {
    key,
    schema,
    check(config: AnyConfig, report: ConfigReport, explicit: (path: ConfigPath) => boolean): void {
      const part = partOf(config)
      if (part !== undefined) definition.check?.(part, report, explicit)
    },
    async look(
      config: AnyConfig,
      tools: Pick<BackendTools, 'place' | 'separator'>,
      report: StartReport,
    ): Promise<void> {
      const part = partOf(config)
      if (part !== undefined) await definition.look?.(part, tools, report)
    },
    /** @returns undefined when it is not configured */
    async open(config: AnyConfig, tools: BackendTools): Promise<UserBackend | undefined> {
      const part = partOf(config)
      return part === undefined ? undefined : definition.open(part, tools)
    },
  }
}
