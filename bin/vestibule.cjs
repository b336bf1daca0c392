#!/usr/bin/env node
/**
 * The command `vestibule`, in JavaScript that any Node reads: runs the server's code on Node 24, which is this Node or the
 * one of the package vestibule-node, and in a checkout the bundle of src/ where there is a current one.
 */
'use strict'
const { spawn } = require('node:child_process')
const { existsSync } = require('node:fs')
const { join } = require('node:path')

const NEEDED = 24
const root = join(__dirname, '..')

/** What runs: dist/ of a package or an image; in a checkout what src/ says now. */
function entry() {
  if (!existsSync(join(root, 'src', 'main.ts'))) return join(root, 'dist', 'main.js')
  return require('../.ci/checkout.cjs').entry()
}

/** The Node of vestibule-node, which npm installs where its own Node is older. */
function bundledNode() {
  const names = [
    `node-${process.platform}-${process.arch}`,
    `node-bin-${process.platform}-${process.arch}`,
  ]
  const paths = [root]
  try {
    paths.unshift(require.resolve('vestibule-node/package.json', { paths: [root] }))
  } catch {
    // Its binary may be here all the same.
  }
  for (const name of names) {
    try {
      return join(require.resolve(`${name}/package.json`, { paths }), '..', 'bin', 'node')
    } catch {
      // Not for this machine.
    }
  }
  return undefined
}

function runWith(node) {
  const child = spawn(node, [entry(), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // A terminal sends Ctrl-C to both; a second one would end the server at once.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  child.on('error', (error) => {
    process.stderr.write(`vestibule: ${node} cannot be run (${error.code})\n`)
    process.exitCode = 1
  })
  child.on('exit', (status) => {
    process.exitCode = status === null ? 1 : status
  })
}

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  void import(require('node:url').pathToFileURL(entry()).href)
} else {
  const node = bundledNode()
  if (node !== undefined) runWith(node)
  else {
    process.stderr.write(
      `vestibule: needs Node ${NEEDED} or newer, and this is ${process.versions.node}; install it from https://nodejs.org/, or run: npm install vestibule-node\n`,
    )
    process.exitCode = 1
  }
}
