import { inspect } from 'node:util'
import t from 'tap'
import {
  atom,
  type Atom,
  BitString,
  ExportFun,
  float,
  Fun,
  hostNode,
  ImproperList,
  NativeRecord,
  Pid,
  Port,
  Reference,
  tuple,
} from '../../src/term/index.js'

const node = atom('inspect@x')
t.teardown(hostNode(node))
const pid = new Pid(node, 85, 0, 1)

const shown: readonly (readonly [unknown, string])[] = [
  [atom('ok'), 'Atom(ok)'],
  [atom('A b'), "Atom('A b')"],
  [pid, 'Pid(<0.85.0> inspect@x)'],
  [new Port(node, 5n, 1), 'Port(#Port<0.5> inspect@x)'],
  [new Reference(node, 1, [1, 2, 3]), 'Reference(#Ref<0.3.2.1> inspect@x)'],
  [new ExportFun(atom('lists'), atom('map'), 2), 'ExportFun(fun lists:map/2)'],
  [
    new Fun({ arity: 1, uniq: Buffer.alloc(16), index: 0, module: atom('m') as Atom, oldIndex: 3, oldUniq: 99, pid, free: [] }),
    'Fun(#Fun<m.3.99> inspect@x)',
  ],
  [float(1), 'Float(1.0)'],
  [new BitString(Buffer.from([0xa0]), 3), 'BitString(<<5:3>>)'],
  [tuple(atom('ok'), 1, [pid]), 'Tuple [ Atom(ok), 1, [ Pid(<0.85.0> inspect@x) ] ]'],
  [tuple(), 'Tuple []'],
  [new ImproperList([1], atom('a')), 'ImproperList [ [ 1 ], Atom(a) ]'],
  [new NativeRecord(atom('m'), atom('r'), [[atom('a'), 1]], 1), 'NativeRecord(m:r) [ [ Atom(a), 1 ] ]'],
  [tuple(tuple(tuple(tuple(1)))), 'Tuple [ Tuple [ Tuple [ [Tuple] ] ] ]'],
]
for (const [value, text] of shown) t.equal(inspect(value), text)

t.equal(inspect(tuple(tuple(tuple(tuple(1)))), { depth: null }), 'Tuple [ Tuple [ Tuple [ Tuple [ 1 ] ] ] ]')

const list: unknown[] = []
const self = tuple(list)
list.push(self)
t.equal(inspect(self), 'Tuple [ [ Tuple [ [Array] ] ] ]', 'a term that holds itself can be shown')
