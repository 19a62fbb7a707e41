/** Bytes of heap, on a 64-bit V8, that a value takes beside its elements. What takes less than eight times its bytes is not counted. */
export const objectCost = 96
export const arrayCost = 48
export const tupleCost = 72
export const mapCost = 200
export const mapEntryCost = 40

/** A binary that takes so many bytes may share the memory of the message. */
export const sharedFrom = 64 * 1024
