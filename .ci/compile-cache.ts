/**
 * Loaded into each test process before its file: what it compiles is kept for the next run. Not by an environment variable,
 * which the servers that tests start would inherit; they keep their own.
 */
import { enableCompileCache } from 'node:module'

enableCompileCache(new URL('../node_modules/.cache/tests', import.meta.url).pathname)
