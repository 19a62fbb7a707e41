/** The entry `beamlet/otp`: behaviours, and what `this` is in their handlers. */
export * from './otp/index.js'
export type { NodeProcess } from './beamlet.js'
