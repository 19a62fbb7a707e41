/** Monitors of processes and of nodes between TypeScript and Erlang, and the order in which their messages come. */
import t, { type Test } from 'tap'
import { any, atom, match, type Pid, type Reference, type Term, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, down, eachWay, heard, info, next, order, type Pair, tell } from './support/pair.js'

const noproc = atom('noproc')
const noconnection = atom('noconnection')

t.test('monitors', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: actor })
    await eachWay(t, beam, fromTypeScript)
    await eachWay(t, beam, fromErlang)
    await eachWay(t, beam, lostConnection)
    await eachWay(t, beam, ofNodes)
    await t.test('the BEAM is killed', async t => {
      await eachWay(t, () => start({ code: actor }), killed)
    })
  })
})

async function fromTypeScript(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const startActor = async (): Promise<Pid> => (await evaluate('actor:start().')) as Pid
  const named = (name: string) => ({ name, node: beam.name })
  const pair = (name: string): Term => tuple(atom(name), atom(beam.name))

  await t.test('TypeScript monitors by pid and by name', async t => {
    await node.run(async self => {
      const actor = await startActor()
      await tell(self, actor, 'erlang', 'register', atom('watched'), actor)
      const [first, second, byName] = [self.monitor(actor), self.monitor(actor), self.monitor(named('watched'))]
      t.strictSame(await info(self, actor, 'monitored_by'), [self.pid, self.pid, self.pid])
      t.equal(self.demonitor(second), true)
      t.strictSame(await info(self, actor, 'monitored_by'), [self.pid, self.pid])
      // Whoever has the name later is not watched.
      await tell(self, actor, 'erlang', 'unregister', atom('watched'))
      const other = await startActor()
      await tell(self, other, 'erlang', 'register', atom('watched'), other)
      order(self, actor, 'erlang', 'exit', tuple(atom('bye'), 1))
      t.strictSame(await self.receive(match([any, first, any, any, any])), down(first, actor, tuple(atom('bye'), 1)))
      t.strictSame(await self.receive(match([any, byName, any, any, any])), down(byName, pair('watched'), tuple(atom('bye'), 1)))
      t.strictSame(await tell(self, other, 'erlang', 'self'), other)
      t.equal(self.poll(), undefined)
      t.equal(node.stats().remoteMonitors, 0)
      order(self, other, 'erlang', 'exit', atom('normal'))
    })
  })

  await t.test('TypeScript monitors what is not there', async t => {
    const dead = (await evaluate('{Pid, Ref} = spawn_monitor(fun() -> ok end), receive {_, Ref, _, _, _} -> Pid end.')) as Pid
    await node.run(async self => {
      t.strictSame(down(self.monitor(dead), dead, noproc), await next(self))
      t.strictSame(down(self.monitor(named('nobody')), pair('nobody'), noproc), await next(self))
    })
  })

  await t.test('demonitor with flush takes what has come', async t => {
    await node.run(async self => {
      const [actor, last] = [await startActor(), await startActor()]
      const ref = self.monitor(actor)
      order(self, actor, 'erlang', 'exit', atom('gone'))
      const watch = self.monitor(actor)
      await self.receive(match([any, watch, any, any, any]))
      await tell(self, last, 'erlang', 'self')
      t.equal(self.demonitor(ref, { flush: true }), false)
      t.equal(self.poll(), undefined)
    })
  })

  await t.test('a monitor with a tag, and one that is an alias too', async t => {
    await node.run(async self => {
      const actor = await startActor()
      const tagged = self.monitor(actor, { tag: tuple(atom('gone'), 1) })
      const alias = self.monitor(actor, { alias: 'reply_demonitor' })
      order(self, actor, 'erlang', 'send', alias, atom('reply'))
      t.equal(await next(self), atom('reply'))
      await next(self)
      t.strictSame(await info(self, actor, 'monitored_by'), [self.pid], 'the reply ended the monitor')
      await tell(self, actor, 'erlang', 'send', alias, atom('late'))
      order(self, actor, 'erlang', 'exit', atom('end'))
      t.strictSame(await next(self), tuple(tuple(atom('gone'), 1), tagged, atom('process'), actor, atom('end')))

      const other = await startActor()
      const fired = self.monitor(other, { alias: 'demonitor' })
      order(self, other, 'erlang', 'exit', atom('end'))
      t.strictSame(await next(self), down(fired, other, atom('end')))
      await evaluate('Alias ! late, Pid ! last.', { Alias: fired, Pid: self.pid })
      t.equal(await next(self), atom('last'), 'a monitor that has fired is no alias any more')
    })
  })
}

