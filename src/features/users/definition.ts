import type { BaseLogger } from 'pino'
import type { z } from 'zod'
import type { Clock } from '../../kernel/clock.ts'
import type { ConfigPath, ConfigReport, StartPlace, StartReport } from '../../kernel/feature.ts'
import type { Storage } from '../../storage/index.ts'
import type { UserBackend } from './backend.ts'

/** What every backend is opened with, beside its own part of the configuration. */
export interface BackendTools {
  readonly place: StartPlace
  /** `identity_headers.separator`: no group may hold it. */
  readonly separator: string
  /** The databases, for a backend that keeps its users there. */
  readonly storage: Storage
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

/** The part of a backend that is configured. */
type Part<Schema extends z.ZodType> = NonNullable<z.infer<Schema>>

type AnyConfig = Readonly<Record<string, unknown>>

/** How a backend is configured, checked and opened. Loaded with the configuration: what is costly is imported later. */
export interface BackendDefinition<Key extends string, Schema extends z.ZodType> {
  /** Where its part of the configuration is: `authentication_backend.file`. Without that part it is not opened. */
  readonly key: Key
  readonly schema: Schema
  /** It is used where no other one is configured. */
  readonly isDefault?: true
  /** Checks several keys of the part together. */
  check?(config: Part<Schema>, report: ConfigReport, explicit: (path: ConfigPath) => boolean): void
  /** Looks at what the opening depends on, and changes nothing. */
  look?(
    config: Part<Schema>,
    tools: Pick<BackendTools, 'place' | 'separator'>,
    report: StartReport,
  ): Promise<void>
  /** @throws OperatorError when its users cannot be read; the message names every fault with its place */
  open(config: Part<Schema>, tools: BackendTools): Promise<UserBackend>
}

/** A definition that takes its own part out of the whole configuration: definitions can be a list. */
export function defineBackend<const Key extends string, Schema extends z.ZodType>(
  definition: BackendDefinition<Key, Schema>,
) {
  const { key, schema } = definition
  // The part was parsed by the schema that stands beside its key.
  const partOf = (config: AnyConfig) => config[key] as Part<Schema> | undefined
  return {
    key,
    schema,
    isDefault: definition.isDefault === true,
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
