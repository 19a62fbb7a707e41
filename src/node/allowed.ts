/**
 * Who may be connected, as `net_kernel:allow/1` has it: as long as nobody was named, everybody may; names are only ever added.
 *
 * A peer that dials in is allowed by its name, by its host (`'host'`), or by what stands before the @ (`'name@'`). A node that is dialled
 * from here is allowed by its whole name alone: that is what net_kernel asks, and a list of hosts keeps it from dialling anybody.
 *
 * Source: net_kernel.erl (`allow`, `setup_check`), dist_util.erl (`check_allowed`, `is_allowed`).
 */
import { NodeNameError } from './node-name.js'

export class Allowed {
  readonly #entries = new Set<string>()

  /** @throws NodeNameError NAME_FORMAT: then nothing was added. */
  constructor(entries: readonly string[] = []) {
    this.add(entries)
  }

  get entries(): string[] {
    return [...this.#entries]
  }

  /** @throws NodeNameError NAME_FORMAT: then nothing was added. */
  add(entries: readonly string[]): void {
    checkAllowed(entries)
    for (const entry of entries) this.#entries.add(entry)
  }

  /** @param peer its name, or its host alone when it asks for a name */
  in(peer: string): boolean {
    if (this.#entries.size === 0 || this.#entries.has(peer)) return true
    const at = peer.indexOf('@')
    return at !== -1 && (this.#entries.has(peer.slice(at + 1)) || this.#entries.has(peer.slice(0, at + 1)))
  }

  out(node: string): boolean {
    return this.#entries.size === 0 || this.#entries.has(node)
  }
}

/** @throws NodeNameError NAME_FORMAT. */
export function checkAllowed(entries: readonly string[]): void {
  for (const entry of entries) {
    if (!/^([^@]+|[^@]+@[^@]*)$/.test(entry))
      throw new NodeNameError('NAME_FORMAT', `'${entry}' allows nobody: write a node's name, a host, or name@ for a name on any host.`)
  }
}
