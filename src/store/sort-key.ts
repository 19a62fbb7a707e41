/**
 * Any term as bytes whose order is that of terms: `Buffer.compare` of two sort keys is `compare` of their terms.
 *
 * Terms that compare equal and are not `=:=` (1 and 1.0, also inside of others) stay two keys, side by side, the integer first. So a sort
 * key is a **body**, in which these do not differ, and a **trailer** that tells them apart. No body is the beginning of another one, and no
 * sort key either: they can be joined, as an index does.
 *
 * | term | body |
 * |---|---|
 * | number | sign, exponent, then the binary digits, seven a byte while there are more: by exact value, however large |
 * | atom | tag, UTF-8, end |
 * | reference, fun, port, pid | tag, and their fields in the order in which they count |
 * | tuple, native record | tag, size (and names), elements |
 * | map | tag, size, keys in their order, in which integers come before floats, then values |
 * | list | for each cell a tag and its head; then the tail, which is a tag of its own for `[]` |
 * | bit string | tag, bytes, end with the number of bits in the last byte |
 *
 * In bytes of any value 0 is written as 0, 255, and the end as 0 and less, so that what is shorter comes first.
 *
 * Source: `compare` (src/term/compare.ts), which has it from erts' `erts_cmp`.
 */
import {
  ATOM,
  BITSTRING,
  FUN,
  kindOf,
  LIST,
  MAP,
  NIL,
  notATerm,
  NUMBER,
  PID,
  PORT,
  RECORD,
  REFERENCE,
  TUPLE,
} from '../term/compare-kind.js'
import { exactKeyOrder } from '../term/compare.js'
import {
  type Atom,
  BitString,
  ExportFun,
  type Float,
  type Fun,
  ImproperList,
  type NativeRecord,
  type Pid,
  type Port,
  type Reference,
  type Sendable,
  TermError,
  type Tuple,
} from '../term/index.js'
import { KeyBytes } from './key-bytes.js'
import { isFloat, isWhole, writeNumber } from './sort-key-number.js'

const TAG = {
  exactInteger: 0x08,
  exactFloat: 0x09,
  // 0x10 to 0x13 are the signs of numbers
  atom: 0x20,
  reference: 0x30,
  fun: 0x40,
  exportFun: 0x41,
  port: 0x50,
  pid: 0x60,
  tuple: 0x70,
  record: 0x80,
  map: 0x90,
  nil: 0xa0,
  list: 0xb0,
  bitString: 0xc0,
} as const

/** In the trailer. The least is left out at its end, so most terms have an empty one. */
const INTEGER = 1
const NEGATIVE_ZERO = 2
const FLOAT = 3

/** Far beyond what is encoded, so that only a cycle gets there. */
const MAX_DEPTH = 1_000_000

/** The bytes of a term: its body, then its trailer. @throws TermError for what is no term, and for a cycle */
export function sortKey(term: Sendable): Buffer {
  const writer = new SortKeyWriter(term)
  writer.writeTrailer()
  return writer.bytes.take()
}

/** The body alone, which all terms that compare equal have: a bound. @throws as `sortKey` */
export const sortKeyBody = (term: Sendable): Buffer => new SortKeyWriter(term).bytes.take()

/** Terms that stand in a row inside of another. `cell`: a list's, each behind a tag. `exact`: within the key of a map. */
interface Row {
  readonly items: readonly unknown[]
  readonly exact: boolean
  readonly cell: boolean
  next: number
}

/** With a stack of its own: nesting costs memory, never JavaScript's stack. */
class SortKeyWriter {
  readonly bytes = new KeyBytes()
  readonly #ties: number[] = []
  readonly #pending: Row[] = []
  readonly #keys = exactKeyOrder()

