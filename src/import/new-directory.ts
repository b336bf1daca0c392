/** A directory that appears whole or not at all: made under another name beside its place, and renamed. */
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { fsyncDirectorySync } from '../files/directory-sync.ts'
import { OperatorError } from '../kernel/operator-error.ts'

/** @throws OperatorError when there is something in its place that must not be replaced */
export function refuseTaken(path: string, force: boolean): void {
  if (!existsSync(path)) return
  if (!statSync(path).isDirectory()) throw new OperatorError(`${path} is no directory`)
  if (readdirSync(path).length > 0 && !force)
    throw new OperatorError(
      `${path} exists already and is not empty`,
      'nothing was written; give another one, or --force: the former is kept under another name',
    )
}

/**
 * @param fill writes into the directory that it is given
 * @returns where the former one is now; undefined: there was none
 */
export async function makeDirectory(
  path: string,
  force: boolean,
  fill: (draft: string) => Promise<void>,
): Promise<string | undefined> {
  refuseTaken(path, force)
  mkdirSync(dirname(path), { recursive: true })
  const suffix = randomBytes(4).toString('hex')
  const draft = `${path}.draft-${suffix}`
  mkdirSync(draft, { mode: 0o700 })
  try {
    await fill(draft)
    fsyncDirectorySync(draft)
    const former = putAside(path, suffix)
    renameSync(draft, path)
    fsyncDirectorySync(dirname(path))
    return former
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function putAside(path: string, suffix: string): string | undefined {
  if (!existsSync(path)) return undefined
  if (readdirSync(path).length === 0) {
    rmdirSync(path)
    return undefined
  }
  const former = `${path}.before-${suffix}`
  renameSync(path, former)
  return former
}
