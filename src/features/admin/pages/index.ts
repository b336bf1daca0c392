import type { AdminPage } from '../page.ts'
import { whyPage } from './why.ts'

/** In the order in which they are offered. The first one is where `/admin` leads. */
export const pages: readonly [AdminPage, ...AdminPage[]] = [whyPage]
