import { z } from 'zod'
import { defineManifest } from '../kernel/feature.ts'
import { filePath } from '../kernel/scalars.ts'

export default defineManifest({
  config: {
    data_directory: filePath()
      .min(1)
      .default('./data')
      .describe(
        'Where Vestibule keeps its database and the secrets it makes for itself. Made with mode 0700.',
      ),
    reset_admin_password: z
      .boolean()
      .default(false)
      .describe(
        'Gives `admin` a new random password at the next start, prints it and ends the old sessions. Take it out again afterwards.',
      ),
  },
})
