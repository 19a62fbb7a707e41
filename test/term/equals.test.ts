import fc from 'fast-check'
import t from 'tap'
import { decode, encode } from '../../src/etf/index.js'
import {
  atom,
  BitString,
  equals,
  ExportFun,
  float,
  Fun,
  ImproperList,
  NativeRecord,
  Pid,
  Port,
  Reference,
  type Atom,
  type FunParts,
  type Term,
  tuple,
} from '../../src/term/index.js'
import { nested, terms, wrappings } from './arbitrary-term.js'

const [node, other] = [atom('a@x'), atom('b@x')]
const pid = new Pid(node, 1, 2, 3)

/** Groups of values that are one term each, all groups different. */
const groups: Readonly<Record<string, readonly unknown[]>> = {
  'the integer 1': [1, 1n],
  'the float 1.0': [float(1)],
  zero: [0, 0n],
  '0.0': [float(0)],
  '-0.0 is another float, as from OTP 27 on': [-0, float(-0)],
  'a float that JavaScript can tell from an integer': [0.5, float(0.5)],
  'an integer that JavaScript cannot hold': [2n ** 53n],
  'an integral number that is not safe is a float': [2 ** 53, float(2 ** 53)],
  true: [true, atom('true')],
  nil: [null, atom('nil')],
  'the atom a': [atom('a')],
  'the binary a': ['a', Buffer.from('a'), new Uint8Array([97])],
  'a binary in UTF-8': ['é', Buffer.from([0xc3, 0xa9])],
  'the list a': [[97], [97n]],
  'no bits': ['', Buffer.alloc(0)],
  'three bits': [new BitString(Buffer.from([0xa0]), 3), new BitString(Buffer.from([0xa0]), 3)],
  'four bits': [new BitString(Buffer.from([0xa0]), 4)],
  'a byte': [Buffer.from([0xa0])],
  'the empty list': [[]],
  'the empty tuple': [tuple()],
  'the empty map': [new Map(), {}],
  'a tuple': [tuple(1, 'a'), tuple(1n, Buffer.from('a'))],
  'a longer one': [tuple(1, 'a', 1)],
  'an improper list': [new ImproperList([1], 2), new ImproperList([1n], 2)],
  'with another tail': [new ImproperList([1], 3)],
  'a proper one': [[1, 2]],
  'a map': [
    { a: 1, b: 'x' },
    new Map<unknown, unknown>([
      [atom('b'), 'x'],
      [atom('a'), 1n],
    ]),
  ],
  'with another value': [{ a: 1, b: 'y' }],
  'with another key': [{ a: 1, c: 'x' }],
  'with a key more': [{ a: 1, b: 'x', c: 'x' }],
  'a map with keys of all kinds': [
    new Map<unknown, unknown>([
      [1, 'int'],
      [float(1), 'float'],
      [tuple(1), 'tuple'],
      ['text', 'binary'],
      [atom('a'), 'atom'],
      [[], 'nil'],
    ]),
    new Map<unknown, unknown>([
      [[], 'nil'],
      [Buffer.from('text'), 'binary'],
      [tuple(1n), 'tuple'],
      [atom('a'), 'atom'],
      [float(1), 'float'],
      [1n, 'int'],
    ]),
  ],
  'the same with other values': [
    new Map<unknown, unknown>([
      [1, 'float'],
      [float(1), 'int'],
      [tuple(1), 'tuple'],
      ['text', 'binary'],
      [atom('a'), 'atom'],
      [[], 'nil'],
    ]),
  ],
  'a pid': [pid, new Pid(node, 1, 2, 3)],
  'of another id': [new Pid(node, 2, 2, 3)],
  'of another serial': [new Pid(node, 1, 3, 3)],
  'of another creation': [new Pid(node, 1, 2, 4)],
  'of another node': [new Pid(other, 1, 2, 3)],
  'a port': [new Port(node, 1n, 3), new Port(node, 1n, 3)],
  'another port': [new Port(node, 2n ** 64n - 1n, 3)],
  'a port of another creation': [new Port(node, 1n, 4)],
  'a reference; words of 0 at its end do not count': [new Reference(node, 3, [1, 2]), new Reference(node, 3, [1, 2, 0])],
  'another reference': [new Reference(node, 3, [1, 2, 1])],
  'a reference of another creation': [new Reference(node, 4, [1, 2])],
  'fun m:f/1': [new ExportFun(atom('m'), atom('f'), 1), new ExportFun(atom('m'), atom('f'), 1)],
  'fun m:f/2': [new ExportFun(atom('m'), atom('f'), 2)],
  'fun m:g/1': [new ExportFun(atom('m'), atom('g'), 1)],
  'fun n:f/1': [new ExportFun(atom('n'), atom('f'), 1)],
  'a closure, wherever it was made': [fun({}), fun({ pid: new Pid(other, 9, 9, 9) })],
  'another version of its module': [fun({ uniq: Buffer.alloc(16, 1) })],
  'another closure of it': [fun({ index: 1 })],
  'of another arity': [fun({ arity: 1 })],
  'over another value': [fun({ free: [float(1)] })],
  'over more values': [fun({ free: [1, 1] })],
  'a native record': [record('m', [['a', 1]]), record('m', [['a', 1n]])],
  'a native record of another module': [record('n', [['a', 1]])],
  'with another field': [record('m', [['b', 1]])],
  'with another value in it': [record('m', [['a', float(1)]])],
  'one with a field more': [
    record('m', [
      ['a', 1],
      ['b', 1],
    ]),
  ],
}

