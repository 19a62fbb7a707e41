import { ProcessError } from './errors.js'

/** Of one place, whoever gives them out */
export const maxSlots = 2 ** 22
/** Serials and reference numbers stay in what every OTP release prints and accepts. */
const maxSerial = 2 ** 25
/** Serials between one life of a place and the next of that number */
const serialsOfLife = 2 ** 10

/**
 * Gives out the slots of a place's process table: each with a serial that it has not had yet, and one that was given back only when 64
 * others rest, so that pids do not repeat their numbers at once.
 *
 * Several can give out the slots of one place without asking each other: one takes every second, others every fourth.
 */
export class Slots {
  readonly #first: number
  readonly #step: number
  readonly #firstSerial: number
  #made = 0
  /** How often each slot was given back: what lives for the first time needs no entry. */
  #lives = new Int32Array(0)
  #free: number[] = []
  #head = 0

  /** @param life which life of a place of this number it is, from 0: what ended with an earlier one keeps its pids to itself */
  constructor(first: 0 | 1 | 3 = 0, step: 1 | 2 | 4 = 1, life = 0) {
    this.#first = first
    this.#step = step
    this.#firstSerial = (life * serialsOfLife) % maxSerial
  }

  /** @throws ProcessError ERR_SYSTEM_LIMIT when all are taken. */
  take(): number {
    if (this.#free.length - this.#head <= 64 && this.#made * this.#step + this.#first < maxSlots) {
      return this.#made++ * this.#step + this.#first
    }
    const slot = this.#free[this.#head]
    if (slot === undefined) {
      throw new ProcessError('ERR_SYSTEM_LIMIT', `A place holds at most ${maxSlots / this.#step} processes: end some first.`)
    }
    this.#head++
    if (this.#head > 1024 && this.#head * 2 > this.#free.length) {
      this.#free = this.#free.slice(this.#head)
      this.#head = 0
    }
    return slot
  }

  /** The serial for the next pid of a slot that was taken. */
  serialOf(slot: number): number {
    return (this.#firstSerial + (this.#lives[this.#indexOf(slot)] ?? 0)) % maxSerial
  }

  giveBack(slot: number): void {
    const index = this.#indexOf(slot)
    if (index >= this.#lives.length) {
      const lives = new Int32Array(Math.max(64, 2 * index))
      lives.set(this.#lives)
      this.#lives = lives
    }
    this.#lives[index]!++
    this.#free.push(slot)
  }

  #indexOf(slot: number): number {
    return (slot - this.#first) / this.#step
  }
}
