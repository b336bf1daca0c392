import { z } from 'zod'
import { parseNetwork } from '../../kernel/cidr.ts'
import { type ConfigReport, defineManifest, type Explicit } from '../../kernel/feature.ts'
import { oneOrMany, scalarMeta } from '../../kernel/scalars.ts'
import { Definitions } from './definitions.ts'
import { domainWarning } from './domain-warning.ts'
import { type Pattern, parsePattern } from './pattern/index.ts'
import { pattern } from './pattern-text.ts'
import { condition } from './query-condition.ts'

/** From the least to the most strict. */
export const POLICIES = ['bypass', 'one_factor', 'two_factor', 'deny'] as const
export type Policy = (typeof POLICIES)[number]

/** RFC 9110's methods and WebDAV's (RFC 4918, RFC 5789), as Authelia knows them. */
const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'TRACE',
  'CONNECT',
  'OPTIONS',
  'COPY',
  'LOCK',
  'MKCOL',
  'MOVE',
  'PROPFIND',
  'PROPPATCH',
  'UNLOCK',
] as const

const policy = () => z.enum(POLICIES)

/** What a rule asks for: left empty, it must not count as not asked. */
function criterion<S extends z.ZodType>(schema: S): S {
  scalarMeta.add(schema, { criterion: true })
  return schema
}

/** A list that is there has something in it: an empty one would ask nothing where a restriction was meant. */
const some = <S extends z.ZodType>(item: S) =>
  criterion(
    oneOrMany(item).refine((list) => list.length > 0, {
      error: 'is an empty list',
      params: { allowed: 'at least one value, or no such key' },
    }),
  )

const holder = () =>
  z.string().refine((text) => /^(?:user|group|oauth2:client):./su.test(text), {
    error: 'names neither a user, a group nor a client',
    params: { allowed: "'user:john', 'group:admins', 'oauth2:client:grafana'" },
  })

/** `a`, `[a, b]` and `[[a, b], c]` all become lists of lists: any of the outer, all of the inner. */
const subject = () =>
  criterion(
    z.union([
      holder().transform((one) => [[one]]),
      z
        .array(z.union([holder().transform((one) => [one]), z.array(holder()).min(1)]))
        .refine((list) => list.length > 0, {
          error: 'is an empty list',
          params: { allowed: 'at least one subject, or no such key' },
        }),
    ]),
  )

const methods = () =>
  some(z.string().toUpperCase().pipe(z.enum(METHODS))).superRefine((list, context) => {
    for (const [index, method] of list.entries()) {
      if (list.indexOf(method) === index) continue
      context.addIssue({
        code: 'custom',
        input: method,
        path: [index],
        message: `names ${method} a second time`,
        params: { allowed: 'each method once' },
      })
    }
  })

const rule = z
  .strictObject({
    title: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Names the application on the portal, for those who may open it.'),
    icon: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe(
        'A picture for it, a file: svg, png, webp, jpg, gif or ico, 256 KiB at most. Without it the initials of its title are shown.',
      ),
    domain: some(z.string().min(1).max(255))
      .optional()
      .describe(
        'Hosts: `app.example.com`; `*.example.com` (any depth, not `example.com` itself); `{user}.example.com` and `{group}.example.com`, the names of the user and of one of their groups. A rule needs this or `domain_regex`.',
      ),
    domain_regex: some(pattern())
      .optional()
      .describe(
        'Hosts by pattern, in lower case. Groups named `User` and `Group` must be the name and a group of the user.',
      ),
    policy: policy().describe('What the rule demands.'),
    subject: subject()
      .optional()
      .describe(
        'Who: `user:…`, `group:…`, `oauth2:client:…`. Any of a list; of a list within it, all. A client that is not signed in matches, so that it is asked to sign in.',
      ),
    networks: some(z.string().min(1))
      .optional()
      .describe('Where from: addresses, CIDR, names under `definitions.network`.'),
    resources: some(pattern())
      .optional()
      .describe(
        'What: patterns that look for the decoded, cleaned path with the query behind it. Groups named `User` and `Group` as in `domain_regex`.',
      ),
    methods: methods().optional().describe('HTTP methods.'),
    query: z
      .array(z.array(condition).min(1))
      .min(1)
      .optional()
      .describe('Conditions on the query: any of the lists, all conditions of it.'),
  })
  .superRefine((written, context) => {
    if (written.domain === undefined && written.domain_regex === undefined)
      context.addIssue({
        code: 'custom',
        input: written,
        path: ['domain'],
        message: 'is missing, and so is domain_regex: the rule is about no host',
        params: { allowed: "a host, such as 'app.example.com' or '*.example.com'" },
      })
    const asking = written.policy === 'bypass' ? whatAsksWho(written) : undefined
    if (asking !== undefined)
      context.addIssue({
        code: 'custom',
        input: written,
        path: [asking],
        message: 'depends on who the user is, and `policy: bypass` asks no user to sign in',
        params: { allowed: '`policy: one_factor`, or a rule that does not ask' },
      })
  })
