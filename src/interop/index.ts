/** Real BEAM nodes for tests: start them, look inside, break them. */
export { Beam, type EvalOptions } from './beam.js'
export type { Exit } from './child.js'
export type { Waiting } from './deadline.js'
export { BeamError, type ExceptionClass, InteropError } from './errors.js'
export { Log, type Level, type LogEvent, type LogPattern } from './log.js'
export { type Release, releases } from './release.js'
export { type BeamOptions, startBeam } from './start-beam.js'
export { Epmd, type EpmdOptions, startEpmd } from './start-epmd.js'
