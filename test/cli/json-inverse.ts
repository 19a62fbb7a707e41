/** From the JSON of docs/cli.md back to terms: what shows that nothing was lost. */
import {
  Atom,
  atom,
  BitString,
  ExportFun,
  Float,
  Fun,
  ImproperList,
  LocalTerm,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Term,
  Tuple,
} from '../../src/term/index.js'

type Json = null | boolean | number | string | Json[] | { readonly [key: string]: Json }
type Inside = any

export function fromJson(text: string): Term {
  // JSON.parse forgets whether a number had a fraction: that is said by a tag of our own.
  const tagged = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g, token =>
    !token.startsWith('"') && /[.e]/.test(token) ? `{"$float":"${token}"}` : token,
  )
  return termOf(JSON.parse(tagged) as Json)
}

function termOf(json: Json): Term {
  if (json === null || typeof json === 'boolean' || typeof json === 'number') return json
  if (typeof json === 'string') return Buffer.from(json)
  if (Array.isArray(json)) return json.map(termOf)
  const [[key, inside] = ['', null], ...more] = Object.entries(json)
  const read = more.length === 0 && key.startsWith('$') ? tags[key] : undefined
  return read ? read(inside) : new Map(Object.entries(json).map(([key, value]) => [atom(key), termOf(value)]))
}

/** A name where Erlang has an atom and JSON a string, `true` among them */
const name = (text: string): Atom => Atom.intern(text)
const bytes = (text: string): Buffer => Buffer.from(text, 'base64')

const tags: Readonly<Record<string, (inside: Inside) => Term>> = {
  $float: text => new Float(Number(text)),
  $integer: BigInt,
  $atom: atom,
  $binary: bytes,
  $bitstring: ({ base64, size }) => new BitString(bytes(base64), size % 8),
  $tuple: elements => new Tuple(elements.map(termOf)),
  $map: pairs => new Map(pairs.map((pair: Inside) => pair.map(termOf))),
  $improper: ({ elements, tail }) => new ImproperList(elements.map(termOf), termOf(tail)),
  $pid: ({ node, id, serial, creation }) => new Pid(name(node), id, serial, creation),
  $port: ({ node, id, creation }) => new Port(name(node), BigInt(id), creation),
  $reference: ({ node, words, creation }) => new Reference(name(node), creation, words),
  $fun: fun => new ExportFun(name(fun.module), name(fun.function), fun.arity),
  $closure: fun =>
    new Fun({ ...fun, module: name(fun.module), uniq: bytes(fun.uniq), pid: termOf(fun.pid) as Pid, free: fun.free.map(termOf) }),
  $record: ({ module, name: record, flags, fields }) =>
    new NativeRecord(
      name(module),
      name(record),
      fields.map(([field, value]: Inside) => [name(field), termOf(value)]),
      flags,
    ),
  $local: text => new LocalTerm(bytes(text)),
}
