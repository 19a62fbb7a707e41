import t from 'tap'
import { atom, format, type NodeProcess, tuple } from '../../src/index.js'
import { EventError, eventHandler, genEvent, removeHandler, reply, stop, supervisor } from '../../src/otp/index.js'
import { cluster } from '../node/support.js'

t.test('genEvent', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  node.on('crash', () => {})

  const slow = eventHandler({
    init: async (start: number) => (start < 0 ? stop(tuple(atom('below'), start)) : start),
    async handleEvent(event, sum) {
      await new Promise(resolve => setImmediate(resolve))
      return sum + (event as number)
    },
    call: {
      get: async sum => reply(sum, sum),
      fail() {
        throw new TypeError('no')
      },
      last: sum => reply(sum, removeHandler),
    },
    handleCall: (request, sum) => reply([request, sum], sum),
    terminate: async (why, sum) => tuple(why, sum),
  })
  const keeper = eventHandler({
    init: () => ({ keep: () => 1 }),
    handleEvent: (_, state) => state,
    call: { size: state => reply(state.keep(), state) },
  })
  const events = genEvent({ handlers: { slow, keeper } })

  await t.test('async handlers keep the order', async t => {
    const ref = await node.start(events)
    await ref.addHandler('slow', 1)
    await ref.addHandler(['slow', 2], 20)
    ref.notify(1)
    const one = ref.call('slow', 'get')
    await ref.syncNotify(2)
    t.strictSame([await one, await ref.call('slow', 'get'), await ref.call(['slow', 2], 'get')], [2, 4, 23])
    t.equal(format(await ref.request('slow', 7)), '[7,4]')
    t.strictSame(await ref.whichHandlers(), [['slow', 2], 'slow'])
    t.equal(format(await ref.deleteHandler(['slow', 2], atom('why'))), '{why,23}')
    t.equal(await ref.call('slow', 'last'), 4)
    t.strictSame(await ref.whichHandlers(), [])
  })

  await t.test('what a handler throws removes it, and is told to who called', async t => {
    const ref = await node.start(events)
    await ref.addHandler('slow', 1)
    const failed: unknown = await ref.call('slow', 'fail').catch((error: unknown) => error)
    t.ok(failed instanceof EventError)
    t.match(format((failed as EventError).reason), /^\{'EXIT',\{\{'TypeError',<<"no">>\},\[/)
    t.strictSame(await ref.whichHandlers(), [])
    await t.rejects(ref.addHandler('slow', -1), { code: 'ERR_EVENT', reason: tuple(atom('below'), -1) })
    await t.rejects(ref.deleteHandler('slow'), { code: 'ERR_EVENT', reason: atom('module_not_found') })
    await t.rejects(ref.call('slow', 'get'), { code: 'ERR_EVENT', reason: atom('bad_module') })
    await t.rejects(ref.addSupHandler('slow', 1), { code: 'ERR_BADARG' })
  })

  await t.test('a state may be what is no term', async t => {
    const ref = await node.start(events)
    await ref.addHandler('keeper')
    t.equal(await ref.call('keeper', 'size'), 1)
  })

  await t.test('a manager that is killed ends in the middle of a handler', async t => {
    let entered: () => void = () => {}
    const inside = new Promise<void>(resolve => (entered = resolve))
    const stuck = eventHandler({
      init: () => 0,
      handleEvent() {
        entered()
        return new Promise<number>(() => {})
      },
    })
    const ref = await node.start(genEvent({ handlers: { stuck } }))
    await ref.addHandler('stuck')
    const waiting = ref.syncNotify(1)
    await inside
    node.exit(ref.pid, atom('kill'))
    await t.rejects(waiting, { code: 'ERR_EXIT', reason: atom('killed') })
  })

  await t.test('a supervisor has it as a child, and its end ends it', async t => {
    const sup = await node.start(supervisor({ children: [{ id: 'events', start: events, name: 'events' }] }))
    const ref = node.eventRef<typeof events>('events')
    await node.run(async (self: NodeProcess) => {
      await ref.with({ self }).addSupHandler('slow', 1)
      await sup.terminateChild('events')
      t.equal(format(await self.receive()), '{gen_event_EXIT,slow,shutdown}')
    })
    await t.rejects(async () => ref.notify(1), { code: 'ERR_NOT_REGISTERED' })
    await sup.restartChild('events')
    t.strictSame(await ref.whichHandlers(), [])
  })
})
