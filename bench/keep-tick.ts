/** Preloaded into a bare server: what ours does at its start. */
import { keepTickObject } from '../src/server/tick-object.ts'

keepTickObject()
