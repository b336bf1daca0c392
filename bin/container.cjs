#!/usr/bin/env node
/**
 * The image's entry: never runs the server as root. Started as root, which is the image's default, it becomes the owner of
 * the data directory, so that a bind mount needs no chown; one that root owns (docker made it) is handed to `node` first.
 * Started with --user it changes nothing.
 */
'use strict'
const { chownSync, lchownSync, readdirSync, statSync } = require('node:fs')
const { join } = require('node:path')

/** The user `node` of the base image. */
const NODE = { uid: 1000, gid: 1000 }

function refuse(message, hint) {
  process.stderr.write(`vestibule: ${message}\n  ${hint}\n`)
  process.exit(1)
}

/** Whom to run as. PUID and PGID would be read here. */
function ownerOf(directory) {
  const { uid, gid } = statSync(directory)
  return uid === 0 ? NODE : { uid, gid }
}

/** Only called where root owns the directory: no other user could have put a link into it. */
function handOver(directory, { uid, gid }) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) handOver(path, { uid, gid })
    else lchownSync(path, uid, gid)
  }
  chownSync(directory, uid, gid)
}

function dropRoot() {
  const data = process.env.VESTIBULE_DATA_DIRECTORY || '/data'
  let owner
  try {
    owner = ownerOf(data)
    if (statSync(data).uid === 0) handOver(data, owner)
  } catch (error) {
    refuse(
      `${data} cannot be handed to the user node (${error.code})`,
      'start the container with --user and give that user the directory, or allow the capabilities CHOWN, DAC_OVERRIDE, SETGID and SETUID',
    )
  }
  try {
    process.setgroups([])
    process.setgid(owner.gid)
    process.setuid(owner.uid)
    process.env.HOME = '/tmp'
  } catch (error) {
    refuse(
      `root cannot be given up (${error.code})`,
      'start the container with --user, or allow the capabilities SETGID and SETUID',
    )
  }
}

if (process.geteuid() === 0) dropRoot()
void import(require('node:url').pathToFileURL(join(__dirname, '..', 'dist', 'main.js')).href)
