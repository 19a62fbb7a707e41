import t from 'tap'
import type { Place } from '../../../src/node/places/place.js'
import { Spare } from '../../../src/node/places/spare.js'
import { ManualClock } from '../../process/support.js'

const patience = 60_000

function setUp() {
  const clock = new ManualClock()
  const made: string[] = []
  const closed: string[] = []
  let room = true
  const make = (): Place | null => {
    if (!room) return null
    const name = `place ${made.length + 1}`
    made.push(name)
    return { name, spare: false, close: () => closed.push(name) } as unknown as Place
  }
  const full = (is: boolean): void => void (room = !is)
  return { clock, made, closed, full, spare: new Spare({ clock, patience, make }) }
}

t.test('nobody has one before one is wanted, and then one only', async t => {
  const { spare, made } = setUp()
  t.equal(spare.take(), null)
  t.strictSame(made, [])
  spare.keep()
  spare.keep()
  t.strictSame(made, ['place 1'])
  t.match(spare.take(), { name: 'place 1', spare: false })
  t.equal(spare.take(), null, 'it is taken once')
  spare.keep()
  t.match(spare.take(), { name: 'place 2' })
})

t.test('it says of itself that it waits', async t => {
  const { spare } = setUp()
  spare.keep()
  const place = spare.take() as Place
  t.equal(place.spare, false)
  place.spare = true
  t.equal(spare.take(), null)
})

t.test('it does not wait for ever', async t => {
  const { clock, spare, closed } = setUp()
  spare.keep()
  clock.advance(patience - 1)
  t.strictSame(closed, [])
  clock.advance(1)
  t.strictSame(closed, ['place 1'])
  t.equal(spare.take(), null, 'who comes later starts one')
  spare.keep()
  spare.take()
  clock.advance(patience)
  t.strictSame(closed, ['place 1'], 'one that was taken is let be')
})

t.test('one that is lost is not given out, and the loss of another is no matter', async t => {
  const { clock, spare, closed } = setUp()
  spare.keep()
  spare.lost({} as Place)
  const place = spare.take() as Place
  t.match(place, { name: 'place 1' })
  spare.keep()
  spare.lost(place)
  const next = spare.take() as Place
  t.match(next, { name: 'place 2' })
  spare.keep()
  const third = spare.take() as Place
  spare.lost(third)
  spare.keep()
  spare.lost(spare.take() as Place)
  t.equal(spare.take(), null)
  clock.advance(patience)
  t.strictSame(closed, [])
})

t.test('where there is no room, nobody waits', async t => {
  const { spare, made, full } = setUp()
  full(true)
  spare.keep()
  t.equal(spare.take(), null)
  full(false)
  spare.keep()
  t.strictSame(made, ['place 1'])
})
