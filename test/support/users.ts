import argon2 from 'argon2'
import { PASSWORD } from './server.ts'

/** A users file for tests. The digests are argon2id at its cheapest: these passwords protect nothing. */
export async function usersYaml(
  users: Readonly<
    Record<
      string,
      { groups?: readonly string[]; email?: string; disabled?: boolean; displayname?: string }
    >
  >,
  password = PASSWORD,
): Promise<string> {
  const digest = await argon2.hash(password, {
    type: argon2.argon2id,
    memoryCost: 64,
    timeCost: 2,
    parallelism: 1,
  })
  const entries = Object.entries(users).map(([name, user]) => [
    name,
    { displayname: name, password: digest, ...user },
  ])
  // JSON is YAML.
  return JSON.stringify({ users: Object.fromEntries(entries) }, null, 2)
}

/** What a sign-in costs in a test: the parameters for names that don't exist, as cheap as the digests above. */
export const CHEAP = {
  authentication_backend: {
    file: { password: { argon2: { memory: 64, iterations: 2, parallelism: 1 } } },
  },
}
