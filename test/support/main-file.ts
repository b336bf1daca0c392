/**
 * What a test starts as the server: the bundle of src/ that `npm test` has made, as `npm start` runs it, or src/main.ts where a
 * test file is run without it. With `VERIFY_ENTRANCE=router` in the environment of the test the same server with every
 * request through Fastify's router.
 */
export const mainFile = (): string =>
  process.env['VERIFY_ENTRANCE'] === 'router'
    ? new URL('routed-main.ts', import.meta.url).pathname
    : (process.env['TESTED_MAIN'] ?? new URL('../../src/main.ts', import.meta.url).pathname)
