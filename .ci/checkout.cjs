/**
 * What `npm start` runs in a checkout: the bundle of src/, which starts in half the time, as long as nothing that went into
 * it has changed since; otherwise src/main.ts, while a bundle is made for the next time.
 */
'use strict'
const { spawn } = require('node:child_process')
const { createHash } = require('node:crypto')
const { accessSync, constants, readFileSync, statSync } = require('node:fs')
const { join } = require('node:path')

const root = join(__dirname, '..')
const cache = join(root, 'node_modules', '.cache', 'vestibule-bundle')

/** What a file of ours says; a file that npm installed is the same as long as its size and times are. */
function mark(path) {
  const file = join(root, path)
  if (!path.startsWith('node_modules/')) {
    return createHash('sha256').update(readFileSync(file)).digest('base64')
  }
  const { size, mtimeMs, ctimeMs } = statSync(file)
  return `${size} ${mtimeMs} ${ctimeMs}`
}

/** Code that another user may have written is not run. */
function isOursAlone(directory) {
  const { uid, mode } = statSync(directory)
  accessSync(directory, constants.W_OK)
  return uid === process.geteuid() && (mode & 0o022) === 0
}

/** @returns the bundle's main module if it is what src/ says now */
function current() {
  try {
    if (!isOursAlone(join(root, 'node_modules')) || !isOursAlone(cache)) return undefined
    const { directory, marks } = JSON.parse(readFileSync(join(cache, 'current.json'), 'utf8'))
    if (!isOursAlone(join(cache, directory))) return undefined
    for (const [path, text] of Object.entries(marks)) {
      if (mark(path) !== text) return undefined
    }
    return join(cache, directory, 'main.js')
  } catch {
    // There is none yet, a file is gone, or this system has no users.
    return undefined
  }
}

function entry() {
  const main = current()
  if (main !== undefined) return main
  // Apart from this process, and after everything else that wants the processor.
  spawn(process.execPath, [join(__dirname, 'checkout.ts')], {
    cwd: root,
    detached: true,
    stdio: 'ignore',
  })
    .on('error', () => {})
    .unref()
  return join(root, 'src', 'main.ts')
}

module.exports = { cache, current, entry, isOursAlone, mark }
