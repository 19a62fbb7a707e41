/** Beamlet: an Erlang node in TypeScript. */
export * from './term/index.js'
