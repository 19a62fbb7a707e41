import t from 'tap'
import { atom, ExitError, type Term } from '../../src/index.js'
import { genStatem, keep, next, reply, stop } from '../../src/otp/index.js'
import { cluster } from '../node/support.js'

t.test('genStatem', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  node.on('crash', () => {})

  await t.test('handleEvent takes what no state does, and states may be any term', async t => {
    const counter = genStatem({
      init: () => next(1, [] as Term[]),
      handleEvent(event, state, data) {
        if (event.type === 'call' && event.content === atom('get')) return reply([state, ...data], keep(data))
        if (event.type === 'cast') return next((state as number) + 1, data, { timeouts: { n: 0 } })
        return keep([atom(event.type === 'timeout' ? `timeout ${event.name}` : event.type), ...data])
      },
    })
    const { pid } = await node.start(counter)
    node.cast(pid, atom('up'))
    node.send(pid, 5)
    t.strictSame(await node.call(pid, atom('get')), [2, atom('info'), atom('timeout n')])
  })

  await t.test('async handlers keep the order, and their end is reported', async t => {
    const ended: Term[] = []
    const slow = genStatem({
      init: async () => next('only', 0),
      states: {
        only: {
          call: {
            async add(sum, by: number) {
              await new Promise(resolve => setImmediate(resolve))
              return reply(sum + by, keep(sum + by))
            },
            end: sum => stop(atom('over'), sum, sum),
          },
          cast: {
            fail() {
              throw new TypeError('no')
            },
          },
        },
      },
      terminate: reason => void ended.push(reason),
    })
    const ref = await node.start(slow)
    t.strictSame(await Promise.all([ref.call('add', 1), ref.call('add', 2), ref.call('add', 3)]), [1, 3, 6])
    t.equal(await ref.call('end'), 6)
    t.strictSame(ended, [atom('over')])
    const failing = await node.start(slow)
    const waiting = failing.call('add', 1).then(() => failing.call('end'))
    await waiting
    const last = await node.start(slow)
    last.cast('fail')
    await t.rejects(last.call('add', 1), ExitError)
  })
})
