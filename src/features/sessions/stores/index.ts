export { createMemoryStore } from './memory.ts'
export { createRedisStore } from './redis/index.ts'
export { createSqliteStore } from './sqlite.ts'
