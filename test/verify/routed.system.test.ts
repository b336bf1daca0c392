/**
 * The contract of verify once more, with every request through Fastify's router: what the short way answers and what the
 * router's way answers is held against the same suites.
 */
process.env['VERIFY_ENTRANCE'] = 'router'
await import('./verify.system.test.ts')
await import('./table.system.test.ts')
await import('./strategies.system.test.ts')
