/** Values of every kind that may be sent, sloppy ones too: strings, plain objects, `1n`, lists whose tail is a list. */
import fc from 'fast-check'
import { encode } from '../../src/etf/index.js'
import {
  Atom,
  BitString,
  ExportFun,
  float,
  Fun,
  ImproperList,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Sendable,
  type Term,
  tuple,
} from '../../src/term/index.js'

const names = fc.constantFrom('a', 'ok', 'node@host', 'näme', '日本', 'true', 'nil', '', 'a'.repeat(255))
const atomObjects = names.map(name => Atom.intern(name))
const u32 = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constant(2 ** 32 - 1))
const bytes = fc.uint8Array({ maxLength: 40 })

const integers = fc.oneof(
  fc.integer({ min: -2, max: 300 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -5n, max: 300n }),
  fc.bigInt(),
  fc.constantFrom(...[31n, 32n, 53n, 63n, 64n, 2040n].flatMap(bits => [2n ** bits - 1n, 2n ** bits, -(2n ** bits), -(2n ** bits) - 1n])),
)
const floats = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-0, 2 ** 53, -(2 ** 60), 1e300, 5e-324),
  fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(-0, 0.5, 1e300)).map(float),
)
const texts = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 30 }).filter(text => text.isWellFormed()),
  fc.constantFrom('', 'a', 'x'.repeat(300)),
)
const binaries = fc.oneof(
  bytes,
  bytes.map(part => Buffer.from(part)),
)
const bitStrings = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 7 }))
  .map(([part, bits]) => new BitString(Buffer.from(part), bits))
const pids = fc.tuple(atomObjects, u32, u32, u32).map(([node, id, serial, creation]) => new Pid(node, id, serial, creation))
const identities = fc.oneof(
  pids,
  fc.tuple(atomObjects, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), u32).map(([node, id, creation]) => new Port(node, id, creation)),
  fc
    .tuple(atomObjects, u32, fc.array(u32, { minLength: 1, maxLength: 5 }))
    .map(([node, creation, words]) => new Reference(node, creation, words)),
  fc.tuple(atomObjects, atomObjects, fc.nat(255)).map(([module, fun, arity]) => new ExportFun(module, fun, arity)),
)
const byteLists = fc.array(fc.oneof(fc.nat(255), fc.bigInt({ min: 0n, max: 255n })), { maxLength: 20 })

/** A map whose keys are equal in Erlang cannot be sent: this is one that can. */
const sendableMap = (entries: readonly (readonly [Sendable, Sendable])[]): Map<Sendable, Sendable> => {
  const seen = new Set<string>()
  return new Map(entries.filter(([key]) => seen.size !== seen.add(canonical(key)).size))
}

/** Equal for terms that are equal. Keys with maps in them are taken for equal, so that order does not matter. */
const canonical = (key: Sendable): string => {
  const hex = encode(key).toString('hex')
  return /74000000(?!00)/.test(hex) ? 'holds a map' : hex
}

interface Kinds {
  value: Sendable
  list: Sendable[]
  map: Map<Sendable, Sendable>
}

export const sendables: fc.Arbitrary<Sendable> = fc.letrec<Kinds>((tie: fc.LetrecTypedTie<Kinds>) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.oneof(integers, floats, texts, binaries, bitStrings, identities, byteLists, fc.boolean(), fc.constant(null), atomObjects),
    tie('list'),
    tie('list').map(elements => tuple(...elements)),
    tie('map'),
    fc.dictionary(
      names.filter(name => name !== ''),
      tie('value'),
      { maxKeys: 3 },
    ),
    fc
      .tuple(fc.array(tie('value'), { minLength: 1, maxLength: 3 }), tie('value'))
      .map(([elements, tail]) => new ImproperList(elements as Term[], tail as Term)),
    fc
      .tuple(atomObjects, u32, fc.integer(), pids, fc.array(tie('value'), { maxLength: 3 }))
      .map(
        ([module, index, oldUniq, pid, free]) =>
          new Fun({ arity: 1, uniq: Buffer.alloc(16, index), index, module, oldIndex: 0, oldUniq, pid, free: free as Term[] }),
      ),
    fc.tuple(atomObjects, fc.uniqueArray(names, { maxLength: 3 }), fc.array(tie('value'), { minLength: 3, maxLength: 3 })).map(
      ([name, fields, values]) =>
        new NativeRecord(
          name,
          name,
          fields.map((field, i) => [Atom.intern(field), values[i] as Term]),
          1,
        ),
    ),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 5 }).map(sendableMap),
})).value
