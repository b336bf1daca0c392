export { createMemoryOnce } from './memory.ts'
export { createRedisOnce } from './redis.ts'
export { createSqliteOnce } from './sqlite.ts'