  constructor(term: unknown) {
    this.#write(term, false)
    for (let row = this.#pending.at(-1); row !== undefined; row = this.#pending.at(-1)) {
      if (row.next === row.items.length) {
        this.#pending.pop()
        continue
      }
      if (row.cell) this.bytes.u8(TAG.list)
      this.#write(row.items[row.next++], row.exact)
      if (this.#pending.length > MAX_DEPTH) throw new TermError('ERR_TERM_DEPTH', 'A term nests too deep for a key: does it hold itself?')
    }
  }

  writeTrailer(): void {
    const last = this.#ties.findLastIndex(tie => tie !== INTEGER)
    for (let i = 0; i <= last; i++) this.bytes.u8(this.#ties[i]!)
    this.bytes.u8(0)
  }

  #push(items: readonly unknown[], exact: boolean, cell = false): void {
    this.#pending.push({ items, exact, cell, next: 0 })
  }

  #write(term: unknown, exact: boolean): void {
    const { bytes } = this
    switch (kindOf(term)) {
      case NUMBER:
        return this.#number(term as number | bigint | Float, exact)
      case ATOM:
        return this.#atom(term as Atom | boolean | null)
      case REFERENCE: {
        const { node, creation, words } = term as Reference
        this.#located(TAG.reference, node, creation)
        // The last word weighs most, and one that is missing counts as 0
        for (let i = 4; i >= 0; i--) bytes.u32(words[i] ?? 0)
        return
      }
      case FUN:
        return term instanceof ExportFun ? this.#exportFun(term) : this.#fun(term as Fun, exact)
      case PORT: {
        const { node, creation, id } = term as Port
        this.#located(TAG.port, node, creation)
        bytes.u32(Number(id >> 32n))
        return bytes.u32(Number(id & 0xffff_ffffn))
      }
      case PID: {
        const { node, creation, id, serial } = term as Pid
        bytes.u8(TAG.pid)
        bytes.u32(serial)
        bytes.u32(id)
        bytes.text(nameOf(node), 0)
        return bytes.u32(creation)
      }
      case TUPLE: {
        const { elements } = term as Tuple
        bytes.u8(TAG.tuple)
        bytes.size(elements.length)
        return this.#push(elements, exact)
      }
      case RECORD:
        return this.#record(term as NativeRecord, exact)
      case MAP: {
        const { keys, values } = this.#keys.entriesOf(term as object)
        bytes.u8(TAG.map)
        bytes.size(keys.length)
        // pending is a stack: keys are written before values
        this.#push(values, exact)
        return this.#push(keys, true)
      }
      case NIL:
        return bytes.u8(TAG.nil)
      case LIST: {
        const [heads, tail] = term instanceof ImproperList ? [term.elements, term.tail] : [term as readonly unknown[], []]
        this.#push([tail], exact)
        return this.#push(heads, exact, true)
      }
      case BITSTRING:
        return this.#bitString(term as string | Uint8Array | BitString)
      case undefined:
        throw notATerm(term)
    }
  }

  #number(term: number | bigint | Float, exact: boolean): void {
    const value = typeof term === 'object' ? term.value : term
    if (exact) this.bytes.u8(isFloat(term) ? TAG.exactFloat : TAG.exactInteger)
    else if (isWhole(value)) this.#ties.push(!isFloat(term) ? INTEGER : Object.is(value, -0) ? NEGATIVE_ZERO : FLOAT)
    writeNumber(this.bytes, value, exact)
  }

  #atom(atom: Atom | boolean | null): void {
    this.bytes.u8(TAG.atom)
    this.bytes.text(nameOf(atom), 0)
  }

  #located(tag: number, node: Atom, creation: number): void {
    this.bytes.u8(tag)
    this.bytes.text(nameOf(node), 0)
    this.bytes.u32(creation)
  }

  #exportFun({ module, fun, arity }: ExportFun): void {
    this.bytes.u8(TAG.exportFun)
    this.bytes.text(nameOf(module), 0)
    this.bytes.text(nameOf(fun), 0)
    this.bytes.size(arity)
  }

  /** Arity and MD5 count among the keys of maps; elsewhere they tell apart what compares equal. */
  #fun({ module, index, oldUniq, free, arity, uniq }: Fun, exact: boolean): void {
    const { bytes } = this
    bytes.u8(TAG.fun)
    bytes.text(nameOf(module), 0)
    writeNumber(bytes, index, false)
    writeNumber(bytes, oldUniq, false)
    bytes.size(free.length)
    if (exact) {
      bytes.size(arity)
      bytes.text(uniq, 0)
    } else for (const byte of [arity, ...uniq]) this.#ties.push((byte >> 4) + 1, (byte & 15) + 1)
    this.#push(free, exact)
  }

  #record({ module, name, flags, fields }: NativeRecord, exact: boolean): void {
    const { bytes } = this
    bytes.u8(TAG.record)
    bytes.text(nameOf(module), 0)
    bytes.text(nameOf(name), 0)
    writeNumber(bytes, flags, false)
    bytes.size(fields.length)
    for (const [field] of fields) bytes.text(nameOf(field), 0)
    this.#push(
      fields.map(([, value]) => value),
      exact,
    )
  }

  #bitString(term: string | Uint8Array | BitString): void {
    this.bytes.u8(TAG.bitString)
    if (term instanceof BitString) this.bytes.text(term.bytes, term.bits)
    else this.bytes.text(typeof term === 'string' ? Buffer.from(term) : term, 8)
  }
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NIL_ATOM = Buffer.from('nil')

const nameOf = (value: Atom | boolean | null): Uint8Array =>
  value === null ? NIL_ATOM : value === true ? TRUE : value === false ? FALSE : value.bytes
