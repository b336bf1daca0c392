/** What the sources declare: names of tests, and names of everything else. Parsed, never run. */
import { existsSync, readFileSync } from 'node:fs'
import ts from 'typescript'

export interface Declared {
  readonly name: string
  readonly line: number
}

export function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, false)
}

const lineOf = (source: ts.SourceFile, position: number): number =>
  source.getLineAndCharacterOfPosition(position).line + 1

/** Names of the tests and suites of a file, as they are written: `${…}` stays. */
export function testsIn(file: string): ReadonlySet<string> {
  const names = new Set<string>()
  if (!existsSync(file)) return names
  const source = parse(file)
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTest(node.expression)) {
      const [first] = node.arguments
      if (first !== undefined && (ts.isStringLiteralLike(first) || ts.isTemplateExpression(first)))
        names.add(ts.isStringLiteralLike(first) ? first.text : first.getText(source).slice(1, -1))
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return names
}

const isTest = (callee: ts.Expression): boolean =>
  ts.isIdentifier(callee)
    ? /^(test|it|describe|suite)$/.test(callee.text)
    : ts.isPropertyAccessExpression(callee) && isTest(callee.expression)

/** Every name that a file declares, at whatever depth: variables, parameters, functions, types, members. */
export function declaredIn(source: ts.SourceFile): readonly Declared[] {
  const names: Declared[] = []
  const visit = (node: ts.Node): void => {
    const name = declaredName(node)
    if (name !== undefined)
      names.push({ name: name.text, line: lineOf(source, name.getStart(source)) })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return names
}

function declaredName(node: ts.Node): ts.Identifier | undefined {
  if (
    !ts.isVariableDeclaration(node) &&
    !ts.isParameter(node) &&
    !ts.isBindingElement(node) &&
    !ts.isFunctionLike(node) &&
    !ts.isClassLike(node) &&
    !ts.isInterfaceDeclaration(node) &&
    !ts.isTypeAliasDeclaration(node) &&
    !ts.isPropertySignature(node) &&
    !ts.isPropertyDeclaration(node)
  )
    return undefined
  const { name } = node
  return name !== undefined && ts.isIdentifier(name) ? name : undefined
}

/** The names that other files can import: declarations at the top of a file. */
export function topLevelIn(file: string): ReadonlySet<string> {
  const names = new Set<string>()
  if (!existsSync(file)) return names
  for (const statement of parse(file).statements) {
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations)
        if (ts.isIdentifier(name)) names.add(name.text)
    } else {
      const name = declaredName(statement)
      if (name !== undefined) names.add(name.text)
    }
  }
  return names
}

/** A piece of a source, and where it begins. */
export interface Passage {
  readonly text: string
  readonly line: number
}

/** The comments of a file, found by TypeScript's scanner, so that a `//` in a text is none. */
export function commentsIn(source: ts.SourceFile): readonly Passage[] {
  const comments = new Map<number, Passage>()
  const add = (ranges: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of ranges ?? [])
      comments.set(pos, { text: source.text.slice(pos, end), line: lineOf(source, pos) })
  }
  const visit = (node: ts.Node): void => {
    add(ts.getLeadingCommentRanges(source.text, node.getFullStart()))
    add(ts.getTrailingCommentRanges(source.text, node.getEnd()))
    ts.forEachChild(node, visit)
  }
  visit(source)
  add(ts.getLeadingCommentRanges(source.text, source.endOfFileToken.getFullStart()))
  return [...comments.values()]
}

/** The texts of a file: in quotes, and the fixed parts of templates. */
export function textsIn(source: ts.SourceFile): readonly Passage[] {
  const texts: Passage[] = []
  const visit = (node: ts.Node): void => {
    if (
      ts.isLiteralExpression(node) ||
      ts.isTemplateMiddleOrTemplateTail(node) ||
      ts.isTemplateHead(node)
    ) {
      const start = node.getStart(source)
      texts.push({ text: source.text.slice(start, node.end), line: lineOf(source, start) })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return texts
}
