import t from 'tap'
import { fragmentSize, Lanes, type Message, type Piece } from '../../src/dist/lanes.js'
import { Rope } from '../../src/dist/rope.js'

const message = (size: number, payloadStart = 10): Message => ({ bytes: new Rope([Buffer.alloc(size)]), payloadStart, atoms: [] })

/** Takes all pieces out, at most `limit`. */
function drain(lanes: Lanes, limit = Infinity): Piece[] {
  const pieces: Piece[] = []
  while (pieces.length < limit) {
    const piece = lanes.next()
    if (piece === null) break
    pieces.push(piece)
  }
  return pieces
}

t.test('a large message leaves in fragments that count down to 1', async t => {
  const lanes = new Lanes()
  const large = message(3 * fragmentSize + 5)
  lanes.push('a', large)
  t.equal(lanes.bytes, 3 * fragmentSize + 5)
  const pieces = drain(lanes)
  t.strictSame(
    pieces.map(({ fragment, first, length }) => [fragment, first, length]),
    [
      [4, true, fragmentSize],
      [3, false, fragmentSize],
      [2, false, fragmentSize],
      [1, false, 5],
    ],
  )
  t.equal(new Set(pieces.map(({ sequence }) => sequence)).size, 1)
  t.not(pieces[0]?.sequence, 0n, 'sequence id 0 would end the BEAM')
  t.strictSame([lanes.bytes, lanes.isEmpty], [0, true])
})

t.test('the first fragment holds the whole control message', async t => {
  const lanes = new Lanes()
  lanes.push('a', message(3 * fragmentSize, 2 * fragmentSize + 1))
  t.strictSame(
    drain(lanes).map(({ length }) => length),
    [2 * fragmentSize + 1, fragmentSize - 1],
  )
})

t.test('an exact multiple of the fragment size has no empty fragment', async t => {
  const lanes = new Lanes()
  lanes.push('a', message(2 * fragmentSize))
  t.strictSame(
    drain(lanes).map(({ fragment, length }) => [fragment, length]),
    [
      [2, fragmentSize],
      [1, fragmentSize],
    ],
  )
})

t.test('senders take turns, and each keeps its order', async t => {
  const lanes = new Lanes()
  const [a, b, small] = [message(2 * fragmentSize), message(2 * fragmentSize), message(100)]
  lanes.push('a', a)
  lanes.push('b', b)
  lanes.push('a', small)
  t.ok(lanes.has('a'))
  const pieces = drain(lanes)
  const order = pieces.map(({ message }) => (message === a ? 'a' : message === b ? 'b' : 'small'))
  t.strictSame(order, ['a', 'b', 'a', 'b', 'small'])
  t.match(pieces[4], { sequence: 0n, first: true, length: 100, fragment: 1 }, 'what fits one frame is no sequence')
  t.not(pieces[0]?.sequence, pieces[1]?.sequence)
  t.notOk(lanes.has('a'))
})

t.test('a message of an unknown sender waits for all that was there before it, and for no more', async t => {
  const lanes = new Lanes()
  const [a, b, later, meeting] = [message(2 * fragmentSize), message(3 * fragmentSize), message(100), message(50)]
  const name = new Map([
    [a, 'a'],
    [b, 'b'],
    [later, 'later'],
    [meeting, 'meeting'],
  ])
  lanes.push('a', a)
  lanes.push('b', b)
  lanes.pushBehindAll(meeting)
  lanes.push('a', later)
  t.strictSame(
    drain(lanes).map(({ message }) => name.get(message)),
    ['a', 'b', 'a', 'b', 'b', 'later', 'meeting'],
  )
  t.equal(lanes.bytes, 0)
})

t.test('even a large one', async t => {
  const lanes = new Lanes()
  lanes.push('a', message(2 * fragmentSize))
  lanes.pushBehindAll(message(3 * fragmentSize))
  t.strictSame(
    drain(lanes).map(({ fragment }) => fragment),
    [2, 1, 3, 2, 1],
  )
  t.equal(lanes.bytes, 0)
})
