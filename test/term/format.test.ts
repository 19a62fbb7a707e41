import fc from 'fast-check'
import t from 'tap'
import {
  atom,
  type Atom,
  BitString,
  equals,
  ExportFun,
  float,
  format,
  Fun,
  ImproperList,
  NativeRecord,
  parse,
  Pid,
  Port,
  Reference,
  type Sendable,
  type Term,
  tuple,
} from '../../src/term/index.js'
import { nested, terms, wrappings } from './arbitrary-term.js'

const node = atom('format-test@x')
const [ok, end] = [atom('ok'), atom('end')]

t.test('one of each', async t => {
  const printed: readonly (readonly [Sendable, string])[] = [
    [1, '1'],
    [-7n, '-7'],
    [0.1, '0.1'],
    [float(1), '1.0'],
    [-0, '-0.0'],
    [2 ** 53, '9.007199254740992e15'],
    [2n ** 64n, '18446744073709551616'],
    [true, 'true'],
    [null, 'nil'],
    [ok, 'ok'],
    [end, "'end'"],
    [atom('maybe'), "'maybe'"],
    [atom('été'), 'été'],
    [atom('Ok'), "'Ok'"],
    [atom('日本'), "'日本'"],
    [atom("it's\n\x00\x9f\x7f"), String.raw`'it\'s\n\000\237\d'`],
    [atom(''), "''"],
    ['text', '<<"text">>'],
    [Buffer.from('say "hi"\\'), String.raw`<<"say \"hi\"\\">>`],
    [Buffer.from('日本'), '<<"日本"/utf8>>'],
    [Buffer.from([0xe9]), '<<"é">>'],
    [Buffer.from([0, 1, 255]), '<<0,1,255>>'],
    [Buffer.from([0x80]), '<<128>>'],
    [new Uint8Array([1]), '<<1>>'],
    ['', '<<>>'],
    [new BitString(Buffer.from([1, 0xa0]), 3), '<<1,5:3>>'],
    [[], '[]'],
    [[104, 105], '"hi"'],
    [[0x65e5, 10], String.raw`"日\n"`],
    [[104, 105.5], '[104,105.5]'],
    [[1, [2]], '[1,[2]]'],
    [[0xd800], '[55296]'],
    [new ImproperList([1, 2], ok), '[1,2|ok]'],
    [tuple(), '{}'],
    [tuple(ok, tuple(1)), '{ok,{1}}'],
    [
      new Map<Term, Term>([
        [ok, 1],
        [tuple(1), [2]],
      ]),
      '#{ok => 1,{1} => [2]}',
    ],
    [{ a: 'x', 'not bare': { b: true } }, `#{a => <<"x">>,'not bare' => #{b => true}}`],
    [new ExportFun(atom('lists'), end, 2), "fun lists:'end'/2"],
    [
      new NativeRecord(
        atom('m'),
        end,
        [
          [atom('a'), 1],
          [atom('B'), [2]],
        ],
        1,
      ),
      "#m:'end'{a = 1,'B' = [2]}",
    ],
  ]
  for (const [term, text] of printed) t.equal(format(term), text)
})

t.test('identities print as they do themselves', async t => {
  const pid = new Pid(node, 85, 1, 2)
  const fun = new Fun({ arity: 1, uniq: Buffer.alloc(16), index: 0, module: atom('m') as Atom, oldIndex: 3, oldUniq: 99, pid, free: [] })
  for (const identity of [pid, new Port(node, 5n, 2), new Reference(node, 2, [1, 2, 3]), fun])
    t.equal(format([identity]), `[${String(identity)}]`)
})

t.test('strings: false prints as ~w does', async t => {
  t.equal(format(['hi', [104], atom('Ok')], { strings: false }), "[<<104,105>>,[104],'Ok']")
})

t.test('a limit cuts the text, and with it the work', async t => {
  t.equal(format([1, 2, 3, 4], { limit: 5 }), '[1,2,...')
  t.equal(format([1, 2, 3, 4], { limit: 9 }), '[1,2,3,4]')
  t.equal(format(Buffer.alloc(1e8, 'a'), { limit: 6 }), '<<"aaa...')
  t.equal(format(Buffer.alloc(1e8, '日'), { limit: 6 }), '<<"日日日...')
  t.equal(format(Buffer.alloc(1e8), { limit: 6 }), '<<0,0,...')
  // as a tree, this has 2^1000 leaves
  t.equal(
    format(
      nested(1_000, 1, term => [term, term]),
      { limit: 1_100 },
    ).length,
    1_103,
  )
})

t.test('what no string can hold is refused in time', async t => {
  t.throws(() => format(nested(1_000, Buffer.alloc(10_000, 'a'), term => [term, term])), { code: 'ERR_TERM_SIZE' })
})

t.test('what is no term is refused', async t => {
  for (const stranger of [
    undefined,
    NaN,
    -Infinity,
    Symbol('s'),
    () => 1,
    new Date(),
    [undefined],
    tuple(new Set()),
    { a: Promise.resolve() },
  ]) {
    t.throws(() => format(stranger as Sendable), { code: 'ERR_TERM_TYPE' })
  }
  t.throws(() => format('\ud800'), { code: 'ERR_TERM_TEXT' })
})

t.test('a term that holds itself is refused; one that holds another twice is not', async t => {
  const list: Term[] = [1]
  list.push(tuple(list))
  t.throws(() => format(list), { code: 'ERR_TERM_CYCLE' })
  const map = new Map<Term, Term>()
  map.set(1, map)
  t.throws(() => format(map), { code: 'ERR_TERM_CYCLE' })
  const twice = tuple(1)
  t.equal(format([twice, twice]), '[{1},{1}]')
})

t.test('10,000 levels', async t => {
  for (const [name, wrap] of Object.entries(wrappings)) {
    const term = nested(10_000, atom('x'), wrap)
    const text = format(term)
    t.ok(text.includes('x') && text.length >= 20_000, name)
    t.ok(equals(parse(text), term), `${name}, and back`)
  }
})

t.test('parse reads every term that has a literal', async t => {
  fc.assert(
    fc.property(terms, fc.boolean(), (term, strings) => equals(parse(format(term, { strings })), term)),
    { numRuns: 500 },
  )
  t.pass()
})
