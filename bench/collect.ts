/** Preloaded into a measured process: SIGUSR2 makes a major GC, and a line on standard error says that it is over. */
process.on('SIGUSR2', () => {
  // Three: V8 keeps some hidden classes for two collections (--retain-maps-for-n-gc).
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  process.stderr.write('collected\n')
})
