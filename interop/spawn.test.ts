/** Spawns on another node, in both directions: every option, every reply, and what happens when one end is gone meanwhile. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type Signal, type SpawnRequestSignal, TermPayload } from '../src/dist/signal.js'
import {
  any,
  atom,
  type Atom,
  equals,
  format,
  isPid,
  match,
  type NodeProcess,
  parse,
  Pid,
  type Reference,
  type SpawnRequestOptions,
  type Term,
  type Tuple,
  tuple,
} from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, down, eachWay, next, type Pair, patience, tell } from './support/pair.js'

const erlang = String.raw`
-module(spawned).
-export([run/1, report/1, hold/0, obituary/2]).
%% Says what it is, and exits as it is told.
run(To) ->
    To ! {self(), started},
    receive {exit, Reason} -> exit(Reason) end.
report(To) -> To ! {self(), [process_info(self(), Item) || Item <- [priority, message_queue_data, min_heap_size, fullsweep_after, group_leader]]}.
hold() -> receive after infinity -> ok end.
%% Tells which process, of those that begin from now on, exits with that reason, even if it never came to run.
obituary(To, Reason) ->
    erlang:trace(new_processes, true, [procs]),
    To ! watching,
    receive {trace, Pid, exit, Reason} -> To ! {exited, Pid} end.
`

t.test('spawns', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const beam = await start({ code: [actor, erlang] })
    beam.expectLog(/^Error in process .* exit value:, {undef,/) // what is spawned from there, and is not here
    for (const suite of [fromTypeScript, awaited, goneMeanwhile, fromErlang, refused, argumentsThatAreNoList, parentsThatAreGone]) {
      await eachWay(t, beam, (t, pair) => {
        // Functions that are not there are part of it.
        pair.node.on('crash', (_, { reason }) => t.match(format(reason), /^{undef,|^{badarg,.*dist_spawn_init/))
        return suite(t, pair, otp)
      })
    }
  })
})

const spawned = (fun: string, ...args: Term[]) => ({ module: 'spawned', fun, args })
const [ok, bye] = [atom('ok'), atom('bye')]

async function fromTypeScript(t: Test, { beam, node }: Pair): Promise<void> {
  const reply = (ref: Reference, pid: Term, tag: Term = atom('spawn_reply')): Term => tuple(tag, ref, ok, pid) as Term

  await t.test('a request with a link and a monitor: the reply, its messages, EXIT, DOWN', async t => {
    await node.run(async self => {
      self.trapExit = true
      const ref = self.spawnRequest({ node: beam.name, ...spawned('run', self.pid) }, { link: true, monitor: true, replyTag: [1] })
      const first = (await next(self)) as Tuple
      const pid = first.elements[3] as Pid
      t.strictSame(first, reply(ref, pid, [1]))
      t.strictSame(await next(self), tuple(pid, atom('started')))
      self.send(pid, tuple(atom('exit'), bye))
      t.strictSame([await next(self), await next(self)], [tuple(atom('EXIT'), pid, bye), down(ref, pid, bye)])
      t.equal(node.stats().remoteLinks + node.stats().remoteMonitors + node.stats().spawnRequests, 0)
      t.equal(self.spawnRequestAbandon(ref), false)
    })
  })

  await t.test('when a reply comes', async t => {
    await node.run(async self => {
      const hears = async (options: SpawnRequestOptions, module: string): Promise<string> => {
        const ref = self.spawnRequest({ node: beam.name, module, fun: 'hold' }, options)
        // What a spawn request is asked after it is answered after it.
        await node.rpc.call(beam.name, 'erlang', 'node')
        const message = self.poll() as Tuple | undefined
        t.equal(node.stats().spawnRequests, 0)
        if (!message) return 'nothing'
        t.strictSame(message.elements[1], ref)
        return format(message.elements[3] instanceof Pid ? ok : message.elements[3])
      }
      // A scheduler that no BEAM has
      const bad = { scheduler: 1023 }
      t.equal(await hears({}, 'spawned'), 'ok')
      t.equal(await hears(bad, 'spawned'), 'badopt')
      t.equal(await hears({ reply: 'no' }, 'spawned'), 'nothing')
      t.equal(await hears({ ...bad, reply: 'no' }, 'spawned'), 'nothing')
      t.equal(await hears({ reply: 'error_only' }, 'spawned'), 'nothing')
      t.equal(await hears({ ...bad, reply: 'error_only' }, 'spawned'), 'badopt')
      t.equal(await hears({ reply: 'success_only' }, 'spawned'), 'ok')
      t.equal(await hears({ ...bad, reply: 'success_only' }, 'spawned'), 'nothing')
    })
  })

  await t.test('options for the process reach it', async t => {
    await node.run(async self => {
      self.spawnRequest(
        { node: beam.name, ...spawned('report', self.pid) },
        {
          priority: 'high',
          messageQueueData: 'off_heap',
          minHeapSize: 4000,
          minBinVheapSize: 50_000,
          fullsweepAfter: 7,
          maxHeapSize: { size: 1_000_000, kill: true, errorLogger: false },
          scheduler: 1,
          reply: 'error_only',
        },
      )
      const [, infos] = ((await next(self)) as Tuple).elements as [Pid, Tuple[]]
      const [priority, queue, heap, sweep, leader] = infos.map(info => info.elements[1] as Term)
      t.strictSame([priority, queue, sweep, leader], [atom('high'), atom('off_heap'), 7, self.groupLeader])
      t.ok((heap as number) >= 4000)
    })
  })

  await t.test('a monitor with a tag and an alias', async t => {
    await node.run(async self => {
      const monitor = { tag: atom('gone'), alias: 'demonitor' } as const
      const ref = self.spawnRequest({ node: beam.name, module: 'spawned', fun: 'hold' }, { monitor })
      const [, , , pid] = ((await next(self)) as Tuple).elements as [Term, Term, Term, Pid]
      const actor = await self.spawnAt(beam.name, { module: 'actor', fun: 'loop' })
      await tell(self, actor, 'erlang', 'send', ref, 1)
      t.equal(await next(self), 1)
      self.exit(pid, bye)
      t.strictSame(await next(self), tuple(atom('gone'), ref, atom('process'), pid, bye))
      await tell(self, actor, 'erlang', 'send', ref, 2)
      t.equal(self.poll(), undefined, 'the alias went with the monitor')
      self.exit(actor, atom('kill'))
      const refused = self.spawnRequest({ node: beam.name, module: 'spawned', fun: 'hold' }, { monitor, scheduler: 1023 })
      t.strictSame(await next(self), tuple(atom('spawn_reply'), refused, atom('error'), atom('badopt')))
      t.equal(node.stats().aliases, 0)
    })
  })

  await t.test('a request to our own node', async t => {
    await node.code.load('mine', {
      run(this: NodeProcess, to: Pid, list: Term[]) {
        list.push(2)
        this.send(to, tuple(this.pid, list))
        return this.receive()
      },
    })
    await node.run(async self => {
      const list = [1]
      const ref = self.spawnRequest({ node: node.name, module: 'mine', fun: 'run', args: [self.pid, list] }, { monitor: true })
      const [, , , pid] = ((await next(self)) as Tuple).elements as [Term, Term, Term, Pid]
      t.strictSame([await next(self), list], [tuple(pid, [1, 2]), [1]], 'with arguments of its own')
      self.exit(pid, bye)
      t.strictSame(await next(self), down(ref, pid, bye))
      const [none, monitor] = await self.spawnMonitorAt(node.name, { module: 'none', fun: 'f', args: [1] })
      t.strictSame(await next(self), down(monitor, none, tuple(atom('undef'), [tuple(atom('none'), atom('f'), [1], [])])))
      const bad = self.spawnRequest({ node: node.name, module: 'mine', fun: 'run' }, { priority: 'foo' as 'low' })
      t.strictSame(await next(self), tuple(atom('spawn_reply'), bad, atom('error'), atom('badopt')))
    })
  })
}

async function awaited(t: Test, { beam, node }: Pair): Promise<void> {
  await t.test('spawnAt, spawnLinkAt and spawnMonitorAt', async t => {
    await node.run(async self => {
      self.trapExit = true
      const alone = await self.spawnAt(beam.name, spawned('run', self.pid))
      const linked = await self.spawnLinkAt(beam.name, spawned('run', self.pid), { priority: 'high' })
      const [watched, ref] = await self.spawnMonitorAt(beam.name, spawned('run', self.pid))
      // Whichever of them runs first
      for (const pid of [alone, linked, watched]) await self.receive(match([pid, atom('started')]), { timeout: patience })
      self.send(alone, tuple(atom('exit'), bye))
      self.send(linked, tuple(atom('exit'), bye))
      t.strictSame(await next(self), tuple(atom('EXIT'), linked, bye))
      self.send(watched, tuple(atom('exit'), bye))
      t.strictSame(await next(self), down(ref, watched, bye))
    })
    const pid = await node.spawnAt(beam.name, { module: 'spawned', fun: 'hold' })
    t.equal(await node.isAlive(pid), true)
    node.exit(pid, atom('kill'))
  })

  await t.test('they reject with the node’s reason', async t => {
    await node.run(async self => {
      const code = { module: 'spawned', fun: 'hold' }
      await t.rejects(self.spawnAt(beam.name, code, { scheduler: 1023 }), { code: 'ERR_SPAWN', reason: atom('badopt') })
      await t.rejects(self.spawnLinkAt('nobody@127.0.0.1', code), { name: 'SpawnError', code: 'ERR_SPAWN', reason: atom('noconnection') })
      await t.rejects(self.spawnAt(beam.name, { ...code, args: [undefined as never] }), { code: /^ETF_/ })
      await t.rejects(self.spawnAt(beam.name, code, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
      t.equal(node.stats().spawnRequests, 0)
      t.equal(self.poll(), undefined)
    })
  })

  await t.test('an abort or a timeout abandons the request: what comes of it is let go', async t => {
    await node.run(async self => {
      self.trapExit = true
      beam.pause()
      const abort = new AbortController()
      const [aborted, late] = [
        self.spawnLinkAt(beam.name, spawned('run', self.pid), { signal: abort.signal }),
        self.spawnMonitorAt(beam.name, spawned('run', self.pid), { timeout: 20 }),
      ]
      abort.abort(new Error('enough'))
      await t.rejects(aborted, /enough/)
      await t.rejects(late, { code: 'ERR_TIMEOUT' })
      t.equal(node.stats().spawnRequests, 0)
      beam.resume()
      const isStarted = match([any, atom('started')])
      const pids = [await self.receive(isStarted), await self.receive(isStarted)].map(message => message.elements[0] as Pid)
      const refs = pids.map(pid => self.monitor(pid))
      self.send(pids[1] as Pid, tuple(atom('exit'), bye))
      const reasons = await Promise.all(refs.map(async ref => (await self.receive(match([atom('DOWN'), ref, any, any, any]))).elements[4]))
      t.ok(['abandoned', 'noproc'].includes(format(reasons[0] as Term)), `the linked one was told: ${format(reasons[0] as Term)}`)
      t.strictSame(reasons[1], bye)
      t.equal(self.poll(), undefined)
      t.equal(node.stats().remoteMonitors + node.stats().remoteLinks, 0)
    })
  })
}

async function goneMeanwhile(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('who asked has ended: a linked child exits with it, and a monitored one lives on unwatched', async t => {
    await node.run(async self => {
      await self.spawnAt(beam.name, spawned('obituary', self.pid, atom('ended')))
      t.equal(await next(self), atom('watching'))
      beam.pause()
      const [asker, end] = self.spawnMonitor(child => {
        child.spawnRequest({ node: beam.name, ...spawned('run', self.pid) }, { link: true })
        child.spawnRequest({ node: beam.name, ...spawned('run', self.pid) }, { monitor: true })
        child.exit(atom('ended'))
      })
      t.strictSame(await next(self), down(end, asker, atom('ended')))
      beam.resume()
      // The linked one may end before it says that it has started.
      const [, linked] = (await self.receive(match([atom('exited'), isPid]), { timeout: patience })).elements
      const lives = (message: unknown): message is Tuple<readonly [Pid, Term]> =>
        match([isPid, atom('started')])(message) && !equals(message.elements[0], linked)
      const [monitored] = (await self.receive(lives, { timeout: patience })).elements
      const actor = (await evaluate('actor:start().')) as Pid
      await tell(self, actor, 'erlang', 'node')
      t.equal(format(await evaluate('process_info(Pid, monitored_by).', { Pid: monitored })), '{monitored_by,[]}')
      t.equal(node.stats().spawnRequests, 0)
      self.exit(monitored, atom('kill'))
      self.exit(actor, atom('kill'))
    })
  })

  await t.test('the connection is lost: noconnection', async t => {
    await node.run(async self => {
      beam.pause()
      const refs = [
        self.spawnRequest({ node: beam.name, ...spawned('hold') }),
        self.spawnRequest({ node: beam.name, ...spawned('hold') }, { link: true }),
      ]
      const waiting = self.spawnAt(beam.name, spawned('hold'))
      node.disconnect(beam.name)
      await t.rejects(waiting, { code: 'ERR_SPAWN', reason: atom('noconnection') })
      for (const ref of refs) t.strictSame(await next(self), tuple(atom('spawn_reply'), ref, atom('error'), atom('noconnection')))
      beam.resume()
      t.equal(node.stats().spawnRequests, 0)
    })
  })
}

/** What TypeScript processes do that Erlang spawns */
const code = {
  run(this: NodeProcess, to: Pid) {
    this.trapExit = true
    this.send(to, tuple(atom('runs'), this.pid))
    return this.receive(match([atom('EXIT'), any, any])).then(message => {
      this.exit(tuple(atom('saw'), message.elements[2] as Term))
    })
  },
}

