/** Equal binaries among the keys of a map. Maps with binary keys are what JSON becomes, so this must cost less than the map itself. */

/** So few are compared one with another. */
const few = 8
/** More collisions than this do not come by chance. */
const suspicious = 64

export function hasEqualBinaries(keys: readonly Uint8Array[]): boolean {
  return keys.length <= few ? equalAmongFew(keys) : (equalAmongMany(keys) ?? new Set(keys.map(textOf)).size !== keys.length)
}

function equalAmongFew(keys: readonly Uint8Array[]): boolean {
  for (let i = 1; i < keys.length; i++) for (let j = 0; j < i; j++) if (areEqual(keys[i]!, keys[j]!)) return true
  return false
}

/** A hash table of half empty slots. Undefined when somebody seems to have chosen keys that collide. */
function equalAmongMany(keys: readonly Uint8Array[]): boolean | undefined {
  const mask = 2 ** (33 - Math.clz32(keys.length)) - 1
  const table = new Int32Array(mask + 1) // 0, or 1 + the index of a key
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    let slot = hashOf(key, 0, key.length) & mask
    for (let tries = 0; table[slot] !== 0; slot = (slot + 1) & mask) {
      if (areEqual(keys[table[slot]! - 1]!, key)) return true
      if (++tries > suspicious) return undefined
    }
    table[slot] = i + 1
  }
  return false
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Each byte as a character: a string that V8 compares by its own, seeded hash. */
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

export function hashOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = length
  for (let i = start; i < start + length; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  return hash ^ (hash >>> 12)
}
