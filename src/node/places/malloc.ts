/**
 * How glibc's malloc keeps memory in a place. By itself it gives the top of its heap back to the system as soon as 128 KiB of it are free, and takes
 * it again, page for page, for the next Buffer: a place that makes and drops arrays loses a fifth of its time to that, more when both cores
 * compute. In a larger program malloc learns better by chance, from the first large block that is freed. Elsewhere these variables say nothing.
 */
const MiB = 2 ** 20

/** Bytes that may be free at the top before they are given back; larger blocks are mapped one by one, and given back when they are freed. */
const kept = { MALLOC_TRIM_THRESHOLD_: String(64 * MiB), MALLOC_MMAP_THRESHOLD_: String(16 * MiB) }

/** The environment of a place: as ours, and what was said to malloc by others counts. */
export function withMalloc(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const said = 'GLIBC_TUNABLES' in env || Object.keys(env).some(name => name.startsWith('MALLOC_'))
  return said ? env : { ...env, ...kept }
}
