/** How much a term may ask for. Every limit holds by default, so that no bytes from a peer end or hang this process. */

export interface Limits {
  /** Levels of nesting; what is empty, and a list of bytes, is no level. */
  readonly depth: number
  /** Bytes of one term, as they are on the wire (or inflated, when compressed). */
  readonly size: number
  /** Bytes of heap that a decoded term may take, estimated: a short message can claim much (`[[], [], …]` takes 40 times its bytes). */
  readonly memory: number
  /** Bytes of one integer. */
  readonly bignum: number
  /** New atoms. They are never freed. */
  readonly atoms: number
}

const MiB = 1024 * 1024

export const defaultLimits: Limits = Object.freeze({
  depth: 10_000,
  size: 128 * MiB,
  memory: 1024 * MiB,
  bignum: 8 * MiB,
  atoms: 1_000_000,
})

/** What JavaScript can hold, whatever the limits say. */
export const capacity = {
  /** ERTS_MAX_TUPLE_SIZE: the BEAM's bound */
  tuple: 2 ** 24 - 1,
  /** V8's bound for a Map */
  map: 2 ** 24,
  /** Half of V8's bound for an array that is not sparse */
  list: 2 ** 26,
}
