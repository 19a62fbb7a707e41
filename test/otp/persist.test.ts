/** `persist` of genServer, with a table that writes when it is told to. */
import t, { type Test } from 'tap'
import { atom, ExitError, format, get, type Node, NodeError, type Sendable, type Term, type TermMap, tuple } from '../../src/index.js'
import { genServer, genStatem, keep, next, noreply, reply, stop, supervisor } from '../../src/otp.js'
import type { From } from '../../src/otp/gen/server-types.js'
import { cluster } from '../node/support.js'
import { ManualClock } from '../process/support.js'

/** Rows by the text of their keys. A write waits in `asked` until it is done. */
class Table {
  readonly rows = new Map<string, Term>()
  readonly asked: { readonly row: Term; done(error?: Error): void }[] = []
  readonly #automatic: boolean
  #told = (): void => {}

  constructor(automatic = false) {
    this.#automatic = automatic
  }

  async get(key: Sendable): Promise<Term | undefined> {
    return this.rows.get(format(key as Term))
  }

  put(key: Sendable, row: Term): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        if (error) return reject(error)
        this.rows.set(format(key as Term), row)
        resolve()
      }
      this.asked.push({ row, done })
      if (this.#automatic) this.asked.shift()?.done()
      this.#told()
    })
  }

  /** The next write, when it has been asked for */
  async next(): Promise<{ readonly row: Term; done(error?: Error): void }> {
    while (this.asked.length === 0) await new Promise<void>(resolve => (this.#told = resolve))
    return this.asked.shift() as never
  }
}

async function started(t: Test, options = {}): Promise<Node> {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start(options)
  node.on('crash', () => {})
  return node
}

const counter = (table: Table, more = {}) =>
  genServer({
    init: (start: number) => start,
    call: {
      add: (n, by: number) => reply(n + by, n + by),
      get: n => reply(n, n),
      end: n => stop(atom('normal'), n + 100, atom('ended')),
      crash: () => {
        throw new Error('crash')
      },
    },
    cast: { add: (n, by: number) => n + by },
    persist: { table, key: 'counter', ...more },
  })

/** What has happened once all that is due has */
const settled = (): Promise<void> => new Promise(resolve => setImmediate(() => setImmediate(resolve)))

t.test('nobody hears of a state before it is written; what changes meanwhile is written together', async t => {
  const node = await started(t)
  const table = new Table()
  const ref = await node.start(counter(table), { args: [0], name: 'counter' })
  t.equal(await ref.call('get'), 0, 'what is the first state is not written')
  const said: number[] = []
  const calls = [ref.call('add', 1), ref.call('add', 2), ref.call('get'), ref.call('add', 3)].map(call => call.then(n => void said.push(n)))
  const first = await table.next()
  await settled()
  t.same(said, [])
  t.equal(table.asked.length, 0, 'one write at a time')
  first.done()
  await calls[0]
  t.same(first.row, tuple(0, 1))
  const second = await table.next()
  await settled()
  t.same(said, [1])
  second.done()
  await Promise.all(calls)
  t.same(second.row, tuple(0, 6), 'of three calls the last')
  t.same(said, [1, 3, 3, 6])
  t.equal(await ref.call('get'), 6, 'nothing changed: nothing is written')
  t.equal(table.asked.length, 0)
})

t.test('an answer that comes later waits, too', async t => {
  const node = await started(t)
  const table = new Table()
  const kept: From<number>[] = []
  const server = genServer({
    init: () => new Map<Term, Term>(),
    call: {
      later(n) {
        kept.push(this.from<number>())
        return noreply(n, kept.at(-1) as From<number>)
      },
    },
    cast: { put: (map, key: number) => map.set(key, key) }, // in place: it is seen all the same
    info: (map, message) => {
      kept[0]?.reply(message as number)
      return map
    },
    persist: {
      table: () => Promise.resolve(table),
      key: (...args: []) => tuple('key', args.length),
      restore: saved => saved as Map<Term, Term>,
    },
  })
  const ref = await node.start(server)
  let over = false
  const later = ref.call('later').then(value => ((over = true), value))
  ref.cast('put', 7)
  node.send(ref.pid, 42)
  const write = await table.next()
  await settled()
  t.notOk(over)
  write.done()
  t.equal(await later, 42)
  t.same([...table.rows.keys()], ['{<<"key">>,0}'])
})

t.test('after a crash the supervisor starts it with what was saved', async t => {
  const node = await started(t)
  const table = new Table(true)
  const sup = await node.start(supervisor({ children: [{ id: 'counter', start: counter(table), args: [5], name: 'counter' }] }))
  const ref = node.ref<ReturnType<typeof counter>>('counter')
  t.equal(await ref.call('add', 1), 6)
  const old = ref.pid
  const down = node.run(async self => {
    self.monitor(old)
    await self.receive()
  })
  await t.rejects(ref.call('crash'), ExitError)
  await down
  await sup.whichChildren() // it has been started again
  t.equal(await ref.call('get'), 6)
})

t.test('at a usual end all is written before its caller is answered', async t => {
  const node = await started(t)
  const table = new Table()
  const ref = await node.start(counter(table), { args: [0] })
  let over = false
  const ended = ref.call('end').then(value => ((over = true), value))
  const write = await table.next()
  await settled()
  t.notOk(over)
  write.done()
  t.equal(await ended, atom('ended'))
  t.same(table.rows.get('<<"counter">>'), tuple(0, 100))
})

t.test('every so many milliseconds: answers do not wait', async t => {
  const clock = new ManualClock()
  const node = await started(t, { clock })
  const table = new Table(true)
  const definition = counter(table, { every: 1000 })
  const ref = await node.start(definition, { args: [0] })
  t.equal(await ref.call('add', 1), 1)
  clock.advance(999)
  t.equal(await ref.call('add', 1), 2)
  t.equal(table.rows.size, 0)
  clock.advance(1)
  await settled()
  t.same(table.rows.get('<<"counter">>'), tuple(0, 2))
  t.equal(await ref.call('add', 1), 3)
  await t.rejects(ref.call('crash'), ExitError)
  t.same(table.rows.get('<<"counter">>'), tuple(0, 2), 'a crash goes back to what was written')
  const next = await node.start(definition, { args: [0] })
  t.equal(await next.call('add', 5), 7)
  t.equal(await next.call('end'), atom('ended'))
  t.same(table.rows.get('<<"counter">>'), tuple(0, 107), 'a usual end does not')
})

t.test('a state of another version, and one that comes back as another type', async t => {
  const node = await started(t)
  const table = new Table(true)
  table.rows.set('<<"counter">>', tuple(1, 'seven'))
  const fails = async (more: object, why: RegExp): Promise<void> => {
    const error = (await node.start(counter(table, more), { args: [0] }).then(String, (error: unknown) => error)) as ExitError
    t.match(error.message, why)
    t.same(table.rows.get('<<"counter">>'), tuple(1, 'seven'), 'it stays')
  }
  await fails({ vsn: 2 }, /\{saved_vsn,1,2\}/)
  await fails({ vsn: 2, restore: () => Promise.reject(new TypeError('odd')) }, /TypeError.*odd/s)
  const moved = genServer({
    init: () => 0,
    call: { get: n => reply(n, n) },
    codeChange: (oldVsn, saved: unknown, extra) => {
      t.same([oldVsn, extra], [1, atom('restored')])
      t.equal(String(saved), 'seven')
      return 7
    },
    persist: { table, key: 'counter', vsn: 2 },
  })
  t.equal(await (await node.start(moved)).call('get'), 7)
  t.same(table.rows.get('<<"counter">>'), tuple(2, 7), 'and is of the new version now')

  interface Shop {
    readonly name: string
    readonly opened: number
  }
  const shop = genServer({
    init: (): Shop => ({ name: 'new', opened: 1 }),
    call: { name: shop => reply(shop.name, shop), rename: (shop, name: Buffer) => reply(true, { ...shop, name: String(name) }) },
    persist: {
      table,
      key: 'shop',
      vsn: 3,
      save: ({ name }) => ({ name }),
      restore: (saved, fresh, vsn) => {
        t.equal(vsn, 3)
        return { ...fresh, name: String(get(saved as TermMap, atom('name'))) }
      },
    },
  })
  t.equal(await (await node.start(shop)).call('rename', 'old'), true)
  t.equal(String(await (await node.start(shop)).call('name')), 'old')
  table.rows.set('<<"counter">>', atom('other'))
  const error = await node.start(counter(table), { args: [0] }).then(String, (error: ExitError) => error.message)
  t.match(error, /\{not_a_state,other\}/)
})

t.test('a table that refuses a state ends the server, and its callers are told', async t => {
  const node = await started(t)
  const table = new Table()
  const ref = await node.start(counter(table), { args: [0] })
  const lost = ref.call('add', 1).then(String, (error: ExitError) => error.message)
  const full = new NodeError('STORE_FULL', 'There is no room.')
  ;(await table.next()).done(full)
  t.match(await lost, /There is no room/)
  const other = await node.start(counter(table), { args: [0] })
  const ended = other.call('end').then(String, (error: ExitError) => error.message)
  ;(await table.next()).done(full)
  t.match(await ended, /There is no room/)
  t.equal(table.rows.size, 0)
})

t.test('what cannot be', async t => {
  t.throws(() => counter(undefined as never), { code: 'ERR_BADARG' })
  t.throws(() => counter({ get: 1 } as never), { code: 'ERR_BADARG' })
  t.throws(() => counter(new Table(), { key: undefined }), { code: 'ERR_BADARG' })
  t.throws(() => counter(new Table(), { every: 'day' }), { code: 'ERR_BADARG' })
  t.throws(() => counter(new Table(), { every: 0 }), { code: 'ERR_BADARG' })
  const node = await started(t)
  const closed = counter(new Table(), { table: () => Promise.reject(new NodeError('STORE_CLOSED', 'It is closed.')) })
  await t.rejects(node.start(closed, { args: [0] }), /It is closed/)
})

const door = (table: Table, more = {}) =>
  genStatem({
    init: (start: number) => next('closed', start, { stateTimeout: [1000, atom('init')] }),
    states: {
      closed: {
        call: {
          get: n => reply(['closed', n], keep(n)),
          open: (n, by: number) => reply('opened', next('open', n + by)),
          later(n) {
            const from = this.from()
            return keep(n + 1, { replies: [[from, 'later']] })
          },
          crash: () => {
            throw new Error('crash')
          },
          end: n => stop(atom('normal'), n + 100, atom('ended')),
        },
        stateTimeout: n => next('open', -n),
      },
      open: {
        call: { get: n => reply(['open', n], keep(n)) },
        enter: n => keep(n, { stateTimeout: [1000, atom('enter')] }),
        stateTimeout: n => next('closed', n),
      },
    },
    persist: { table, key: 'door', ...more },
  })

t.test('a genStatem: its state and data are there before who is told of them, and it starts from them', async t => {
  const clock = new ManualClock()
  const node = await started(t, { clock })
  const table = new Table()
  const ref = await node.start(door(table), { args: [1] })
  t.equal(format((await ref.call('get')) as unknown as Term), '[<<"closed">>,1]', 'nothing has changed, so nothing waits')
  let told = false
  const opened = ref.call('open', 5).then(answer => ((told = true), answer))
  const write = await table.next()
  t.equal(format(write.row), '{0,{open,6}}')
  t.notOk(told)
  write.done()
  t.equal(String(await opened), 'opened')
  node.exit(ref.pid, atom('kill'))

  const again = await node.start(door(table), { args: [7] })
  t.equal(format((await again.call('get')) as unknown as Term), '[<<"open">>,6]')
  clock.advance(1000)
  const closed = await table.next()
  t.equal(format(closed.row), '{0,{closed,6}}', 'the time-out is that of the state in which it is')
  closed.done()
  const later = again.call('later')
  const reply = await table.next()
  reply.done()
  t.equal(String(await later), 'later')
  const ended = again.call('end')
  const last = await table.next()
  t.equal(format(last.row), '{0,{closed,107}}')
  last.done()
  t.equal(await ended, atom('ended'))
})

t.test('… a state of another version goes to restore or codeChange, and a table that refuses ends it', async t => {
  const node = await started(t)
  const table = new Table(true)
  table.rows.set(format('door' as unknown as Term), tuple(0, tuple(atom('ajar'), 3)) as Term)
  const why: unknown = await node.start(door(table, { vsn: 1 }), { args: [1] }).catch((error: unknown) => error)
  t.match(format((why as ExitError).reason), /\{saved_vsn,0,1\}/)
  t.equal(format(table.rows.values().next().value as Term), '{0,{ajar,3}}', 'it stays as it was')
  const restored = await node.start(door(table, { vsn: 1, restore: (saved: Term, fresh: number, vsn: Term) => [saved, fresh, vsn] }), {
    args: [9],
  })
  t.equal(format(table.rows.values().next().value as Term), '{1,{ajar,[3,9,0]}}')
  node.exit(restored.pid, atom('kill'))

  const refuses = new Table()
  const ref = await node.start(door(refuses), { args: [1] })
  const opened = t.rejects(ref.call('open', 1), ExitError)
  const write = await refuses.next()
  write.done(new NodeError('STORE_FULL', 'no room'))
  await opened
})
