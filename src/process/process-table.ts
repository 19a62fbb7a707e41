/**
 * Pids and references: who is who on this node.
 *
 * A pid's number (28 bits) is `slot << 6 | place` and its serial is the slot's generation, so a pid finds its process without a search and
 * a used one never comes back. Slots are reused first in, first out. The creation separates restarts of the node.
 */
import { type Atom, Pid, Reference } from '../term/index.js'
import { ProcessError } from './errors.js'
import type { LocalProcess } from './local-process.js'

const maxSlots = 2 ** 22
/** Serials and reference numbers stay in what every OTP release prints and accepts. */
const maxSerial = 2 ** 25

export class ProcessTable {
  readonly node: Atom
  readonly creation: number
  readonly place: number
  count = 0
  #slots: (LocalProcess | undefined)[] = []
  #serials: number[] = []
  #free: number[] = []
  #freeHead = 0
  /** How many references were made */
  references = 0

  constructor(node: Atom, creation: number, place = 0) {
    this.node = node
    this.creation = creation
    this.place = place
  }

  /** @throws ProcessError ERR_SYSTEM_LIMIT when 4,194,304 processes live. */
  add(make: (pid: Pid) => LocalProcess): LocalProcess {
    const slot = this.#takeSlot()
    const serial = this.#serials[slot] ?? 0
    const process = make(new Pid(this.node, (slot << 6) | this.place, serial, this.creation))
    this.#slots[slot] = process
    this.#serials[slot] = (serial + 1) % maxSerial
    this.count++
    return process
  }

  /** The process of that pid, when it lives here. */
  find(pid: Pid): LocalProcess | undefined {
    const process = this.#slots[pid.id >>> 6]
    return process && process.pid.serial === pid.serial && this.owns(pid) && process.pid.id === pid.id ? process : undefined
  }

  remove(process: LocalProcess): void {
    const slot = process.pid.id >>> 6
    this.#slots[slot] = undefined
    this.#free.push(slot)
    this.count--
  }

  *[Symbol.iterator](): Iterator<LocalProcess> {
    for (const process of this.#slots) if (process) yield process
  }

  /** Was this identity given out by this node since it started? */
  owns(identity: Pid | Reference): boolean {
    return identity.node === this.node && identity.creation === this.creation
  }

  /** A new reference. Word 0 stays below 2^18, as all releases expect; the number of it is below 2^50. */
  makeRef(): Reference {
    const number = ++this.references
    return new Reference(this.node, this.creation, [number % 2 ** 18, Math.floor(number / 2 ** 18), this.place])
  }

  /** A small key for one of this node's own references; -1 for any other. */
  numberOf(ref: Reference): number {
    const [low, high, place] = ref.words
    return this.owns(ref) && ref.words.length === 3 && place === this.place ? (low as number) + (high as number) * 2 ** 18 : -1
  }

  /** A key for a pid in a map: a number for this node's own, a string for any other. */
  keyOf(pid: Pid): string | number {
    if (this.owns(pid)) return pid.serial * 2 ** 28 + pid.id
    return `${pid.id}.${pid.serial}.${pid.creation}@${pid.node.name}`
  }

  #takeSlot(): number {
    // A slot rests until 64 others have, so that pids do not repeat their numbers at once.
    if (this.#free.length - this.#freeHead > 64 || this.#slots.length >= maxSlots) {
      const slot = this.#free[this.#freeHead]
      if (slot === undefined) throw new ProcessError('ERR_SYSTEM_LIMIT', `A node holds at most ${maxSlots} processes: end some first.`)
      this.#freeHead++
      if (this.#freeHead > 1024 && this.#freeHead * 2 > this.#free.length) {
        this.#free = this.#free.slice(this.#freeHead)
        this.#freeHead = 0
      }
      return slot
    }
    return this.#slots.push(undefined) - 1
  }
}
