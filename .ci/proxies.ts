/** Writes the table of proofs into docs/guides/proxies.md; test/proxy-config/guide.test.ts fails when it is stale. */
import { readFileSync, writeFileSync } from 'node:fs'
import { proofTable } from '../test/support/proxies.ts'

const GUIDE = 'docs/guides/proxies.md'
const text = readFileSync(GUIDE, 'utf8')
writeFileSync(
  GUIDE,
  text.replace(
    /(<!-- proofs -->\n)[\s\S]*(<!-- \/proofs -->)/,
    (_, start: string, end: string) => `${start}${proofTable()}\n${end}`,
  ),
)
