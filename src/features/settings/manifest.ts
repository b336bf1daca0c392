import type { Manifest } from '../../kernel/feature.ts'
import en from './messages/en.json' with { type: 'json' }

export default { messages: { en } } satisfies Manifest