async function fromErlang(t: Test, { node, evaluate }: Pair, otp: number): Promise<void> {
  await node.code.load('ours', code)
  const runs = 'receive {runs, Pid} -> ok end'

  await t.test('spawn, spawn_link, spawn_monitor, spawn_opt', async t => {
    const opts =
      '{priority, high}, {max_heap_size, 100000}, {fullsweep_after, 1}, {min_heap_size, 3}, {min_bin_vheap_size, 3}, {message_queue_data, off_heap}, {scheduler, 1}'
    t.equal(await evaluate(`Pid = spawn(Ts, ours, run, [self()]), ${runs}, node(Pid) =:= Ts.`), true)
    const ended = `exit(Pid, bye), process_flag(trap_exit, true), receive {'EXIT', Pid, Reason} -> Reason end.`
    t.equal(
      format(await evaluate(`process_flag(trap_exit, true), Pid = spawn_link(Ts, ours, run, [self()]), ${runs}, ${ended}`)),
      '{saw,bye}',
    )
    t.equal(
      format(await evaluate(`process_flag(trap_exit, true), Pid = spawn_opt(Ts, ours, run, [self()], [link, ${opts}]), ${runs}, ${ended}`)),
      '{saw,bye}',
    )
    const fired = `exit(Pid, bye), receive {'DOWN', Ref, process, Pid, Reason} -> Reason end.`
    t.equal(format(await evaluate(`{Pid, Ref} = spawn_monitor(Ts, ours, run, [self()]), ${runs}, ${fired}`)), '{saw,bye}')
    t.equal(format(await evaluate(`{Pid, Ref} = spawn_opt(Ts, ours, run, [self()], [monitor, ${opts}]), ${runs}, ${fired}`)), '{saw,bye}')
    const tagged = `{Pid, Ref} = spawn_opt(Ts, ours, run, [self()], [{monitor, [{tag, gone}, {alias, reply_demonitor}]}]), ${runs}, exit(Pid, bye), receive {gone, Ref, process, Pid, Reason} -> Reason end.`
    t.equal(format(await evaluate(tagged)), '{saw,bye}')
    if (otp >= 28) {
      const urgent = `process_flag(trap_exit, true), {Pid, Ref} = spawn_opt(Ts, ours, run, [self()], [{link, [priority]}, {monitor, [priority]}]), ${runs},
        self() ! first, exit(Pid, bye), receive {'DOWN', Ref, _, _, _} -> ok end,
        self() ! {'DOWN', Ref, again}, receive One -> One end.`
      t.equal(format(await evaluate(urgent)).replace(/<.*>/, 'Pid'), "{'EXIT',Pid,{saw,bye}}")
    }
  })

  await t.test('spawn_request: the reply first, as it was asked for', async t => {
    const heard = (options: string, then = ''): Promise<Term> =>
      evaluate(`Ref = spawn_request(Ts, ours, run, [self()], ${options}), ${then}
        % What is asked after it is answered after it.
        Ts = erpc:call(Ts, erlang, node, []), Next = fun() -> receive M when element(1, M) =/= runs -> M after 0 -> none end end,
        case Next() of {Tag, Ref, ok, Pid} when node(Pid) =:= Ts -> {Tag, ok}; {Tag, Ref, error, Why} -> {Tag, Why}; Other -> Other end.`)
    for (const [options, expected] of [
      ['[]', '{spawn_reply,ok}'],
      ['[{reply, yes}, {reply_tag, {a, 1}}]', '{{a,1},ok}'],
      ['[{reply, no}]', 'none'],
      ['[{reply, error_only}]', 'none'],
      ['[{reply, success_only}]', '{spawn_reply,ok}'],
      ['[nonsense]', '{spawn_reply,badopt}'],
      ['[{reply, error_only}, {priority, nonsense}]', '{spawn_reply,badopt}'],
      ['[{reply, success_only}, nonsense]', 'none'],
      ['[{reply, no}, nonsense]', 'none'],
    ] as const) {
      t.equal(format(await heard(options)), expected, options)
    }
    t.equal(format(await heard('[monitor, link]', 'true = spawn_request_abandon(Ref), false = spawn_request_abandon(Ref),')), 'none')
    const first = `process_flag(trap_exit, true), Ref = spawn_request(Ts, none, f, [], [monitor, link]), Next = fun() -> receive M -> element(1, M) end end, [Next(), Next(), Next()].`
    t.equal(format(await evaluate(first)), "[spawn_reply,'EXIT','DOWN']")
    t.equal(format(await evaluate('try spawn_opt(Ts, ours, run, [], [nonsense]) catch error:Reason -> Reason end.')), 'badarg')
  })
}

