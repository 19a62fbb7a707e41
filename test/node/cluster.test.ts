import t from 'tap'
import { atom, equals, ExitError, LocalTerm, type Node, type NodeProcess, type Pid, type Term, Tuple, tuple } from '../../src/index.js'
import { cluster, once } from './support.js'

const echo = async (self: NodeProcess): Promise<void> => {
  for await (const message of self) {
    const [from, term] = (message as Tuple).elements
    self.send(from, term)
  }
}

/** Runs code as a process of a node. */
const run = <T>(node: Node, body: (self: NodeProcess) => Promise<T>): Promise<T> => node.run(body)

t.test('two nodes', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start()
  const b = await start()

  await t.test('connect, and see each other', async t => {
    const up = [once(a, 'nodeup'), once(b, 'nodeup')]
    await a.connect(b.name)
    t.same(await Promise.all(up), [
      [b.name, { hidden: true }],
      [a.name, { hidden: true }],
    ])
    t.same(a.nodes(), [])
    t.same(a.nodes('hidden'), [b.name])
    t.same(b.nodes('connected'), [a.name])
    await a.connect(a.name)
  })

  await t.test('messages by pid, by name and by alias', async t => {
    const pid = b.spawn(echo, { name: 'echo' })
    await run(a, async self => {
      self.send(pid, tuple(self.pid, 1))
      self.send({ name: 'echo', node: b.name }, tuple(self.pid, 'two'))
      const alias = self.alias()
      self.send(pid, tuple(alias, 3))
      t.equal(await self.receive(), 1)
      t.ok(equals(await self.receive(), Buffer.from('two')))
      t.equal(await self.receive(), 3)
    })
  })

  await t.test('a message to a dead process or an unknown name is dropped, a term that cannot be sent is refused', async t => {
    const pid = b.spawn(() => undefined)
    t.equal(a.send(pid, 1), true)
    t.equal(a.send({ name: 'nobody', node: b.name }, 1), true)
    t.throws(() => a.send(pid, { f: () => 1 } as never), { code: /^ETF_/ })
    t.throws(() => a.send('nobody', 1), { code: 'ERR_NOT_REGISTERED' })
    t.equal(await a.rpc.call(b.name, 'nosuch', 'fun', []).catch((error: { code: string }) => error.code), 'ERR_RPC_ERROR')
  })

  await t.test('links and monitors, with the reason', async t => {
    await run(a, async self => {
      self.trapExit = true
      const pid = b.spawn(echo)
      const ref = self.monitor(pid)
      self.link(pid)
      self.exit(pid, tuple(atom('bad'), [1, 2]))
      const got = [await self.receive(), await self.receive()]
      t.ok(equals(got[0], tuple(atom('EXIT'), pid, tuple(atom('bad'), [1, 2]))))
      t.ok(equals(got[1], tuple(atom('DOWN'), ref, atom('process'), pid, tuple(atom('bad'), [1, 2]))))
      self.link(pid)
      t.ok(equals(await self.receive(), tuple(atom('EXIT'), pid, atom('noproc'))))
    })
  })

  await t.test('rpc reaches loaded functions and nothing else', async t => {
    await b.code.load('calc', {
      add: (x: number, y: number) => x + y,
      whoami() {
        return tuple(this.pid, this.groupLeader)
      },
      quit() {
        throw new ExitError(atom('quit'))
      },
      fail() {
        throw new TypeError('nope')
      },
      toss() {
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw atom('ball') as unknown as Error
      },
      nothing: () => undefined,
      wrong: () => Symbol('x'),
    })
    t.equal(await a.rpc.call(b.name, 'calc', 'add', [1, 2]), 3)
    t.equal(await b.rpc.call(b.name, 'calc', 'add', [1, 2]), 3, 'one call for here and there')
    t.equal(await a.rpc.call(b.name, 'calc', 'nothing'), atom('ok'))
    const [pid, leader] = ((await a.rpc.call(b.name, 'calc', 'whoami')) as Tuple).elements
    t.equal((pid as Pid).node, atom(b.name))
    t.ok(equals(leader, a.whereis('user') as Pid), 'what it prints comes out at the caller')
    const failures: [string, string, (reason: Term) => boolean][] = [
      ['quit', 'ERR_RPC_EXIT', reason => reason === atom('quit')],
      ['fail', 'ERR_RPC_ERROR', reason => equals(reason, tuple(atom('TypeError'), Buffer.from('nope')))],
      ['toss', 'ERR_RPC_THROW', reason => reason === atom('ball')],
      ['wrong', 'ERR_RPC_ERROR', reason => reason instanceof Tuple && reason.tag === 'EtfError'],
      ['add', 'ERR_RPC_ERROR', reason => reason === atom('undef')],
      ['constructor', 'ERR_RPC_ERROR', reason => reason === atom('undef')],
    ]
    for (const [fun, code, expected] of failures) {
      const error = await a.rpc.call(b.name, 'calc', fun).catch((error: unknown) => error as { code: string; reason: Term })
      t.equal((error as { code: string }).code, code, fun)
      t.ok(expected((error as { reason: Term }).reason), fun)
    }
    await t.rejects(b.code.load('erpc', { call: () => 1 }), { code: 'ERR_CODE_RESERVED' })
    await t.rejects(b.code.load('empty', {}), { code: 'ERR_CODE_MODULE' })
    await t.rejects(b.code.load('gone', new URL('file:///nowhere.js')), { code: 'ERR_CODE_MODULE' })
  })

  await t.test('isAlive', async t => {
    const pid = b.spawn(echo)
    t.equal(await b.isAlive(pid), true)
    b.exit(pid, atom('kill'))
    t.equal(await b.isAlive(pid), false)
  })

  await t.test('a crash is told with its error, and costs that process alone', async t => {
    const crashed = once(b, 'crash')
    const pid = b.spawn(() => {
      throw new RangeError('too far')
    })
    const [who, { error, reason }] = await crashed
    t.equal(who, pid)
    t.match(error, { message: 'too far' })
    t.equal(((reason as Tuple).elements[0] as Tuple).tag, 'RangeError')
  })

  await t.test('disconnect: links and monitors break with noconnection, then nodedown is told; a send connects again', async t => {
    const pid = b.spawn(echo)
    const order: string[] = []
    const downs = [once(a, 'nodedown'), once(b, 'nodedown')]
    await run(a, async self => {
      self.trapExit = true
      self.link(pid)
      const ref = self.monitor(pid)
      self.monitorNode(b.name, true)
      self.send(pid, tuple(self.pid, 'ping'))
      await self.receive()
      a.once('nodedown', () => order.push('event'))
      t.equal(a.disconnect(b.name), true)
      for (const expected of [
        tuple(atom('EXIT'), pid, atom('noconnection')),
        tuple(atom('DOWN'), ref, atom('process'), pid, atom('noconnection')),
        tuple(atom('nodedown'), atom(b.name)),
      ]) {
        t.ok(equals(await self.receive(), expected))
      }
      const [[name, { reason }]] = (await Promise.all(downs)) as [[string, { reason: string }], unknown]
      t.equal(name, b.name)
      t.equal(reason, 'disconnect')
      t.equal(a.disconnect(b.name), false)
      t.equal(await b.isAlive(pid), false, 'it was linked to us, and did not trap')
      self.send(b.spawn(echo), tuple(self.pid, 'again'))
      t.ok(equals(await self.receive(), Buffer.from('again')))
    })
  })
})