async function fromErlang(t: Test, { node, evaluate }: Pair): Promise<void> {
  await t.test('Erlang monitors by pid and by name', async t => {
    await node.run(async self => {
      const child = self.spawn(child => child.receive(), { name: 'watched' })
      const monitors = evaluate(
        `[First, Second, ByName] = Refs = [monitor(process, What) || What <- [Pid, Pid, {watched, Ts}]],
         demonitor(Second),
         {monitors, Monitors} = process_info(self(), monitors),
         Pid ! go,
         Got = [receive {'DOWN', Ref, process, What, Reason} -> {What, Reason} end || Ref <- [First, ByName]],
         {lists:sort(Monitors), Got, process_info(self(), [monitors, messages])}.`,
        { Pid: child },
      )
      const name = tuple(atom('watched'), atom(node.name))
      const normal = atom('normal')
      t.strictSame(
        await monitors,
        tuple(
          [tuple(atom('process'), child), tuple(atom('process'), name)],
          [tuple(child, normal), tuple(name, normal)],
          [tuple(atom('monitors'), []), tuple(atom('messages'), [])],
        ),
      )
      t.equal(node.stats().remoteMonitors, 0)
    })
  })

  await t.test('Erlang monitors what is not there', async t => {
    const [dead] = await node.run(async self => {
      const [dead, ref] = self.spawnMonitor(() => {})
      return [dead, await self.receive(match([any, ref, any, any, any]))]
    })
    const source = `[begin Ref = monitor(process, What), receive {'DOWN', Ref, process, What, Reason} -> Reason end end || What <- [Pid, {nobody, Ts}]].`
    t.strictSame(await evaluate(source, { Pid: dead }), [noproc, noproc])
  })

  await t.test('Erlang demonitors', async t => {
    const pid = node.spawn(self => self.receive())
    const source = `First = monitor(process, Pid), true = demonitor(First, [info]),
      [Second, Third] = [monitor(process, Pid), monitor(process, Pid)], Pid ! go,
      receive {'DOWN', Third, process, Pid, Reason} -> ok end,
      {Reason, demonitor(Second, [flush, info]), process_info(self(), messages)}.`
    t.strictSame(await evaluate(source, { Pid: pid }), tuple(atom('normal'), false, tuple(atom('messages'), [])))
    t.equal(node.stats().remoteMonitors, 0)
  })

  await t.test('Erlang monitors with a tag, and with an alias', async t => {
    const pid = node.spawn(async self => {
      const [from, alias] = ((await next(self)) as unknown as { elements: [Pid, Reference] }).elements
      for (const message of ['reply', 'late']) self.send(alias, atom(message))
      self.send(from, atom('sent'))
      await next(self)
      self.exit(atom('end'))
    })
    const source = `Tagged = monitor(process, Pid, [{tag, gone}]), Alias = monitor(process, Pid, [{alias, reply_demonitor}]),
      Pid ! {self(), Alias}, First = receive One -> One end, Second = receive Two -> Two end,
      {monitors, Monitors} = process_info(self(), monitors), Pid ! go, {First, Second, Monitors, receive {gone, Tagged, process, Pid, Reason} -> Reason end}.`
    const monitors = [tuple(atom('process'), pid)]
    t.strictSame(await evaluate(source, { Pid: pid }), tuple(atom('reply'), atom('sent'), monitors, atom('end')))
  })
}

async function lostConnection(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  for (const who of ['TypeScript', 'the BEAM']) {
    await t.test(`${who} disconnects: monitors on both sides fire with noconnection`, async t => {
      const actor = (await evaluate('actor:start().')) as Pid
      await node.run(async self => {
        const refs = [self.monitor(actor), self.monitor({ name: 'code_server', node: beam.name })]
        const theirs = (await tell(self, actor, 'erlang', 'monitor', atom('process'), self.pid)) as Reference
        t.equal(node.stats().remoteMonitors, 3)
        if (who === 'TypeScript') t.equal(node.disconnect(beam.name), true)
        else t.equal(await evaluate('erlang:disconnect_node(Ts).'), true)
        t.strictSame(
          [await next(self), await next(self)],
          [
            down(refs[0] as Reference, actor, noconnection),
            down(refs[1] as Reference, tuple(atom('code_server'), atom(beam.name)), noconnection),
          ],
        )
        t.equal(node.stats().remoteMonitors, 0)
        // What is asked now makes a new connection.
        t.strictSame(await heard(self, actor), down(theirs, self.pid, noconnection))
        t.strictSame(await info(self, actor, 'monitored_by'), [])
      })
    })
  }

  await t.test('a node that is not there', async t => {
    await node.run(async self => {
      const nobody = { name: 'any', node: 'nobody@127.0.0.1' }
      t.strictSame(down(self.monitor(nobody), tuple(atom('any'), atom('nobody@127.0.0.1')), noconnection), await next(self))
    })
  })
}

