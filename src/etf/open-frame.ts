/** Containers that a Reader is filling. */
import { Atom, type Term } from '../term/index.js'
import type { Reader } from './reader.js'

abstract class OpenFrame {
  readonly outer: Frame | null
  readonly depth: number
  /** In a map key, at any depth */
  readonly inKey: boolean
  /** Terms that the containers around this one have still to get when it is full */
  readonly owed: number
  size: number
  index = 0

  constructor(outer: Frame | null, size: number) {
    this.outer = outer
    this.size = size
    this.depth = outer === null ? 1 : outer.depth + 1
    this.inKey = outer !== null && (outer.inKey || outer.atKey)
    this.owed = owedAfter(outer)
  }
}

/** Terms that are still to come after the one that `frame` gets next. */
export const owedAfter = (frame: Frame | null): number => (frame === null ? 0 : frame.owed + frame.size - frame.index - 1)

/** A tuple, a list, or what a fun or a record holds. */
export class ElementsFrame extends OpenFrame {
  readonly atKey = false
  readonly elements: Term[]
  close: (reader: Reader, frame: ElementsFrame) => Term

  constructor(outer: Frame | null, size: number, close: (reader: Reader, frame: ElementsFrame) => Term) {
    super(outer, size)
    this.close = close
    // An array that is made at its full size is quicker to fill, but V8 makes very large ones sparse.
    this.elements = size <= 0xffff ? new Array<Term>(size) : []
  }

  put(value: Term): void {
    this.elements[this.index++] = value
  }

  finish(reader: Reader): Term {
    return this.close(reader, this)
  }
}

/** A map: key, value, key, value, … */
export class MapFrame extends OpenFrame {
  readonly map = new Map<Term, Term>()
  /** Keys of which a Map takes two equal ones for different */
  readonly structural: Term[] = []
  #key: Term = null
  readonly close: (reader: Reader, frame: MapFrame) => Term

  constructor(outer: Frame | null, size: number, close: (reader: Reader, frame: MapFrame) => Term) {
    super(outer, size)
    this.close = close
  }

  get atKey(): boolean {
    return (this.index & 1) === 0
  }

  put(value: Term): void {
    if ((this.index++ & 1) === 1) this.map.set(this.#key, value)
    else {
      this.#key = value
      if (typeof value === 'object' && value !== null && !(value instanceof Atom)) this.structural.push(value)
    }
  }

  finish(reader: Reader): Term {
    return this.close(reader, this)
  }
}

export type Frame = ElementsFrame | MapFrame
