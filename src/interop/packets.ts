/** Packets with a 4-byte length, as `{packet, 4}` of an Erlang port makes them. */

export function packet(...parts: readonly Uint8Array[]): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 0))
  return Buffer.concat([length, ...parts])
}

/** Puts chunks together and takes packets out. Chunks are joined only when a whole packet is there. */
export class Packets {
  #chunks: Buffer[] = []
  #length = 0
  #needed = 4

  push(chunk: Buffer): Buffer[] {
    const packets: Buffer[] = []
    this.#chunks.push(chunk)
    this.#length += chunk.length
    while (this.#length >= this.#needed) {
      const bytes = Buffer.concat(this.#chunks)
      const end = 4 + bytes.readUInt32BE()
      const whole = bytes.length >= end
      const rest = whole ? bytes.subarray(end) : bytes
      this.#chunks = [rest]
      this.#length = rest.length
      this.#needed = whole ? 4 : end
      if (whole) packets.push(bytes.subarray(4, end))
    }
    return packets
  }
}
