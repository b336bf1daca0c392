import { z } from 'zod'
import { defineManifest } from '../../kernel/feature.ts'
import { oneOrMany } from '../../kernel/scalars.ts'
import en from './messages/en.json' with { type: 'json' }

export default defineManifest({
  paths: ['/api', '/admin'],
  config: {
    admin: z
      .strictObject({
        groups: oneOrMany(z.string().min(1))
          .default(['vestibule-admins'])
          .describe(
            "Groups whose members are administrators of Vestibule. Never an application's.",
          ),
        disable: z.boolean().default(false).describe('There are no pages for administrators.'),
      })
      .prefault({}),
  },
  messages: { en },
})