t.test('what is sent while connecting keeps its order, and a monitor comes before the request', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start()
  const b = await start()
  const got: Term[] = []
  const done = new Promise<void>(resolve => {
    b.spawn(
      async self => {
        for await (const message of self) if (got.push(message) === 1000) resolve()
      },
      { name: 'sink' },
    )
  })
  await run(a, async self => {
    const list = [0]
    for (let n = 0; n < 1000; n++) {
      list[0] = n
      self.send({ name: 'sink', node: b.name }, list)
    }
    await done
  })
  t.same(
    got,
    Array.from({ length: 1000 }, (_, n) => [n]),
  )
})

t.test('what is taken back while connecting is taken back', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start()
  const b = await start()
  await run(b, async there => {
    there.trapExit = true
    await run(a, async self => {
      const ref = self.monitor(there.pid)
      self.demonitor(ref)
      self.link(there.pid)
      self.unlink(there.pid)
      const ended = self.spawn(child => child.link(there.pid))
      self.send(there.pid, atom('last'))
      const seen = [await there.receive(), await there.receive()]
      t.same(seen.map(term => (term instanceof Tuple ? term.elements : term)), [atom('last'), [atom('EXIT'), ended, atom('normal')]]) // prettier-ignore
    })
  })
  await run(a, self => self.rpc.call(b.name, 'none', 'none').catch(() => {}))
  await run(b, self => self.rpc.call(a.name, 'none', 'none').catch(() => {}))
  // By now pg's two scopes watch each other, and nobody else.
  t.match(a.stats(), { remoteLinks: 0, remoteMonitors: 2 })
  t.match(b.stats(), { remoteLinks: 0, remoteMonitors: 2 })
})