async function ofNodes(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const nodedown = tuple(atom('nodedown'), atom(beam.name))

  await t.test('TypeScript monitors the node: messages, then DOWN, then nodedown', async t => {
    const events: string[] = []
    node.on('nodedown', (name, { reason, hidden }) => events.push(`down ${name} ${reason} ${hidden}`))
    node.on('nodeup', (name, { hidden }) => events.push(`up ${name} ${hidden}`))
    await node.run(async self => {
      self.monitorNode(beam.name, true)
      self.monitorNode(beam.name, true)
      self.monitorNode('nobody@127.0.0.1', true)
      t.strictSame(await next(self), tuple(atom('nodedown'), atom('nobody@127.0.0.1')))
      const pid = (await evaluate('spawn(fun() -> receive go -> To ! last, erlang:disconnect_node(Ts) end end).', { To: self.pid })) as Pid
      const ref = self.monitor(pid)
      self.send(pid, atom('go'))
      const expected = [atom('last'), down(ref, pid, noconnection), nodedown, nodedown]
      for (const message of expected) t.strictSame(await next(self), message)
      t.strictSame(events, [`down ${beam.name} connection_closed true`])

      await node.connect(beam.name)
      t.strictSame(events.slice(1), [`up ${beam.name} true`])
      await beam.waitForNode(node.name, 'up')
      self.monitorNode(beam.name, true)
      self.monitorNode(beam.name, false)
      const watch = self.monitor({ name: 'code_server', node: beam.name })
      node.disconnect(beam.name)
      t.strictSame((await self.receive(match([any, watch, any, any, any]))).elements[4], noconnection)
      await beam.waitForNode(node.name, 'down')
      t.strictSame(events.slice(2), [`down ${beam.name} disconnect true`])
      t.equal(self.poll(), undefined)
    })
  })

  await t.test('Erlang monitors the node: messages, then DOWN, then nodedown', async t => {
    const source = `
      net_kernel:monitor_nodes(true, #{node_type => all, nodedown_reason => true}),
      erlang:monitor_node(Ts, true),
      receive {nodeup, Ts, _} -> ok end,
      receive Pid when is_pid(Pid) -> ok end,
      Ref = monitor(process, Pid),
      Pid ! go,
      Next = fun() -> receive Message -> Message end end,
      [last | Rest] = [Next(), Next(), Next(), Next()],
      % When monitor_node/2 tells it is not promised; monitor_nodes/2 comes after all other signals.
      [{'DOWN', Ref, process, Pid, noconnection}, {nodedown, Ts, #{node_type := hidden, nodedown_reason := Reason}}] = Rest -- [{nodedown, Ts}],
      Reason.`
    const told = evaluate(`register(monitoring, self()), ${source}`)
    await node.run(async self => {
      await node.connect(beam.name)
      await beam.waitForNode(node.name, 'up')
      const pid = self.spawn(async child => {
        child.send({ name: 'monitoring', node: beam.name }, child.pid)
        await next(child)
        child.send({ name: 'monitoring', node: beam.name }, atom('last'))
        node.disconnect(beam.name)
        await child.receive()
      })
      t.equal(await told, atom('connection_closed'))
      node.exit(pid, atom('kill'))
    })
  })
}

async function killed(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const reasons: string[] = []
  node.on('nodedown', (_, { reason }) => reasons.push(reason))
  const pid = (await evaluate('actor:start().')) as Pid
  await node.run(async self => {
    const ref = self.monitor(pid)
    self.monitorNode(beam.name, true)
    await tell(self, pid, 'erlang', 'self')
    await beam.kill()
    t.strictSame(await next(self), down(ref, pid, noconnection))
    t.strictSame(await next(self), tuple(atom('nodedown'), atom(beam.name)))
    t.strictSame(reasons, ['connection_closed'])
    t.strictSame(node.nodes('connected'), [])
  })
}
