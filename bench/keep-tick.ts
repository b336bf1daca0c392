/** Preloaded into a bare server: what ours does at its start. */
import { keepTickObject } from '../src/tick-object.ts'

keepTickObject()
