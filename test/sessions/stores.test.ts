import { createMemoryStore } from '../../src/features/sessions/index.ts'
import { linkedSessionConformance } from '../conformance/linked-sessions.ts'
import { raisedSessionConformance } from '../conformance/raised-sessions.ts'
import { sessionStoreConformance } from '../conformance/session-store.ts'
import { openSqliteStore } from './sqlite-house.ts'

sessionStoreConformance('memory', async () => createMemoryStore())
sessionStoreConformance('sqlite', async (t) => (await openSqliteStore(t)).store)

linkedSessionConformance('memory', async () => createMemoryStore())
linkedSessionConformance('sqlite', async (t) => (await openSqliteStore(t)).store)

raisedSessionConformance('memory', async () => createMemoryStore())
raisedSessionConformance('sqlite', async (t) => (await openSqliteStore(t)).store)
