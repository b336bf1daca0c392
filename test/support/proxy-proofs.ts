/**
 * What has to be true of an app behind any proxy that was given our snippet: one list, run against each real proxy.
 *
 * A proxy that can't keep one says so in its table, with the reason; then the proof has to fail, so that the table stays
 * true, and docs/guides/proxies.md shows it.
 */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { drillProxy } from '../drills/proxy-run.ts'
import { suiteCleanup } from './cleanup.ts'
import { CLAIM_PROOFS } from './proofs/claims.ts'
import { CLOSED_PROOFS } from './proofs/closed.ts'
import { DOMAIN_PROOFS } from './proofs/domains.ts'
import { IDENTITY_PROOFS } from './proofs/identity.ts'
import { OWN_PROOFS } from './proofs/own-names.ts'
import { PATH_PROOFS } from './proofs/paths.ts'
import { PORTAL_PROOFS } from './proofs/portal.ts'
import {
  DEFAULT,
  type Names,
  OWN,
  openScene,
  type Proof,
  type Scene,
  type StartProxy,
  TWO,
} from './proofs/scene.ts'
import { SIGN_IN_PROOFS } from './proofs/sign-in.ts'
import { TUNNEL_PROOFS } from './proofs/tunnels.ts'

/** As many as a test has time for; `npm run drill:proxies` asks more. */
const MIXTURES = 100

/** In the order in which they run; the last one stops the server. */
export const PROOFS = {
  ...SIGN_IN_PROOFS,
  ...IDENTITY_PROOFS,
  ...CLAIM_PROOFS,
  ...PATH_PROOFS,
  ...TUNNEL_PROOFS,
  ...PORTAL_PROOFS,
  ...CLOSED_PROOFS,
} as const satisfies Readonly<Record<string, Proof>>

/** With a server of its own, whose questions are written down. */
export const FORWARDED_PROOFS = {
  forwarded: {
    title:
      'of more than a thousand hostile requests over HTTP/1 and HTTP/2, the app receives those alone that were judged and allowed, and exactly as they were judged',
  },
} as const

export { DOMAIN_PROOFS, OWN_PROOFS }

export type ProofId =
  | keyof typeof PROOFS
  | keyof typeof OWN_PROOFS
  | keyof typeof DOMAIN_PROOFS
  | keyof typeof FORWARDED_PROOFS

/** What a proxy can't, each with the reason, for the table in docs/guides/proxies.md. */
export type Cannot = Readonly<Partial<Record<ProofId, string>>>

export interface ProxyUnderTest {
  readonly name: string
  /** Why it can't run here; undefined when it can. */
  readonly missing: string | undefined
  readonly cannot: Cannot
  readonly start: StartProxy
  /** Starts it so that its port takes HTTP/2 without TLS; undefined where it cannot. */
  readonly http2?: StartProxy
}

/** Every proof against one proxy. */
export function proveProxy(proxy: ProxyUnderTest): void {
  const { name, missing, cannot, start } = proxy
  prove(`${name} with our snippet`, PROOFS, DEFAULT)
  prove(`${name} with our snippet for other names`, OWN_PROOFS, OWN)
  prove(`${name} with our snippet for two cookie domains`, DOMAIN_PROOFS, TWO)
  test(`${name}: ${FORWARDED_PROOFS.forwarded.title}`, { skip: missing }, async (t) => {
    const report = await drillProxy(t, proxy, { seed: 1, size: MIXTURES })
    assert.deepEqual(report.wrong, [])
    // Without many of each it has shown nothing.
    assert.ok(report.passed > 100 && report.refused > 500, JSON.stringify(report))
    if (!('own-405' in cannot)) assert.equal(report.unjudgeable, 0)
  })

  function prove(title: string, proofs: Readonly<Record<string, Proof>>, names: Names): void {
    suite(title, { skip: missing }, () => {
      let scene: Scene
      const t = suiteCleanup()

      before(async () => {
        scene = await openScene(t, start, names)
      })

      for (const [id, { title, prove }] of Object.entries(proofs)) {
        // Of the ids, those that a proxy can't have a reason.
        const reason = cannot[id as ProofId]
        if (reason === undefined) test(title, () => prove(scene))
        else
          test(`NOT: ${title} (${reason})`, async () => {
            await assert.rejects(prove(scene), assert.AssertionError)
          })
      }
    })
  }
}
