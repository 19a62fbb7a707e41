import t from 'tap'
import { atom, equals, format, type Node, type NodeProcess, type Term, type Tuple, tuple } from '../../src/index.js'
import { genServer, noreply, reply, stop } from '../../src/otp/index.js'
import { cluster, once } from '../node/support.js'

const ended: Term[] = []

const counter = genServer({
  init: (start: number) => (start < 0 ? stop(atom('negative')) : start),
  call: {
    add: (n, by: number) => reply(n + by, n + by),
    get: n => reply(n, n),
    later(n) {
      const from = this.from<number>()
      setImmediate(() => from.reply(n))
      return noreply(n, from)
    },
    async slowly(n, by: number) {
      await new Promise(resolve => setImmediate(resolve))
      return reply(n, n + by)
    },
    end: n => stop(atom('done'), n, atom('bye')),
    fail() {
      throw new RangeError('too far')
    },
    odd: () => 5 as never,
    never: n => noreply<number, never>(n),
  },
  cast: {
    reset: () => 0,
    async plus(n, by: number) {
      await Promise.resolve()
      return n + by
    },
    halt: n => stop(tuple(atom('shutdown'), n), n),
  },
  info: (n, message) => (typeof message === 'number' ? n + message : n),
  terminate: reason => void ended.push(reason),
})

