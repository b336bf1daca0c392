import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Minter, verify } from '../sessions/redis-nodes.ts'
import { request } from '../support/server.ts'
import type { Random } from './random.ts'

/** From when on after its acknowledged end a session must be refused everywhere. Milliseconds. */
const HEARD = 350
/** How many sessions are about at once, of each kind. */
const CROWD = 200

interface Known {
  readonly cookie: string
  readonly key: string
  /** `unknown`: what was asked of it was never acknowledged, and may have happened or not. */
  state: 'alive' | 'over' | 'unknown'
  /** When its end was acknowledged. */
  endedAt: number
}

export interface Tally {
  verified: number
  refused: number
  signIns: number
  endings: number
  /** Answered with 2xx although nobody has the right. */
  withoutRight: number
  /** Acknowledged, and unknown afterwards. */
  lost: number
  /** Ended, acknowledged, and good again after everything had settled. */
  undone: number
}

export interface Crowd {
  readonly tally: Tally
  /** The longest time in which a node answered 2xx to nobody, since it was last asked. Milliseconds. */
  takeOutage(): number
  /** Waits until people can sign in and are recognised everywhere. @returns how long it took */
  recovered(limit: number): Promise<number>
  /** Looks at every session that is known, at every node. */
  audit(): Promise<void>
  stop(): Promise<void>
}

/** People who come, are let through and go, at several nodes, without a pause. */
export function startCrowd(minter: Minter, ports: readonly number[], random: Random): Crowd {
  const tally: Tally = {
    verified: 0,
    refused: 0,
    signIns: 0,
    endings: 0,
    withoutRight: 0,
    lost: 0,
    undone: 0,
  }
  const sessions: Known[] = []
  const lastGood = new Map(ports.map((port) => [port, performance.now()]))
  let outage = 0
  let stopped = false

  const pick = <T>(list: readonly T[]): T | undefined => list[random.below(list.length)]
  const having = (state: Known['state']) => sessions.filter((one) => one.state === state)

  const good = (port: number): void => {
    const now = performance.now()
    outage = Math.max(outage, now - (lastGood.get(port) ?? now))
    lastGood.set(port, now)
  }

  async function ask(port: number, one: Known, when: 'under way' | 'settled'): Promise<void> {
    const { state, endedAt } = one
    const sent = performance.now()
    const { status } = await verify(port, one.cookie)
    tally.verified++
    if (status === 503) tally.refused++
    const same = one.state === state
    if (status === 200 && state === 'alive') good(port)
    if (status === 200 && state === 'over' && sent > endedAt + HEARD) {
      tally.withoutRight++
      if (when === 'settled') tally.undone++
      console.error(`2xx ${Math.round(sent - endedAt)} ms after the end of a session (${when})`)
    }
    if (state !== 'alive' || !same) return
    // 503 is an outage, and no loss.
    if (status === 401 || status === 403) {
      tally.lost++
      one.state = 'unknown'
      console.error(`an acknowledged session gets ${status} (${when})`)
    }
  }

  async function stranger(port: number): Promise<void> {
    const value = randomBytes(32).toString('base64url')
    const { status } = await verify(port, `vestibule_session=${value}`)
    tally.verified++
    if (status >= 200 && status < 300) tally.withoutRight++
  }

  async function asking(port: number): Promise<void> {
    while (!stopped) {
      const one = pick(random.chance(0.6) ? having('alive') : having('over'))
      await (one === undefined || random.chance(0.1) ? stranger(port) : ask(port, one, 'under way'))
      await sleep(1)
    }
  }

  async function signIn(): Promise<boolean> {
    try {
      const { cookie, key } = await minter.mint('john')
      sessions.push({ cookie, key, state: 'alive', endedAt: 0 })
      tally.signIns++
      return true
    } catch {
      return false // not acknowledged: nothing is promised
    }
  }

  async function end(one: Known): Promise<void> {
    one.state = 'unknown'
    try {
      const port = random.chance(0.5) ? pick(ports) : undefined
      if (port === undefined) await minter.sessions.revoke(one.key)
      else if (!(await signOut(port, one.cookie))) return
      one.endedAt = performance.now()
      one.state = 'over'
      tally.endings++
    } catch {
      // As above.
    }
  }

  async function comingAndGoing(): Promise<void> {
    while (!stopped) {
      const alive = having('alive')
      const one = pick(alive)
      if (one !== undefined && alive.length > CROWD / 4) await end(one)
      else await signIn()
      const over = having('over')
      if (over.length > CROWD) sessions.splice(sessions.indexOf(over[0] as Known), 1) // there is one
      await sleep(5)
    }
  }

  const work = [...ports.flatMap((port) => [asking(port), asking(port)]), comingAndGoing()]

  return {
    tally,
    takeOutage() {
      const longest = outage
      outage = 0
      return longest
    },
    async recovered(limit) {
      const began = performance.now()
      for (;;) {
        const before = tally.signIns
        await sleep(20)
        const news = tally.signIns > before
        const last = [...lastGood.values()].every((at) => performance.now() - at < 100)
        if (news && last) return performance.now() - began
        if (performance.now() - began > limit) throw new Error(`nothing works after ${limit} ms`)
      }
    },
    async audit() {
      for (const one of [...sessions]) {
        for (const port of ports) {
          for (let tries = 0; tries < 20; tries++) {
            const before = tally.refused
            await ask(port, one, 'settled')
            // Others count too: then it is asked once more than it has to be.
            if (tally.refused === before) break
            await sleep(50)
          }
        }
      }
    },
    async stop() {
      stopped = true
      await Promise.all(work)
    },
  }
}

async function signOut(port: number, cookie: string): Promise<boolean> {
  const answer = await request(port, '/api/logout', {
    method: 'POST',
    headers: {
      Host: `auth.vestibule.localhost:${port}`,
      Cookie: cookie,
      'Content-Type': 'application/json',
    },
    body: '{}',
  })
  return answer.status === 200
}
