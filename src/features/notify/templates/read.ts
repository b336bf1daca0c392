/** Templates of a folder, over the built-in ones. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../../../kernel/operator-error.ts'
import type { Kind } from '../notification.ts'
import { BUILTIN } from './builtin.ts'
import { FORMATS, type Format, TEMPLATES } from './kinds.ts'
import { TemplateFault } from './lex.ts'
import { type Node, parseTemplate } from './parse.ts'

export type Templates = Readonly<Record<Kind, Readonly<Record<Format, readonly Node[]>>>>

export interface TemplateProblem {
  readonly file: string
  /** From 1; undefined: the file itself. */
  readonly line?: number
  readonly problem: string
}

/** A larger one is no template. */
const MOST_BYTES = 1024 * 1024

/** Those of `folder` where it has them; undefined: the built-in ones. `problems` names every file that cannot be used. */
export function readTemplates(folder: string | undefined): {
  readonly templates: Templates
  readonly problems: readonly TemplateProblem[]
} {
  const problems: TemplateProblem[] = []
  const one = (kind: Kind, format: Format): readonly Node[] => {
    const { name, fields } = TEMPLATES[kind]
    const builtin = () => parseTemplate(BUILTIN[kind][format], fields)
    if (folder === undefined) return builtin()
    const file = join(folder, `${name}.${format}`)
    try {
      const text = readFileSync(file, 'utf8')
      if (text.length > MOST_BYTES) problems.push({ file, problem: 'is too large for a template' })
      else return parseTemplate(text, fields)
    } catch (error) {
      if (error instanceof TemplateFault)
        problems.push({ file, line: error.line, problem: error.message })
      else if (systemCode(error) === '') throw error
      else if (systemCode(error) !== 'ENOENT')
        problems.push({ file, problem: `cannot be read (${systemCode(error)})` })
    }
    return builtin()
  }
  const both = (kind: Kind) => {
    const [txt, html] = FORMATS.map((format) => one(kind, format))
    return { txt: txt ?? [], html: html ?? [] }
  }
  const templates = {
    event: both('event'),
    identity_verification_otc: both('identity_verification_otc'),
    identity_verification_jwt: both('identity_verification_jwt'),
  }
  return { templates, problems }
}
