/**
 * The first number of a printed pid, reference or port: `<0.85.0>` lives on a node of this program, `<3.85.0>` on another one.
 *
 * The numbers of other nodes are this program's own, as they are each BEAM node's own: two nodes print one pid differently.
 */
import type { Atom } from './atom.js'

const hosted = new Map<Atom, number>()
const numbers = new Map<Atom, number>()

/**
 * From now on the identities of this node print with a leading 0. Call the result, once, when the node has closed.
 * A name may be hosted more than once; it stays local until every one of them has closed.
 */
export function hostNode(name: Atom): () => void {
  hosted.set(name, (hosted.get(name) ?? 0) + 1)
  let open = true
  return () => {
    if (!open) return
    open = false
    const left = hosted.get(name)! - 1
    if (left > 0) hosted.set(name, left)
    else hosted.delete(name)
  }
}

/** 0 for a node of this program; otherwise a number that the name keeps, given when it is first asked for. */
export function nodeNumber(name: Atom): number {
  if (hosted.has(name)) return 0
  let number = numbers.get(name)
  if (number === undefined) numbers.set(name, (number = numbers.size + 1))
  return number
}
