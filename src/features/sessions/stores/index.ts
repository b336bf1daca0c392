export { createMemoryStore } from './memory.ts'
export { createRedisStore } from './redis.ts'
export { createSqliteStore } from './sqlite.ts'
