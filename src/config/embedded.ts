/**
 * What holds when no file was given: enough to try everything on one machine. Below the environment, and never mixed
 * with a file: with one, every default is Authelia's.
 */
export const EMBEDDED = {
  // `localhost` listens on 127.0.0.1 and ::1.
  server: { address: 'tcp://localhost:9091/' },
  session: {
    // A person who tries it out is at it now and then, all day; Authelia's hour and five minutes are for those who chose them.
    expiration: '24h',
    inactivity: '12h',
    cookies: [
      {
        domain: 'vestibule.localhost',
        portal_url: 'http://auth.vestibule.localhost:9091',
      },
    ],
  },
  access_control: { default_policy: 'one_factor' },
} as const
