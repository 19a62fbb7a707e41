/**
 * Terms as JSON, so that nothing is lost: two terms that Erlang tells apart (`=:=`) never print alike. What JSON has is written plainly; what
 * it lacks is an object with one key that begins with `$`. The whole mapping is in docs/cli.md.
 */
import { isUtf8 } from 'node:buffer'
import {
  Atom,
  BitString,
  ExportFun,
  Float,
  format,
  Fun,
  ImproperList,
  type LocalTerm,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Term,
  type TermMap,
  Tuple,
} from '../term/index.js'

/** A JavaScript string is JSON that is ready, for no term that arrived is one. */
type Piece = string | Pieces | Term

/** Several, one after the other */
class Pieces {
  readonly inOrder: readonly Piece[]

  constructor(inOrder: readonly Piece[]) {
    this.inOrder = inOrder
  }
}

/** A term as JSON, on one line. What is still to be written waits in a list: nesting costs memory, never JavaScript's stack. */
export function toJson(term: Term): string {
  let text = ''
  const waiting: Piece[] = [term]
  for (let piece = waiting.pop(); piece !== undefined; piece = waiting.pop()) {
    if (typeof piece === 'string') text += piece
    else if (piece instanceof Pieces) for (const next of piece.inOrder.toReversed()) waiting.push(next)
    else waiting.push(json(piece))
  }
  return text
}

function json(term: Term): string | Pieces {
  // JSON's numbers may have a fraction, and Erlang's floats always have one: so 1.0 and 1 are told apart.
  if (typeof term === 'number' || term instanceof Float) return format(term)
  if (typeof term === 'bigint') return tag('integer', `"${term}"`)
  if (typeof term === 'boolean' || term === null) return String(term)
  if (term instanceof Atom) return tag('atom', quote(term.name))
  if (Buffer.isBuffer(term)) return isUtf8(term) ? quote(term.toString()) : tag('binary', base64(term))
  if (Array.isArray(term)) return list(term as readonly Term[])
  if (term instanceof Tuple) return tag('tuple', list(term.elements as readonly Term[]))
  if (term instanceof Map) return map(term as TermMap)
  if (term instanceof ImproperList) return tag('improper', object({ elements: list(term.elements), tail: term.tail }))
  if (term instanceof BitString)
    return tag('bitstring', object({ base64: base64(term.bytes), size: term.bytes.length * 8 - 8 + term.bits }))
  return identity(term)
}

function identity(term: Term): Pieces {
  if (term instanceof Pid) return tag('pid', identifier(term, { id: term.id, serial: term.serial }))
  if (term instanceof Port) return tag('port', identifier(term, { id: `"${term.id}"` }))
  if (term instanceof Reference) return tag('reference', identifier(term, { words: list(term.words) }))
  if (term instanceof ExportFun) return tag('fun', object({ module: quote(term.module), function: quote(term.fun), arity: term.arity }))
  if (term instanceof Fun) return tag('closure', closure(term))
  if (term instanceof NativeRecord) return tag('record', record(term))
  return tag('local', base64((term as LocalTerm).bytes))
}

const identifier = ({ node, creation }: Pid | Port | Reference, own: Record<string, Piece>): Pieces =>
  object({ node: quote(node), ...own, creation })

const closure = ({ module, arity, index, uniq, oldIndex, oldUniq, pid, free }: Fun): Pieces =>
  object({ module: quote(module), arity, index, uniq: base64(uniq), oldIndex, oldUniq, pid, free: list(free) })

const record = ({ module, name, fields, flags }: NativeRecord): Pieces =>
  object({ module: quote(module), name: quote(name), flags, fields: list(fields.map(([field, value]) => list([quote(field), value]))) })

/** Atoms for keys are the common case, and make an ordinary object; other keys come in pairs. */
function map(entries: TermMap): Pieces {
  const names = [...entries.keys()].map(atomName)
  if (names.every(name => name !== undefined && !name.startsWith('$'))) return wrapped('{', names.map(quote), [...entries.values()], '}')
  return tag('map', list([...entries].map(list)))
}

const atomName = (key: Term): string | undefined =>
  key instanceof Atom ? key.name : key === null ? 'nil' : typeof key === 'boolean' ? String(key) : undefined

const quote = (text: unknown): string => JSON.stringify(String(text))
const base64 = (bytes: Uint8Array): string => `"${Buffer.from(bytes).toString('base64')}"`

const tag = (name: string, value: Piece): Pieces => object({ [`$${name}`]: value })
const object = (members: Record<string, Piece>): Pieces => wrapped('{', Object.keys(members).map(quote), Object.values(members), '}')
const list = (items: readonly Piece[]): Pieces => wrapped('[', null, items, ']')

function wrapped(start: string, keys: readonly string[] | null, values: readonly Piece[], end: string): Pieces {
  const pieces: Piece[] = [start]
  for (const [index, value] of values.entries()) {
    if (index > 0) pieces.push(',')
    if (keys) pieces.push(`${keys[index]}:`)
    pieces.push(value)
  }
  pieces.push(end)
  return new Pieces(pieces)
}
