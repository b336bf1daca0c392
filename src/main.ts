#!/usr/bin/env node
/** The process: hands arguments, environment and standard streams to the command line, and ends with its status. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keepTickObject } from './server/tick-object.ts'

/**
 * Keeps compiled code: beside dist/ what was built, beside the packages what runs from src/. A user who can write there can
 * run code as us, so it has to be a place where that is so already: root's or ours, and writable by no other user. Anywhere else
 * there is no cache, only a slower start.
 */
function cacheCompiledCode(): void {
  const isBuilt = !import.meta.filename.endsWith('.ts')
  const home = fileURLToPath(new URL(isBuilt ? '.' : '../node_modules/.cache', import.meta.url))
  const cache = join(home, isBuilt ? '.cache' : 'vestibule')
  try {
    if (!existsSync(cache)) mkdirSync(cache, { recursive: true, mode: 0o700 })
    if (isTrusted(home) && isTrusted(cache)) enableCompileCache(cache)
  } catch {
    // Not ours to write to, and nothing was put there.
  }
}

function isTrusted(directory: string): boolean {
  const { uid, mode } = statSync(directory)
  return (uid === 0 || uid === process.geteuid?.()) && (mode & 0o022) === 0
}

// Before anything makes enough garbage for a major collection.
keepTickObject()
cacheCompiledCode()
// Hashing takes at most the cores less one of libuv's threads (hashing.concurrency); files must never wait for them.
process.env['UV_THREADPOOL_SIZE'] ??= String(availableParallelism() + 4)
// A reader that goes away (`… | head`) is no failure of ours; the log has its own ears for it.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

// Loaded only now, so that the cache holds it.
const { run } = await import('./cli/index.ts')
process.exitCode = await run({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
})

// Whatever is still open must not keep a finished command alive; what it printed has to get out first.
const leave = (): void => {
  if (process.stdout.writableLength === 0) process.exit()
  process.stdout.once('drain', leave)
}
setTimeout(leave, 2_000).unref()
