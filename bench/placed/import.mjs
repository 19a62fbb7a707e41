/** Says how many milliseconds the import took. */
const start = performance.now()
await import('beamlet')
const took = performance.now() - start
process.send?.(took)
process.disconnect()
