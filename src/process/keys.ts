/**
 * Pids and references of other nodes as keys of a Map: two are the same key if they are the same. All numbers as characters of 16 bits, which costs
 * half of what digits do, and then the node's name.
 */
import type { Pid, Reference } from '../term/index.js'

export function keyOfForeignPid({ id, serial, creation, node }: Pid): string {
  const numbers = String.fromCharCode(id & 0xffff, id >>> 16, serial & 0xffff, serial >>> 16, creation & 0xffff, creation >>> 16)
  return numbers + node.name
}

export function keyOfForeignReference({ words, creation, node }: Reference): string {
  const [a = 0, b = 0, c = 0] = words
  const numbers = String.fromCharCode(a & 0xffff, a >>> 16, b & 0xffff, b >>> 16, c & 0xffff, c >>> 16, creation & 0xffff, creation >>> 16)
  return words.length === 3 ? numbers + node.name : `${words.join('.')}.${numbers}${node.name}`
}
