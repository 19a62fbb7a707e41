import t from 'tap'
import type { Control } from '../../src/dist/control.js'
import { defaultFragmentLimits, Fragments } from '../../src/dist/fragments.js'
import { atom } from '../../src/term/index.js'

const control = (name: string): Control => ({ name, signal: { op: 'send' }, payload: 'message' })
const part = (text: string): Buffer => Buffer.from(text)

t.test('a sequence counts down to 1', async t => {
  const fragments = new Fragments(defaultFragmentLimits)
  t.equal(fragments.first(1n, 3n, control('a'), [atom('x')], part('one ')), null)
  t.equal(fragments.next(1n, 2n, part('two ')), null)
  const whole = fragments.next(1n, 1n, part('three'))
  t.equal(whole?.payload.toString(), 'one two three')
  t.strictSame([whole?.control.name, whole?.atoms], ['a', [atom('x')]])
  t.strictSame([fragments.count, fragments.held], [0, 0])
})

t.test('sequences interleave, each with the atoms of its own header', async t => {
  const fragments = new Fragments(defaultFragmentLimits)
  fragments.first(1n, 2n, control('a'), [atom('x')], part('1'))
  fragments.first(2n, 2n, control('b'), [atom('y')], part('2'))
  t.match(
    fragments.first(3n, 1n, control('c'), [], part('3')),
    { control: { name: 'c' }, payload: part('3') },
    'one fragment is a sequence too',
  )
  t.match(fragments.next(2n, 1n, part('2')), { control: { name: 'b' }, atoms: [atom('y')], payload: part('22') })
  t.match(fragments.next(1n, 1n, part('1')), { control: { name: 'a' }, atoms: [atom('x')], payload: part('11') })
  t.equal(fragments.first(1n, 2n, control('a'), [], part('1')), null, 'an id may come again when its sequence is over')
})

t.test('malformed sequences', async t => {
  type Play = (fragments: Fragments) => unknown
  const begin =
    (id: bigint, fragment: bigint): Play =>
    fragments =>
      fragments.first(id, fragment, control('a'), [], part('1'))
  const goOn =
    (id: bigint, fragment: bigint): Play =>
    fragments =>
      fragments.next(id, fragment, part('1'))
  const table: [string, ...Play[]][] = [
    ['id 0, of which the BEAM dies', begin(0n, 2n)],
    ['id 0 alone', begin(0n, 1n)],
    ['fragment 0', begin(1n, 0n)],
    ['fragment 2^63', begin(1n, 1n << 63n)],
    ['a sequence that begins twice', begin(1n, 3n), begin(1n, 3n)],
    ['a sequence that goes on before it began', goOn(1n, 2n)],
    ['a sequence that goes on after it ended', begin(1n, 2n), goOn(1n, 1n), goOn(1n, 1n)],
    ['a fragment left out', begin(1n, 4n), goOn(1n, 2n)],
    ['a fragment twice', begin(1n, 4n), goOn(1n, 3n), goOn(1n, 3n)],
    ['ids that count upwards', begin(1n, 4n), goOn(1n, 5n)],
    ['an end that is 0', begin(1n, 2n), goOn(1n, 0n)],
  ]
  for (const [what, ...plays] of table) {
    const fragments = new Fragments(defaultFragmentLimits)
    const last = plays.pop() as Play
    for (const play of plays) play(fragments)
    t.throws(() => last(fragments), { code: 'DIST_PROTOCOL_FRAGMENT' }, what)
  }
})

t.test('what is unfinished is bounded', async t => {
  const limits = { message: 1000, unfinished: 5500 }
  const long = new Fragments(limits)
  long.first(1n, 10n, control('a'), [], Buffer.alloc(600))
  t.throws(() => long.next(1n, 9n, Buffer.alloc(401)), { code: 'DIST_PROTOCOL_FRAGMENT_LIMIT', message: /1000 bytes/ }, 'one message')

  const many = new Fragments(limits)
  const begin = (id: bigint): void => void many.first(id, 10n, control('a'), [], Buffer.alloc(600))
  begin(1n)
  begin(2n)
  begin(3n)
  t.throws(() => begin(4n), { code: 'DIST_PROTOCOL_FRAGMENT_LIMIT' }, 'several messages')

  const empty = new Fragments(limits)
  const open = (): void => {
    for (let id = 1n; id < 100n; id++) empty.first(id, 10n, control('a'), [], part(''))
  }
  t.throws(open, { code: 'DIST_PROTOCOL_FRAGMENT_LIMIT', message: /maxUnfinished/ }, 'sequences of nothing')

  const heavy = new Fragments(limits)
  const control5000 = (): unknown => heavy.first(1n, 2n, control('a'), [], part(''), 5000)
  t.throws(control5000, { code: 'DIST_PROTOCOL_FRAGMENT_LIMIT' }, 'a control message that takes much')
})

t.test('what is finished is counted no more', async t => {
  const fragments = new Fragments({ message: 1000, unfinished: 5000 })
  for (let id = 1n; id < 50n; id++) {
    fragments.first(id, 3n, control('a'), [], part('1'), 500)
    fragments.next(id, 2n, part(''))
    t.ok(fragments.next(id, 1n, part('3')))
  }
  t.equal(fragments.held, 0)
})

t.test('a payload is put together where it stays, and room is made only for what may be believed', async t => {
  const fragments = new Fragments(defaultFragmentLimits)
  const size = 65_536
  let room = 0
  let moves = 0
  const alloc = Buffer.allocUnsafeSlow
  t.intercept(Buffer, 'allocUnsafeSlow', { value: (size: number) => (moves++, (room = size), alloc(size)) })
  fragments.first(1n, 1600n, control('a'), [], Buffer.alloc(size))
  t.ok(room <= 16 * size, 'at most sixteen times what came')
  for (let fragment = 1599n; fragment > 1n; fragment--) fragments.next(1n, fragment, Buffer.alloc(60_000), Buffer.alloc(size - 60_000))
  const whole = fragments.next(1n, 1n, Buffer.from('end'))
  t.equal(whole?.payload.length, 1599 * size + 3)
  t.equal(whole?.payload.subarray(-3).toString(), 'end')
  t.ok(moves <= 4, 'and it is seldom moved')

  fragments.first(2n, (1n << 63n) - 1n, control('a'), [], Buffer.alloc(10))
  t.ok(room <= 160, 'a claim is no reason to take memory')
  moves = 0
  fragments.first(3n, 1000n, control('a'), [], Buffer.alloc(1))
  for (let fragment = 999n; fragment > 0n; fragment--) fragments.next(3n, fragment, Buffer.alloc(1 + (Number(fragment) % 7) * 100))
  t.ok(moves < 20, 'nor do fragments of other sizes move it each time')
  t.equal(fragments.held, 1024 + 10, 'parts of a few bytes take a few bytes')
})
