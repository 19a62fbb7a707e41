import t from 'tap'
import { Pulse, pulseInterval, type PulseLimits } from '../../../src/node/places/pulse.js'

/** A pulse whose looks are taken by hand. */
function watched(limits: PulseLimits) {
  const told: (number | 'given up')[] = []
  const waiting: (() => void)[] = []
  const clock = { now: () => 0, after: (_: number, run: () => void) => (waiting.push(run), () => void waiting.pop()) }
  const pulse = new Pulse({ ...limits, clock, silent: ms => void told.push(ms), givenUp: () => void told.push('given up') })
  const look = async (times = 1): Promise<void> => {
    for (let time = 0; time < times; time++) {
      waiting.pop()?.()
      await new Promise(setImmediate)
    }
  }
  return { pulse, told, look, waiting }
}

t.test('silence is told once, and again when there was a sign between', async t => {
  const { pulse, told, look } = watched({ longSchedule: 100, maxBusy: 0 })
  await look(20)
  t.strictSame(told, [100])
  pulse.heard()
  await look(20)
  t.strictSame(told, [100, 100])
})

t.test('who gives signs is never told of', async t => {
  const { pulse, told, look } = watched({ longSchedule: 100, maxBusy: 100 })
  for (let time = 0; time < 20; time++) {
    pulse.heard()
    await look(4)
  }
  t.strictSame(told, [])
})

t.test('what has come by the time of the look counts, though main was late', async t => {
  const { pulse, told, look } = watched({ longSchedule: 40, maxBusy: 0 })
  await look(4)
  const looked = look()
  pulse.heard()
  await looked
  t.strictSame(told, [])
})

t.test('it is given up after maxBusy, however short or long longSchedule is', async t => {
  const { pulse, told, look, waiting } = watched({ longSchedule: 0, maxBusy: 200 })
  await look(4)
  t.strictSame(told, [])
  await look()
  t.strictSame(told, ['given up'])
  pulse.stop()
  t.equal(waiting.length, 0, 'nothing is left of it')
})

t.test('signs are given as often as the shorter limit asks for, and not at all when nobody asks', async t => {
  t.equal(pulseInterval({ longSchedule: 500, maxBusy: 0 }), 125)
  t.equal(pulseInterval({ longSchedule: 500, maxBusy: 100 }), 25)
  t.equal(pulseInterval({ longSchedule: 0, maxBusy: 1e6 }), 1000)
  t.equal(pulseInterval({ longSchedule: 0, maxBusy: 0 }), 0)
})