/** One question, to the BEAM and to TypeScript: which options are options? */
async function refused(t: Test, { beam, node }: Pair, otp: number): Promise<void> {
  const deliver = t.capture(node.processes, 'deliver', node.processes.deliver.bind(node.processes))
  /** What a node answers to a request as it stands on the wire */
  const answer = async (to: Atom, options: Term, args: Term = []): Promise<string> =>
    node.run(async self => {
      const ref = self.makeRef()
      const request: Signal = {
        op: 'spawnRequest',
        ref,
        from: self.pid,
        to,
        groupLeader: self.groupLeader,
        module: atom('erlang') as Atom,
        fun: atom('node') as Atom,
        arity: 0,
        options,
        args: new TermPayload(args),
      }
      node.route(request)
      await node.rpc.call(beam.name, 'erlang', 'node')
      const replies = deliver().map(({ args: [signal] }) => signal)
      const reply = replies.find(signal => signal.op === 'spawnReply' && signal.ref.words.join() === ref.words.join())
      if (reply?.op !== 'spawnReply') return 'nothing'
      return reply.result instanceof Pid ? `ok ${reply.link ? 'link' : ''} ${reply.monitor ? 'monitor' : ''}` : reply.result.name
    })
  await t.test('TypeScript refuses what the BEAM refuses', async t => {
    const { options } = JSON.parse(readFileSync('spec/spawn-options.json', 'utf8')) as { options: { options: string; since?: number }[] }
    for (const { options: text, since = 25 } of options) {
      const terms = parse(text)
      const theirs = await answer(atom(beam.name) as Atom, terms)
      const ours = await answer(atom(node.name) as Atom, terms)
      if (otp >= since) t.equal(ours, theirs, text)
      else t.equal(theirs, 'badopt', `${text}, before OTP ${since}`)
    }
  })
}