function fun(parts: Partial<FunParts>): Fun {
  return new Fun({ arity: 0, uniq: Buffer.alloc(16), index: 0, module: atom('m'), oldIndex: 0, oldUniq: 1, pid, free: [1], ...parts })
}

function record(module: string, fields: readonly (readonly [string, Term])[]): NativeRecord {
  return new NativeRecord(
    atom(module) as Atom,
    atom('r'),
    fields.map(([name, value]) => [atom(name) as Atom, value]),
    1,
  )
}

t.test('what is one term, and what is another', async t => {
  const values = Object.entries(groups).flatMap(([name, group]) => group.map(value => ({ name, value })))
  for (const a of values) {
    for (const b of values) {
      if (equals(a.value, b.value) !== (a.name === b.name)) t.fail(`${a.name} / ${b.name}`)
      if (equals(tuple([a.value]), tuple([b.value])) !== (a.name === b.name)) t.fail(`inside: ${a.name} / ${b.name}`)
    }
  }
  t.ok(values.length > 70)
})

t.test('a term equals its copy', async t => {
  fc.assert(fc.property(terms, term => equals(decode(encode(term), { floats: 'exact' }), term)))
  t.pass()
})

t.test('two terms are equal when their bytes are, unless maps order their keys differently', async t => {
  const withoutMaps = terms.filter(term => !encode(term).includes(116))
  fc.assert(fc.property(withoutMaps, withoutMaps, (a, b) => equals(a, b) === encode(a).equals(encode(b))))
  t.pass()
})

t.test('10,000 levels', async t => {
  for (const [name, wrap] of Object.entries(wrappings)) {
    t.ok(equals(nested(10_000, 1, wrap), nested(10_000, 1, wrap)), name)
    t.notOk(equals(nested(10_000, 1, wrap), nested(10_000, float(1), wrap)), name)
    t.notOk(equals(nested(10_000, 1, wrap), nested(9_999, 1, wrap)), name)
  }
})

t.test('what is no term equals only itself', async t => {
  const strangers = [undefined, NaN, Symbol('s'), () => 1, new Date(0), new Set()]
  for (const stranger of strangers) {
    for (const term of [...Object.values(groups).flat(), ...strangers.filter(s => s !== stranger), new Date(0), new Set()]) {
      if (equals(stranger, term) || equals(term, stranger)) t.fail(`${String(stranger)} / ${String(term)}`)
    }
  }
  const date = new Date(0)
  t.ok(equals(tuple(date), tuple(date)))
})

t.test('a term that holds itself is refused', async t => {
  const [a, b]: Term[][] = [[], []]
  a!.push(a!)
  b!.push(b!)
  t.throws(() => equals(a, b), { code: 'ERR_TERM_DEPTH' })
})
