/** The licences of the packages inside a bundle: their terms ask for the text to go along. */
import { globSync, readFileSync } from 'node:fs'
import type { Metafile } from 'esbuild'

export function licences(inputs: Metafile['inputs']): string {
  const folders = new Set(
    Object.keys(inputs).flatMap(
      (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
    ),
  )
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
      const [file] = globSync(`${folder}/{LICENSE,LICENCE,license,License,COPYING}*`)
      const text = file === undefined ? '' : `\n${readFileSync(file, 'utf8').trim()}\n`
      return `${name} ${version}: ${license}\n${text}`
    })
    .join(`\n${'-'.repeat(72)}\n\n`)
}