t.test('what can go wrong on the way to a node is said in a sentence with a code', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start()
  const other = await start({ cookie: 'other' })
  const fault = once(other, 'protocol')
  await t.rejects(a.connect(other.name), { code: 'DIST_BAD_COOKIE' })
  const [name, { code }] = await fault
  t.equal(name, a.name)
  t.equal(code, 'DIST_BAD_COOKIE')
  await t.rejects(a.connect('nobody@127.0.0.1'), { code: 'EPMD_NO_SUCH_NODE' })
  await t.rejects(a.connect('nobody@nowhere.invalid'), { code: 'EPMD_UNKNOWN_HOST' })
  await t.rejects(a.connect('short@host'), { code: 'NAME_SHORT_LONG' })
  await t.rejects(a.connect('nonsense'), { code: 'NAME_FORMAT' })
  await t.rejects(start({ name: a.name }), { code: 'EPMD_NAME_TAKEN' })

  await run(a, async self => {
    const ref = self.monitor({ name: 'x', node: 'nobody@127.0.0.1' })
    const message = (await self.receive()) as Tuple
    t.equal(message.elements[1], ref)
    t.equal(message.elements[4], atom('noconnection'))
    self.monitorNode('nobody@127.0.0.1', true)
    t.ok(equals(await self.receive(), tuple(atom('nodedown'), atom('nobody@127.0.0.1'))))
  })
  await t.rejects(a.call({ name: 'x', node: 'nobody@127.0.0.1' }, 1), { code: 'ERR_EXIT', reason: atom('noconnection') })
  await t.rejects(a.rpc.call('nobody@127.0.0.1', 'm', 'f'), { code: 'ERR_RPC_ERPC', reason: atom('noconnection') })
})

t.test('a peer that reads too slowly loses its connection, and has broken no rule', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start({ sendBufferLimit: 1000, sendBufferMax: 50_000 })
  const b = await start()
  await a.connect(b.name)
  a.on('protocol', (_, { error }) => t.fail(error.message))
  const down = once(a, 'nodedown')
  t.equal(a.send({ name: 'any', node: b.name }, Buffer.alloc(20_000)), false)
  t.same(a.nodes('connected'), [b.name])
  t.equal(a.send({ name: 'any', node: b.name }, Buffer.alloc(40_000)), false)
  t.match(await down, [b.name, { reason: 'send_buffer_overflow', error: { code: 'NET_SEND_BUFFER' } }])
})

t.test('a closed node is closed: its processes end with shutdown, its names are free, nothing hangs', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start()
  const b = await start()
  const seen = run(a, async self => {
    self.trapExit = true
    const pid = b.spawn(echo)
    self.link(pid)
    self.send(pid, tuple(self.pid, 1))
    await self.receive()
    const closing = b.close()
    const message = await self.receive()
    await closing
    return equals(message, tuple(atom('EXIT'), pid, atom('shutdown')))
  })
  t.equal(await seen, true)
  const again = await start({ name: b.name })
  t.not(again.creation, b.creation)
  await a.connect(again.name)
  await t.rejects(b.connect(a.name), { code: 'NODE_CLOSED' })
  await b.close()
})

t.test('two nodes that dial each other at once end with one connection', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start()
  const b = await start()
  const faults: unknown[] = []
  for (const node of [a, b]) node.on('protocol', (...fault) => faults.push(fault))
  for (let round = 0; round < 200; round++) {
    const [first, second] = round % 2 === 0 ? [a, b] : [b, a]
    await Promise.all([first.connect(second.name), second.connect(first.name)])
    t.same([a.nodes('connected'), b.nodes('connected')], [[b.name], [a.name]])
    const downs = [once(a, 'nodedown'), once(b, 'nodedown')]
    first.disconnect(second.name)
    await Promise.all(downs)
  }
  t.same(faults, [])
})

t.test('an exit reason that cannot be sent is told as text', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const a = await start({ limits: { size: 100_000, depth: 100 } })
  const b = await start()
  const nested = (levels: number): Term => Array.from({ length: levels }).reduce<Term>(inner => [inner], 1)
  const reasons: [string, Term][] = [
    ['a local term', new LocalTerm(Buffer.from('abc'))],
    ['a local term in a list', [new LocalTerm(Buffer.from('abc'))]],
    ['nested deeper than any node lets out', nested(20_000)],
    ['nested deeper than this node lets out', nested(200)],
    ['larger than this node lets out', Buffer.alloc(200_000)],
  ]
  for (const [what, reason] of reasons) {
    for (const from of [a, b]) {
      await run(from, async self => {
        self.trapExit = true
        const doomed = a.spawn(async me => {
          await me.receive()
          throw new ExitError(reason)
        })
        self.link(doomed)
        const ref = self.monitor(doomed)
        self.send(doomed, 1)
        const heard = [await self.receive(), await self.receive()] as Tuple[]
        const down = heard.find(({ tag }) => tag === 'DOWN') as Tuple
        const exit = heard.find(({ tag }) => tag === 'EXIT') as Tuple
        t.ok(equals(down.elements[1] as Term, ref))
        const local = from === a && what.includes('this node')
        for (const told of [down.elements[4], exit.elements[2]] as Term[]) {
          t.ok(
            local ? equals(told, reason) : Buffer.isBuffer(told) && told.length < 10_000,
            `${what}, to ${from === a ? 'its own' : 'another'} node`,
          )
        }
      })
    }
  }
  t.strictSame(a.nodes('connected'), [b.name], 'the connection is the same')
})
