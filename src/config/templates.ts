/** `{{ … }}` and `${NAME}`: refused where a filter was asked for that would replace them, else texts like any other. */
import { variableOf, variablesOf } from './environment.ts'
import { type Fault, type Notice, placeOf } from './faults.ts'
import { type Known, knownAt } from './known.ts'
import { formatPath } from './tree.ts'
import type { Template } from './yaml.ts'

/** A text that is read as it stands and was perhaps not meant so. */
export interface Doubtful {
  readonly source: string
  readonly path: string
  /** Said where the text is accepted. */
  readonly notice: Notice | undefined
  /** Said in place of what is wrong with the text; undefined: nothing is. */
  readonly fault: Fault | undefined
}

/** Whether it is to be reported. A variable is not, in a key of a feature that does not exist yet; a template always is. */
const isRead = (known: Known, { path, isVariable }: Template): boolean => {
  const key = knownAt(known, path)
  return !isVariable || key?.built === true || key?.nameOf !== undefined
}

export function doubtfulValues(templates: readonly Template[], known: Known): Doubtful[] {
  return templates
    .filter(({ isText, path }) => isText && knownAt(known, path) !== undefined)
    .map((template): Doubtful => {
      const { at, isVariable } = template
      const path = formatPath(template.path)
      const [fault] = templateFaults([template], known)
      const message = isVariable
        ? 'names a variable, and is read as it stands: variables in values are not replaced'
        : 'holds {{ … }}, and is read as it stands: template filters are not supported'
      const notice = fault && { ...placeOf(at), path, message }
      return { source: at.source, path, notice, fault }
    })
}

export function templateFaults(templates: readonly Template[], known: Known): Fault[] {
  const wrong = templates.filter((template) => isRead(known, template))
  if (wrong.length === 0) return []
  const variables = variablesOf(known)
  return wrong.map(({ path, at, isVariable }) => {
    const names = path.filter((step) => typeof step === 'string')
    const variable = names.length === path.length ? variableOf(names) : ''
    const secret = knownAt(known, path)?.leaf?.secret === true
    const instead = !variables.has(variable)
      ? path.length === 0
        ? 'the value itself, or a variable VESTIBULE_… (VESTIBULE_…_FILE for a secret)'
        : 'the value itself'
      : secret
        ? `the value itself, or ${variable}_FILE=/path/to/file, or ${variable}`
        : `the value itself, or the variable ${variable}`
    return {
      ...placeOf(at),
      path: formatPath(path),
      message: isVariable
        ? 'variables in values are not replaced'
        : 'template filters ({{ … }}) are not supported',
      allowed: instead,
    }
  })
}

/** With what there is to say of texts that look like templates: the template where the text is wrong, else a notice. */
export function withTemplates(
  doubtful: readonly Doubtful[],
  faults: readonly Fault[],
): { readonly faults: readonly Fault[]; readonly notices: readonly Notice[] } {
  if (doubtful.length === 0) return { faults, notices: [] }
  const keyOf = ({ source, path }: Pick<Fault, 'source' | 'path'>) => `${source}\n${path}`
  const texts = new Map(doubtful.map((one) => [keyOf(one), one]))
  const wrong = new Set(faults.map(keyOf).filter((key) => texts.has(key)))
  const isWrong = (one: Doubtful) => wrong.has(keyOf(one))
  return {
    faults: [
      ...faults.filter((fault) => !wrong.has(keyOf(fault))),
      ...doubtful.filter(isWrong).flatMap(({ fault }) => fault ?? []),
    ],
    notices: doubtful.filter((one) => !isWrong(one)).flatMap(({ notice }) => notice ?? []),
  }
}
