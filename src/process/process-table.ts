/**
 * Pids and references: who is who in this place, and in which place of the node anybody else is.
 *
 * A pid's number (28 bits) is `slot << 6 | place` and its serial is the slot's generation, so a pid finds its place and its process without
 * a search, and a used one never comes back. Slots are reused first in, first out. The creation separates restarts of the node.
 */
import { type Atom, Pid, Reference } from '../term/index.js'
import type { LocalProcess } from './local-process.js'
import { Slots } from './slots.js'

/** Places of a node, main among them: what six bits can tell apart */
export const maxPlaces = 64

/** A place's number, and which life of a place of that number it is, from 0: nothing of an earlier life comes to a later one. */
export interface PlaceId {
  readonly number: number
  readonly life: number
}

/** This thread */
export const main: PlaceId = { number: 0, life: 0 }

/** Of references between one life and the next; 2^15 lives fit below 2^50. */
const referencesOfLife = 2 ** 35

export class ProcessTable {
  readonly node: Atom
  readonly creation: number
  readonly place: number
  count = 0
  readonly #slots: Slots
  /** By slot */
  readonly #processes: (LocalProcess | undefined)[] = []
  /** The number of the last reference that was made */
  references: number

  /** Main gives out all pids of its own, and half of those of every other place: see PidSource. */
  constructor(node: Atom, creation: number, { number, life } = main) {
    this.node = node
    this.creation = creation
    this.place = number
    this.references = (life % 2 ** 15) * referencesOfLife
    this.#slots = number === 0 ? new Slots() : new Slots(0, 2, life)
  }

  /**
   * @param given a pid of this place that a PidSource has given out; without it, the next of this table's own
   * @throws ProcessError ERR_SYSTEM_LIMIT when 4,194,304 processes live, half of that elsewhere than in main.
   */
  add(make: (pid: Pid) => LocalProcess, given?: Pid): LocalProcess {
    const pid = given ?? this.#nextPid()
    const process = make(pid)
    const slot = pid.id >>> 6
    while (this.#processes.length < slot) this.#processes.push(undefined)
    this.#processes[slot] = process
    this.count++
    return process
  }

  /** The process of that pid, when it lives here. */
  find(pid: Pid): LocalProcess | undefined {
    const process = this.#processes[pid.id >>> 6]
    return process && process.pid.serial === pid.serial && this.owns(pid) && process.pid.id === pid.id ? process : undefined
  }

  remove(process: LocalProcess): void {
    const slot = process.pid.id >>> 6
    this.#processes[slot] = undefined
    if (this.place === 0 || !isGiven(process.pid)) this.#slots.giveBack(slot)
    this.count--
  }

  *[Symbol.iterator](): Iterator<LocalProcess> {
    for (const process of this.#processes) if (process) yield process
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

  #nextPid(): Pid {
    const slot = this.#slots.take()
    return new Pid(this.node, (slot << 6) | this.place, this.#slots.serialOf(slot), this.creation)
  }
}

/** The place of one of this node's own identities: no look-up, the identity tells. */
export function placeOf(identity: Pid | Reference): number {
  return identity instanceof Pid ? identity.id % maxPlaces : (identity.words[2] ?? 0)
}

/** Was this pid, of another place than main, given out by a PidSource? */
export const isGiven = (pid: Pid): boolean => (pid.id >>> 6) % 2 === 1

/** Gives out pids of another place, so that who spawns there knows the pid at once. */
export class PidSource {
  readonly #slots: Slots
  readonly #table: ProcessTable
  readonly #place: number

  /** @param table of this place: node and creation are the same in all */
  constructor(table: ProcessTable, { number, life }: PlaceId) {
    this.#table = table
    this.#place = number
    this.#slots = new Slots(1, 2, life)
  }

  /** @throws ProcessError ERR_SYSTEM_LIMIT */
  next(): Pid {
    const slot = this.#slots.take()
    return new Pid(this.#table.node, (slot << 6) | this.#place, this.#slots.serialOf(slot), this.#table.creation)
  }

  /** Its process has ended. */
  ended(pid: Pid): void {
    this.#slots.giveBack(pid.id >>> 6)
  }
}
