import t from 'tap'
import * as term from '../../src/term/index.js'
import { atom, BitString, ExportFun, float, ImproperList, Pid, Port, Reference, tuple } from '../../src/term/index.js'

const node = atom('a@x')

/** A value, and the tests that hold for it. */
const values: readonly (readonly [unknown, string])[] = [
  [atom('a'), 'isAtom'],
  [true, 'isAtom isBoolean'],
  [null, 'isAtom'],
  [1, 'isNumber isInteger'],
  [2n ** 64n, 'isInteger'],
  [1.5, 'isNumber isFloat'],
  [-0, 'isNumber isFloat'],
  [2 ** 53, 'isNumber isFloat'],
  [float(1), 'isFloat'],
  [Buffer.from('a'), 'isBinary isBitstring'],
  [new BitString(Buffer.from([128]), 1), 'isBitstring'],
  [tuple(1), 'isTuple'],
  [[1], 'isList'],
  [[], 'isList'],
  [new ImproperList([1], 2), ''],
  [new Map(), 'isMap'],
  [new Pid(node, 1, 0, 1), 'isPid'],
  [new Port(node, 1n, 1), 'isPort'],
  [new Reference(node, 1, [1]), 'isRef'],
  [new ExportFun(atom('m'), atom('f'), 0), 'isFun'],
  // what never arrives
  [undefined, ''],
  [NaN, ''],
  [Infinity, ''],
  ['text', ''],
  [new Uint8Array(1), ''],
  [{}, ''],
  [() => 1, ''],
]
const guards = Object.entries(term).filter(([name]) => /^is[A-Z]/.test(name)) as [string, (x: unknown) => boolean][]
t.ok(guards.length >= 14)

for (const [value, expected] of values) {
  const holding = guards.filter(([, guard]) => guard(value)).map(([name]) => name)
  t.strictSame(holding.toSorted(), expected.split(' ').filter(Boolean).toSorted(), String(value))
}
