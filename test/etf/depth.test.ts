/** Ten thousand levels, through every kind of container, and with little stack left. */
import t from 'tap'
import { copy, decode, encode } from '../../src/etf/index.js'
import { atom, Fun, ImproperList, NativeRecord, Pid, type Sendable, type Term, tuple } from '../../src/term/index.js'

const n = atom('n')
const pid = new Pid(n, 1, 2, 3)
const wrappings: Record<string, (inner: Term) => Term> = {
  list: inner => [inner],
  tuple: inner => tuple(inner),
  'tail of a list': inner => new ImproperList([1], tuple(inner)),
  'value of a map': inner => new Map([[1, inner]]),
  'key of a map': inner => new Map([[inner, 1]]),
  'one of two keys of a map': inner =>
    new Map<Term, Term>([
      [inner, 1],
      [Buffer.of(1), 2],
    ]),
  'free variable of a fun': inner =>
    new Fun({ arity: 1, uniq: Buffer.alloc(16), index: 0, module: n, oldIndex: 0, oldUniq: 0, pid, free: [inner] }),
  'field of a record': inner => new NativeRecord(n, n, [[n, inner]], 1),
}

const nested = (levels: number, wrap: (inner: Term) => Term): Term => {
  let term: Term = n
  for (let i = 0; i < levels; i++) term = wrap(term)
  return term
}

/** Runs it at nine tenths of the stack. */
function withLittleStack<T>(run: () => T): T {
  const at = <R>(level: number, what: () => R): R => (level === 0 ? what() : at(level - 1, what))
  const fits = (level: number): boolean => {
    try {
      return at(level, () => true)
    } catch {
      return false // a RangeError: that many levels are too many
    }
  }
  let levels = 100_000
  while (!fits(levels)) levels = Math.floor(levels * 0.95)
  return at(Math.floor(levels * 0.9), run)
}

for (const [name, wrap] of Object.entries(wrappings)) {
  t.test(name, async t => {
    const levels = name === 'tail of a list' ? 5000 : 10_000
    const term = nested(levels, wrap)
    const [bytes, again, copied] = withLittleStack(() => [encode(term), encode(decode(encode(term))), encode(copy(term))] as const)
    t.ok(bytes.equals(again))
    t.ok(bytes.equals(copied))
    const deeper = tuple(term)
    t.throws(() => encode(deeper), { code: 'ETF_DEPTH' })
    t.throws(() => copy(deeper), { code: 'ETF_DEPTH' })
    t.throws(() => decode(Buffer.concat([Buffer.of(131, 104, 1), encode(term).subarray(1)])), { code: 'ETF_DEPTH' })
  })
}

t.test('a list of bytes, and what is empty, is no level', async t => {
  for (const leaf of [[1], [], tuple(), new Map(), 'text', new ImproperList([1], [2])]) {
    let term: Sendable = leaf
    for (let i = 0; i < 10_000; i++) term = [term]
    t.equal(encode(copy(term)).compare(encode(term)), 0)
    t.equal(encode(decode(encode(term))).compare(encode(term)), 0)
  }
})

t.test('a tail that is a list only makes the list longer', async t => {
  const size = 100_000
  const bytes = Buffer.concat([
    Buffer.of(131),
    ...Array.from({ length: size }, () => Buffer.from('6c0000000177016e', 'hex')),
    Buffer.of(106),
  ])
  const list = decode(bytes) as Term[]
  t.equal(list.length, size)
  t.equal(list.at(-1), n)
  let term: Term = [n]
  for (let i = 1; i < size; i++) term = new ImproperList([n], term)
  t.equal(encode(term).compare(encode(list)), 0)
  t.equal((copy(term) as Term[]).length, size)
})

t.test('a hundred megabytes of keys in keys take no more than their bytes', async t => {
  // Each level is a map of two structural keys, one of them all that is below, with a large binary at the bottom.
  let term: Term = Buffer.alloc(2 ** 24)
  for (let i = 0; i < 5000; i++)
    term = new Map([
      [term, 1],
      [Buffer.of(1), 2],
    ])
  const before = performance.now()
  const bytes = encode(term)
  t.equal(encode(decode(bytes)).compare(bytes), 0)
  t.ok(performance.now() - before < 20_000)
})