async function argumentsThatAreNoList(t: Test, { beam, node }: Pair): Promise<void> {
  beam.expectLog(/erts_internal,dist_spawn_init/)
  await t.test('arguments that are no proper list are the exit of the process', async t => {
    let args: Term = []
    const route = node.processes.route.bind(node.processes)
    t.capture(node.processes, 'route', (signal: Signal) =>
      route(signal.op === 'spawnRequest' ? { ...signal, args: new TermPayload(args) } : signal),
    )
    const reason = (to: string): Promise<string> =>
      node.run(async self => {
        const [pid, ref] = await self.spawnMonitorAt(to, { module: 'erlang', fun: 'node' })
        const { elements } = await self.receive(match([atom('DOWN'), ref, any, pid, any]), { timeout: patience })
        return format(elements[4])
      })
    for (const text of ['[1|2]', '[a,b|c]', 'foo', '#{}', '<<1>>', '0']) {
      args = parse(text)
      const theirs = await reason(beam.name)
      t.equal(await reason(node.name), theirs, text)
      t.match(theirs, /^{badarg,\[{erlang,apply,/)
    }
  })
}

async function parentsThatAreGone(t: Test, { node, evaluate }: Pair): Promise<void> {
  const saw: Term[] = []
  const told: (() => void)[] = []
  await node.code.load('ours', {
    run(this: NodeProcess, name: Atom) {
      this.trapExit = true
      return this.receive(match([atom('EXIT'), any, any])).then(message => {
        saw.push(tuple(name, message.elements[2] as Term) as Term)
        told.shift()?.()
      })
    },
  })
  const another = (): Promise<void> => new Promise(resolve => told.push(resolve))

  await t.test('a BEAM that abandons its request, or whose process has ended, lets the child go', async t => {
    const abandoned = another()
    await evaluate('Ref = spawn_request(Ts, ours, run, [abandoned], [link]), true = spawn_request_abandon(Ref).')
    await abandoned
    const dead = another()
    const { remoteSpawn } = node
    const spawn = remoteSpawn.onRequest.bind(remoteSpawn)
    // The request waits until the one who asked is dead.
    const asked = new Promise<SpawnRequestSignal>(resolve => (remoteSpawn.onRequest = resolve))
    await evaluate(`{_, Ref} = spawn_monitor(fun() -> spawn_request(Ts, ours, run, [dead], [link, monitor]), exit(ended) end),
      receive {'DOWN', Ref, _, _, _} -> ok end.`)
    spawn(await asked)
    remoteSpawn.onRequest = spawn
    await dead
    t.equal(saw.map(term => format(term)).join(' '), '{abandoned,abandoned} {dead,ended}')
    t.equal(node.stats().remoteLinks + node.stats().remoteMonitors, 0)
  })
}
