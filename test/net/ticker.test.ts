import t from 'tap'
import { Ticker, type TickerOptions } from '../../src/net/ticker.js'
import { ManualClock } from '../process/support.js'

interface Bench {
  readonly clock: ManualClock
  readonly ticker: Ticker
  readonly told: string[]
  /** What waits for the sockets to be read */
  readonly reads: (() => void)[]
}

function bench(over: Partial<TickerOptions> = {}): Bench {
  const clock = new ManualClock()
  const told: string[] = []
  const reads: (() => void)[] = []
  const ticker = new Ticker({
    clock,
    interval: 15_000,
    intensity: 4,
    hidden: false,
    tick: () => told.push(`tick ${clock.now() / 1000}`),
    afterReads: callback => reads.push(callback),
    dead: () => told.push(`dead ${clock.now() / 1000}`),
    ...over,
  })
  return { clock, ticker, told, reads }
}

t.test('a tick goes out for each interval in which nothing else did', async t => {
  const { clock, ticker, told } = bench()
  const seconds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      clock.advance(1000)
      ticker.heard()
    }
  }
  seconds(30)
  t.strictSame(told, ['tick 15', 'tick 30'])
  seconds(1)
  ticker.wrote()
  seconds(29)
  t.strictSame(told, ['tick 15', 'tick 30', 'tick 60'], 'the bytes of second 31 were as good as a tick')
})

t.test('a hidden peer that says nothing is ticked all the same: it may only ever answer', async t => {
  const { clock, ticker, told } = bench({ hidden: true })
  ticker.wrote()
  clock.advance(15_000)
  t.strictSame(told, ['tick 15'])
  ticker.wrote()
  ticker.heard()
  clock.advance(15_000)
  t.strictSame(told, ['tick 15'], 'not when it said something')
})

t.test('a peer that says nothing for four intervals is dead', async t => {
  for (const lastWord of [0, 1, 14]) {
    const { clock, ticker, told, reads } = bench({ tick: () => {} })
    clock.advance(lastWord * 1000)
    ticker.heard()
    clock.advance(75_000 - lastWord * 1000 - 1)
    t.strictSame(reads.length, 0, 'not yet')
    clock.advance(1)
    for (const read of reads) read()
    t.strictSame(told, ['dead 75'], `last heard after ${lastWord} s`)
  }
})

t.test('one that never said a word is dead after 60 s', async t => {
  const { clock, told, reads } = bench({ tick: () => {} })
  clock.advance(60_000)
  for (const read of reads) read()
  t.strictSame(told, ['dead 60'])
})

t.test('a check that ran late reads first, then judges', async t => {
  const { clock, ticker, told, reads } = bench({ tick: () => {} })
  clock.advance(60_000)
  t.equal(reads.length, 1, 'the verdict waits for what has arrived')
  ticker.heard()
  for (const read of reads) read()
  t.strictSame(told, [], 'the peer’s bytes had waited behind the timer')
  clock.advance(15_000)
  ticker.heard()
  clock.advance(59_000)
  t.strictSame(told, [])
})

t.test('ticks go on while the peer says nothing', async t => {
  const { clock, told } = bench()
  clock.advance(45_000)
  t.strictSame(told, ['tick 15', 'tick 30', 'tick 45'])
})

t.test('once stopped it says no more', async t => {
  const { clock, ticker, told, reads } = bench()
  clock.advance(60_000)
  told.length = 0
  ticker.stop()
  for (const read of reads) read()
  clock.advance(600_000)
  t.strictSame(told, [])
  t.equal(clock.pending, 0)
})
