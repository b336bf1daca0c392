/**
 * What a test starts as the server: `src/main.ts`, or with `VERIFY_ENTRANCE=router` in the environment of the test the same
 * server with every request through Fastify's router.
 */
export const mainFile = (): string =>
  new URL(
    process.env['VERIFY_ENTRANCE'] === 'router' ? 'routed-main.ts' : '../../src/main.ts',
    import.meta.url,
  ).pathname
