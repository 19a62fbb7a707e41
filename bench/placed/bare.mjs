/** The same in a bare child process: what a machine can do at all. */
import { sieve } from './sieve.mjs'

process.on('message', times => process.send?.(sieve(Number(times))))
