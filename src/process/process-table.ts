/**
 * Pids and references: who is who in this place, and in which place of the node anybody else is.
 *
 * A pid's number (28 bits) is `slot << 6 | place` and its serial is the slot's generation, so a pid finds its place and its process without
 * a search, and a used one never comes back. Slots are reused first in, first out. The creation separates restarts of the node.
 *
 * Main gives out all of its own pids. Those of any other place, by their slots:
 *
 *   0, 2 mod 4   that place, for processes that it starts there
 *   1 mod 4      main, for processes that it starts there: `inside`
 *   3 mod 4      that place, for processes that it has started in other places, main too: `outside`. Main knows where they live.
 */
import { type Atom, Pid, Reference } from '../term/index.js'
import { keyOfForeignPid } from './keys.js'
import type { LocalProcess } from './local-process.js'
import { Slots } from './slots.js'

/** Places of a node, main among them: what six bits can tell apart */
export const maxPlaces = 64

/** A place's number, and which life of a place of that number it is, from 0: nothing of an earlier life comes to a later one. */
export interface PlaceId {
  readonly number: number
  readonly life: number
}

/** A node, in one of its lives */
interface Identity {
  readonly node: Atom
  readonly creation: number
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
  /** Those that live here with a pid of another place */
  readonly #guests = new Map<string | number, LocalProcess>()
  /** In main: where those with a pid `outside` live, main excepted */
  readonly #outside = new Map<string | number, number>()
  /** The number of the last reference that was made */
  references: number

  constructor(node: Atom, creation: number, { number, life } = main) {
    this.node = node
    this.creation = creation
    this.place = number
    this.references = (life % 2 ** 15) * referencesOfLife
    this.#slots = number === 0 ? new Slots() : new Slots(0, 2, life)
  }

  /** @throws ProcessError ERR_SYSTEM_LIMIT when 4,194,304 processes live, half of that elsewhere than in main. */
  newPid(): Pid {
    const slot = this.#slots.take()
    return new Pid(this.node, (slot << 6) | this.place, this.#slots.serialOf(slot), this.creation)
  }

  /** Takes in a process whose pid is new, or was given out by a PidSource. */
  add(process: LocalProcess): void {
    const { pid } = process
    this.count++
    if (placeOf(pid) !== this.place) {
      this.#guests.set(this.keyOf(pid), process)
      return
    }
    const slot = pid.id >>> 6
    while (this.#processes.length < slot) this.#processes.push(undefined)
    this.#processes[slot] = process
  }

  /** The process of that pid, when it lives here. */
  find(pid: Pid): LocalProcess | undefined {
    if (placeOf(pid) !== this.place) return this.#guests.size === 0 ? undefined : this.#guests.get(this.keyOf(pid))
    const process = this.#processes[pid.id >>> 6]
    return process && process.pid.serial === pid.serial && this.owns(pid) && process.pid.id === pid.id ? process : undefined
  }

  remove({ pid }: LocalProcess): void {
    this.count--
    if (this.#guests.delete(this.keyOf(pid))) return
    const slot = pid.id >>> 6
    this.#processes[slot] = undefined
    if (!this.isGiven(pid)) this.#slots.giveBack(slot)
  }

  /** Was the pid of this process, which lives here, given out elsewhere? */
  isGiven(pid: Pid): boolean {
    return placeOf(pid) !== this.place || (this.place !== 0 && slotKind(pid) === inside)
  }

  /** In which place does one of this node's own live? As far as is known here: main, when it is not. */
  locate(identity: Pid | Reference): number {
    if (identity instanceof Reference || !isOutside(identity)) return placeOf(identity)
    const key = this.keyOf(identity)
    return this.#guests.has(key) ? this.place : (this.#outside.get(key) ?? 0)
  }

  /** In main: a process with a pid `outside` lives in that place; null: nowhere any more. */
  settle(pid: Pid, place: number | null): void {
    if (place === null) this.#outside.delete(this.keyOf(pid))
    else if (place !== 0) this.#outside.set(this.keyOf(pid), place)
  }

  *[Symbol.iterator](): Iterator<LocalProcess> {
    for (const process of this.#processes) if (process) yield process
    yield* this.#guests.values()
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
    const { words } = ref
    return words.length === 3 && words[2] === this.place && this.owns(ref) ? words[0]! + words[1]! * 2 ** 18 : -1
  }

  /** A key for a pid in a map: a number for this node's own, a string for any other. */
  keyOf(pid: Pid): string | number {
    if (this.owns(pid)) return pid.serial * 2 ** 28 + pid.id
    return keyOfForeignPid(pid)
  }
}

const [inside, outside] = [1, 3] as const

const slotKind = (pid: Pid): number => (pid.id >>> 6) % 4

/** Was it given out by a place other than main, for a process elsewhere? */
export const isOutside = (pid: Pid): boolean => placeOf(pid) !== 0 && slotKind(pid) === outside

/** The place that one of this node's own identities names: see `locate`. */
export function placeOf(identity: Pid | Reference): number {
  return identity instanceof Pid ? identity.id % maxPlaces : (identity.words[2] ?? 0)
}

/** Gives out pids of a place other than main for processes that are not started by who has the pid first: it is known there at once. */
export class PidSource {
  readonly #slots: Slots
  readonly #node: Identity
  readonly #place: number

  /**
   * @param node whose pids they are
   * @param kind main's, of processes in that place; or that place's own, of processes elsewhere
   */
  constructor(node: Identity, { number, life }: PlaceId, kind: 'inside' | 'outside') {
    this.#node = node
    this.#place = number
    this.#slots = new Slots(kind === 'inside' ? inside : outside, 4, life)
  }

  /** @throws ProcessError ERR_SYSTEM_LIMIT */
  next(): Pid {
    const slot = this.#slots.take()
    return new Pid(this.#node.node, (slot << 6) | this.#place, this.#slots.serialOf(slot), this.#node.creation)
  }

  /** Its process has ended. */
  ended(pid: Pid): void {
    this.#slots.giveBack(pid.id >>> 6)
  }
}
