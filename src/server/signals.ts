/**
 * SIGHUP reloads; SIGTERM and SIGINT end the process in good order; a second one of these ends it at once.
 * @returns the signal that ended it
 */
export function signals(reload: () => void): Promise<string> {
  process.on('SIGHUP', reload)
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        // From here on the default action is back: asking twice is meant.
        process.removeAllListeners('SIGTERM')
        process.removeAllListeners('SIGINT')
        process.removeListener('SIGHUP', reload)
        process.on('SIGHUP', () => {})
        resolve(signal)
      })
    }
  })
}
