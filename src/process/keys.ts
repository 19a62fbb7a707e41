/**
 * Pids and references of other nodes as keys of a Map: two are the same key if they are the same. All numbers as characters of 16 bits, which costs
 * half of what digits do, and then the node's name.
 */
import type { Pid, Reference } from '../term/index.js'

export function keyOfForeignPid({ id, serial, creation, node }: Pid): string {
  const numbers = String.fromCharCode(id & 0xffff, id >>> 16, serial & 0xffff, serial >>> 16, creation & 0xffff, creation >>> 16)
  return numbers + node.name
}

/** The number of its words comes first: what is not there must not be taken for a zero. */
export function keyOfForeignReference({ words, creation, node }: Reference): string {
  const [a, b, c, d, e] = [wordOf(words, 0), wordOf(words, 1), wordOf(words, 2), wordOf(words, 3), wordOf(words, 4)]
  const length = words.length
  // One call with numbers, for to spread an array is slow.
  return (
    String.fromCharCode(
      length,
      a & 0xffff,
      a >>> 16,
      b & 0xffff,
      b >>> 16,
      c & 0xffff,
      c >>> 16,
      d & 0xffff,
      d >>> 16,
      e & 0xffff,
      e >>> 16,
    ) +
    String.fromCharCode(creation & 0xffff, creation >>> 16) +
    node.name
  )
}

const wordOf = (words: readonly number[], index: number): number => (index < words.length ? words[index]! : 0)
