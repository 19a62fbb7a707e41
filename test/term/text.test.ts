import fc from 'fast-check'
import t from 'tap'
import { atom, ImproperList, type Sendable, type Term, text, tuple } from '../../src/term/index.js'
import { nested } from './arbitrary-term.js'

const bytes = (...values: number[]): Buffer => Buffer.from(values)

t.test('what unicode:characters_to_list reads', async t => {
  const read: readonly (readonly [Sendable, string])[] = [
    ['already', 'already'],
    [Buffer.from('déjà 日本 😀'), 'déjà 日本 😀'],
    [new Uint8Array([0xef, 0xbb, 0xbf, 0x61]), '\ufeffa'],
    [Buffer.alloc(0), ''],
    [[], ''],
    [[104, 0xe9, 0x65e5, 0x1f600], 'hé日😀'],
    [[104, [Buffer.from('é'), [[]], 'llo'], [[33]]], 'héllo!'],
    [new ImproperList([97], Buffer.from('bc')), 'abc'],
    [[new ImproperList([97], Buffer.from('b')), 99], 'abc'],
    [[bytes(0xc3), bytes(0xa9)], 'é'],
    [[bytes(0xe6), [[bytes(0x97)], bytes(0xa5)]], '日'],
  ]
  for (const [term, string] of read) t.equal(text(term), string)
})

t.test('what it does not read', async t => {
  const refused: readonly unknown[] = [
    atom('ok'),
    true,
    null,
    5,
    1.5,
    10n,
    tuple(),
    new Map(),
    {},
    bytes(0xff),
    bytes(0xc3),
    [bytes(0xc3), 0xa9],
    [0xd800],
    [-1],
    [-0],
    [0x110000],
    [97.5],
    [2 ** 32 + 97],
    [97n],
    [atom('ok')],
    [[tuple(97)]],
    new ImproperList([97], 98),
    '\ud800',
    ['\ud800'],
  ]
  for (const term of refused) t.throws(() => text(term as Sendable), { code: 'ERR_TERM_TEXT' })
  t.throws(() => text([undefined] as unknown as Sendable), { code: 'ERR_TERM_TYPE' })
  t.throws(() => text(undefined as unknown as Sendable), { code: 'ERR_TERM_TYPE' })
})

t.test('a list that holds itself is refused; one that holds another twice is not', async t => {
  const list: Term[] = [97]
  list.push([list])
  t.throws(() => text(list), { code: 'ERR_TERM_CYCLE' })
  const twice = [97, 98]
  t.equal(text([twice, twice]), 'abab')
})

t.test('100,000 levels, a million characters', async t => {
  t.equal(text(nested(100_000, 97, term => [term, 98])), `a${'b'.repeat(100_000)}`)
  t.ok(text(Array.from({ length: 1e6 }, () => 0x1f600)) === '😀'.repeat(1e6))
})

t.test('reads what any text becomes, however it is cut up', async t => {
  const part = fc.string({ unit: 'binary' })
  const cut = fc.constantFrom(
    (s: string): Term => Buffer.from(s),
    (s: string): Term => Array.from(s, c => c.codePointAt(0)!),
  )
  fc.assert(fc.property(fc.array(fc.tuple(part, cut)), parts => text(parts.map(([s, as]) => as(s))) === parts.map(([s]) => s).join('')))
  fc.assert(
    fc.property(part, fc.nat(8), (s, size) => {
      const all = Buffer.from(s)
      return text([all.subarray(0, size), [all.subarray(size, size + 1)], all.subarray(size + 1)]) === s
    }),
  )
  t.pass()
})
