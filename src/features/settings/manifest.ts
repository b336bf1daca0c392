import { defineManifest } from '../../kernel/feature.ts'
import { filePath } from '../../kernel/scalars.ts'
import en from './messages/en.json' with { type: 'json' }

export default defineManifest({
  paths: ['/api', '/settings'],
  config: {
    location_database: filePath()
      .optional()
      .describe(
        "A file of cities in MaxMind's format (`.mmdb`: GeoLite2 City, DB-IP City Lite). With it, the page of sessions says where an address is. Nothing is asked over the network; the file is held in memory once a user has looked.",
      ),
  },
  async look({ location_database: file }, place, report) {
    if (file === undefined) return
    const { lookAtLocations } = await import('./look.ts')
    lookAtLocations(place.resolve(file), report)
  },
  messages: { en },
})