export type AccessRule = z.infer<typeof rule>

export const AccessControl = z
  .strictObject({
    default_policy: policy().default('deny').describe('What holds where no rule matches.'),
    rules: z
      .array(rule)
      .default([])
      .describe('The first rule that matches holds. All criteria of a rule must match.'),
  })
  .prefault({})
export type AccessControl = z.infer<typeof AccessControl>

/** The criterion by which a rule asks for the user, if it does. */
function whatAsksWho(written: AccessRule): 'subject' | 'domain' | 'domain_regex' | undefined {
  if (written.subject !== undefined) return 'subject'
  if (written.domain?.some((text) => /^\{(?:user|group)\}/i.test(text))) return 'domain'
  return written.domain_regex?.some(isNamed) ? 'domain_regex' : undefined
}

function isNamed(source: string): boolean {
  return namedIn(source) !== undefined
}

function namedIn(source: string): Pattern['named'] {
  const parsed = parsePattern(source)
  return parsed.ok ? parsed.pattern.named : undefined
}

function check(
  {
    access_control: control,
    definitions,
  }: { readonly access_control: AccessControl; readonly definitions: Definitions },
  report: ConfigReport,
  explicit: Explicit,
): void {
  const named = Object.keys(definitions.network)
  if (control.rules.length === 0) checkEmpty(control, report, explicit)
  for (const [index, written] of control.rules.entries()) {
    const path = ['access_control', 'rules', index]
    for (const { at, holder } of holdersOf(written)) {
      if (holder.startsWith('oauth2:client:'))
        report.warn(
          [...path, 'subject', ...at],
          'matches nothing yet: there are no OAuth 2.0 clients',
        )
    }
    for (const [at, text] of (written.networks ?? []).entries()) {
      if (named.includes(text) || parseNetwork(text) !== undefined) continue
      const names = named.length === 0 ? 'a name that definitions.network has' : named.join(', ')
      const hint = `an address, a CIDR, ${names}`
      report.fault([...path, 'networks', at], 'is no network and no name of one', hint)
    }
    for (const [at, text] of (written.domain ?? []).entries()) {
      const warning = domainWarning(text)
      if (warning !== undefined) report.warn([...path, 'domain', at], warning)
    }
    for (const [at, source] of (written.resources ?? []).entries()) {
      if (written.policy !== 'bypass' || !isNamed(source)) continue
      report.warn(
        [...path, 'resources', at],
        'has a group named User or Group, which `policy: bypass` never compares: everybody is let in',
      )
    }
  }
}

/** Each `user:…`, `group:…` or `oauth2:client:…` of a rule, and where it stands below `subject`. */
function* holdersOf({ subject = [] }: AccessRule): Generator<{
  readonly at: readonly number[]
  readonly holder: string
}> {
  for (const [i, all] of subject.entries()) {
    // A single one and a list of one are the same by now: the place of the outer is right for both.
    for (const [j, holder] of all.entries()) yield { at: all.length > 1 ? [i, j] : [i], holder }
  }
}

function checkEmpty(control: AccessControl, report: ConfigReport, explicit: Explicit): void {
  const { default_policy: everywhere } = control
  if (everywhere === 'deny' || everywhere === 'bypass')
    report.fault(
      ['access_control', 'rules'],
      everywhere === 'deny'
        ? 'is empty while default_policy is deny: no user could open anything'
        : 'is empty while default_policy is bypass: everything would be open to all',
      'at least one rule, or default_policy: one_factor',
    )
  else if (explicit(['access_control']))
    report.warn(['access_control', 'rules'], `is empty: ${everywhere} holds everywhere`)
}

export default defineManifest({
  config: { access_control: AccessControl, definitions: Definitions },
  live: ['access_control', 'definitions'],
  check,
})