t.test('genServer', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  const far = await start()
  node.on('crash', () => {})
  const begin = (first = 10): ReturnType<Node['start']> => node.start(counter, { args: [first] }) as never
  const down = (self: NodeProcess, pid: Parameters<NodeProcess['monitor']>[0]): Promise<Term> => {
    self.monitor(pid)
    return self.receive().then(message => (message as Tuple).elements[4] as Term)
  }

  await t.test('calls, casts and messages change the state in order', async t => {
    const ref = await node.start(counter, { args: [10], name: 'counter' })
    t.equal(await ref.call('add', 5), 15)
    const slow = ref.call('slowly', 1)
    ref.cast('plus', 4)
    node.send(ref.pid, 100)
    t.equal(await slow, 15)
    t.equal(await ref.call('get'), 120)
    ref.cast('reset')
    t.equal(await ref.call('get'), 0)
    t.equal(await ref.call('later'), 0)
    t.equal(node.ref<typeof counter>('counter').pid, ref.pid)
    t.equal(await far.ref<typeof counter>({ name: 'counter', node: node.name }).call('add', 7), 7)
    t.equal(await node.call('counter', tuple(atom('add'), 1)), 8, 'an ordinary gen_server on the wire')
    await t.rejects(node.start(counter, { args: [1], name: 'counter' }), { code: 'ERR_NAME_TAKEN' })
  })

  await t.test('init that stops, throws or is told too much', async t => {
    await t.rejects(begin(-1), { code: 'ERR_EXIT', reason: atom('negative') })
    const broken = genServer({
      init: (): number => {
        throw new TypeError('no')
      },
    })
    const error = await node.start(broken).catch((error: unknown) => error as { reason: Tuple; cause: Error })
    t.equal(((error as { reason: Tuple }).reason.elements[0] as Tuple).tag, 'TypeError')
    t.match(error, { cause: { message: 'no' } })
    await t.rejects(node.start(counter, { args: [1], on: 'isolated' }), { code: 'ERR_NOT_PORTABLE' })
    await t.rejects(node.start({} as typeof counter, { args: [1] }), { code: 'ERR_BADARG' })
  })

  await t.test('it ends with the reason that OTP would give', async t => {
    const cases: [string, (ref: Awaited<ReturnType<typeof node.start<[number], number, any, any>>>) => unknown, RegExp][] = [
      ['stop with a reply', async ref => t.equal(await ref.call('end'), atom('bye')), /^done$/],
      ['stop from a cast', ref => ref.cast('halt'), /^\{shutdown,10\}$/],
      ['an Error', ref => t.rejects(ref.call('fail'), { code: 'ERR_EXIT' }), /^\{\{'RangeError',<<"too far">>\},\[\{/],
      ['an unknown call', ref => t.rejects(node.call(ref.pid, atom('nope'))), /^\{function_clause,\[\{gen_server,handle_call,\[nope,\{/],
      ['too few arguments', ref => t.rejects(node.call(ref.pid, atom('add'))), /^\{function_clause,/],
      ['an unknown cast', ref => node.cast(ref.pid, atom('nope')), /^\{function_clause,\[\{gen_server,handle_cast,\[nope,10\]/],
      ['a return that is none', ref => t.rejects(ref.call('odd')), /^\{bad_return_value,5\}$/],
    ]
    for (const [name, act, expected] of cases) {
      const ref = await node.start(counter, { args: [10] })
      ended.length = 0
      const reason = await node.run(async self => {
        const seen = down(self, ref.pid)
        await act(ref)
        return seen
      })
      t.match(format(reason), expected, name)
      t.ok(ended.length === 1 && equals(ended[0] as Term, reason), `${name}: terminate was told`)
    }
  })

  await t.test('a call that fails', async t => {
    const ref = await node.start(counter, { args: [1] })
    await t.rejects(ref.with({ timeout: 1 }).call('never'), { code: 'ERR_TIMEOUT' })
    const abort = new AbortController()
    const aborted = ref.with({ signal: abort.signal }).call('never')
    abort.abort(new Error('enough'))
    await t.rejects(aborted, { message: 'enough' })
    const dying = ref.call('never')
    node.exit(ref.pid, atom('kill'))
    await t.rejects(dying, { code: 'ERR_EXIT', reason: atom('killed') })
    await t.rejects(ref.call('get'), { code: 'ERR_EXIT', reason: atom('noproc') })
    await t.rejects(node.call('nobody', 1), { code: 'ERR_EXIT', reason: atom('noproc') })
    t.doesNotThrow(() => node.cast('nobody', 1))
    t.equal(node.stats().aliases, 0)
  })

  await t.test('startLink: the exit of the parent ends a server, trapping or not', async t => {
    const trapping = genServer({
      init() {
        this.trapExit = true
        return 0
      },
      terminate: reason => void ended.push(reason),
    })
    ended.length = 0
    const { pid } = await node.run(self => self.startLink(trapping))
    await new Promise(resolve => setImmediate(resolve))
    t.equal(await node.isAlive(pid), false, 'its parent exited normal')
    t.same(ended, [atom('normal')])

    const crash = once(node, 'crash')
    const child = new Promise<Term>(resolve => {
      node.spawn(async self => {
        const ref = await self.startLink(counter, { args: [1] })
        resolve(ref.pid)
        throw new Error('parent')
      })
    })
    const childPid = await child
    await crash
    t.equal(await node.isAlive(childPid as never), false)
  })

  await t.test('a handler can call other servers meanwhile', async t => {
    const ref = await node.start(counter, { args: [3] })
    const asking = genServer({
      init: () => 0,
      call: {
        async ask(n) {
          const got = await (this as unknown as NodeProcess).call(ref.pid, atom('get'))
          return reply(got as number, n)
        },
      },
    })
    const asker = await node.start(asking)
    node.send(asker.pid, atom('noise'))
    t.equal(await asker.call('ask'), 3)
  })

  await t.test('many servers, and requests whose replies are taken later', async t => {
    await node.start(counter, { args: [1], name: 'many' })
    await far.start(counter, { args: [2], name: 'many' })
    const nodes = [node.name, far.name, 'nobody@127.0.0.1']
    t.strictSame(await node.multiCall(nodes, 'many', atom('get')), { replies: [[node.name, 1], [far.name, 2]], badNodes: ['nobody@127.0.0.1'] }) // prettier-ignore
    t.strictSame((await node.multiCall(nodes.slice(0, 2), 'nobody', atom('get'))).badNodes, nodes.slice(0, 2))
    await node.run(async self => {
      self.abcast(nodes.slice(0, 2), 'many', atom('reset'))
      const requests = nodes.slice(0, 2).map(node => self.sendRequest({ name: 'many', node }, tuple(atom('add'), 5)))
      for (const request of requests) t.equal(await self.receiveResponse(request), 5)
      const never = self.sendRequest('many', atom('never'))
      await t.rejects(self.receiveResponse(never, { timeout: 0 }), { code: 'ERR_TIMEOUT' })
      const abort = AbortSignal.abort(new Error('enough'))
      await t.rejects(self.multiCall(nodes, 'many', atom('get'), { signal: abort }), { message: 'enough' })
      t.equal(self.poll(), undefined)
    })
    t.equal(node.stats().aliases, 0)
  })

  await t.test('what comes after a handler: continue, or a timeout', async t => {
    const seen: Term[] = []
    const server = genServer({
      init: (n: number) => noreply(n, { continue: atom('first') }),
      call: { next: n => reply(n, n, { continue: [1] }), soon: n => reply(n, n, { timeout: 0 }), get: n => reply(n, n) },
      handleContinue: (what, n) => (seen.push(what), n + 1),
      handleInfo: (message, n) => (seen.push(message), n),
    })
    const ref = await node.start(server, { args: [1] })
    t.equal(await ref.call('next'), 2)
    t.equal(await ref.call('get'), 3)
    await ref.call('soon')
    while (seen.length < 3) await new Promise(resolve => setImmediate(resolve))
    t.strictSame(seen, [atom('first'), [1], atom('timeout')])
  })
})
