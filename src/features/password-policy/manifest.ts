import { defineManifest } from '../../kernel/feature.ts'
import en from './messages/en.json' with { type: 'json' }

export default defineManifest({ paths: ['/api'], messages: { en } })
