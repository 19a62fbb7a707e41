/** Processes in other places, as BEAM nodes see them: as processes like any other. */
import t, { type Test } from 'tap'
import { atom, format, type Node, type Pid, type Term, tuple } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { counter } from './support/placed/counter.mjs'
import { ending, evaluator, spawn, startNode, work } from './support/places.js'

const places = ['pool', 'isolated'] as const

t.test('places', async t => {
  const suite = async (t: Test, { start }: { readonly start: () => Promise<Beam> }): Promise<void> => {
    const beam = await start()
    await using node = await startNode(beam, { schedulers: { count: 1, execArgv: [] } })
    node.on('crash', () => {})
    await node.connect(beam.name)
    await like(t, beam, node)
    await servers(t, beam, node)
    await fromErlang(t, beam, node)
    await inGroups(t, beam, node)
    await together(t, beam, node)
    await busy(t, beam, node)
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

async function like(t: Test, beam: Beam, node: Node): Promise<void> {
  for (const on of places) {
    await t.test(`a process in the place '${on}' is a process like any other`, async t => {
      const evaluate = evaluator(beam, node)
      const pid = node.spawn({ module: 'work', fun: 'echo' }, { on, name: `echo_${on}` })
      const source = `
        Ask = fun(To, Message) -> To ! {self(), Message}, receive {Pid, Message} -> true end end,
        Named = {Name, Ts},
        [Ask(Pid, {message, N}) andalso Ask(Named, N) || N <- lists:seq(1, 100)],
        Large = binary:copy(<<"0123456789">>, 500000),
        Ask(Pid, Large),
        process_flag(trap_exit, true),
        link(Pid), By = monitor(process, Pid), ByName = monitor(process, Named),
        exit(Pid, {because, Name}),
        Got = fun(F) -> receive {'DOWN', F, process, What, Why} -> {What, Why} end end,
        {receive {'EXIT', Pid, Reason} -> Reason end, Got(By), Got(ByName)}.`
      const name = atom(`echo_${on}`)
      const why = tuple(atom('because'), name)
      const got = await evaluate(source, { Pid: pid, Name: name })
      t.equal(format(got), format(tuple(why, tuple(pid, why), tuple(tuple(name, atom(node.name)), why)) as Term))
      t.equal(await node.isAlive(pid), false)
      t.equal(node.whereis(`echo_${on}`), undefined)
      const dead = `Ref = monitor(process, Pid), process_flag(trap_exit, true), link(Pid),
        {receive {'DOWN', Ref, process, Pid, W} -> W end, receive {'EXIT', Pid, E} -> E end}.`
      t.equal(format(await evaluate(dead, { Pid: pid })), '{noproc,noproc}', 'it is dead for everybody')
    })
  }

  await t.test('links and monitors hold towards the BEAM, too', async t => {
    for (const on of places) {
      const source = `
        Peer = spawn(fun() -> receive stop -> exit(stopped) end end), Me = self(),
        Me ! {peer, Peer}, receive {peer, P} -> P end.`
      const peer = (await beam.eval(source)) as Pid
      const pid = spawn(node, on, 'tied', peer, peer)
      const ends = `Ref = monitor(process, Pid), Peer ! stop, receive {'DOWN', Ref, process, Pid, Why} -> Why end.`
      // The link may not be there yet when the peer ends: then it is noproc, as between any two nodes.
      t.match(format(await beam.eval(ends, { bindings: { Pid: pid, Peer: peer } })), /^(stopped|noproc)$/)
    }
  })
}

async function servers(t: Test, beam: Beam, node: Node): Promise<void> {
  for (const on of places) {
    await t.test(`a genServer in the place '${on}'`, async t => {
      const evaluate = evaluator(beam, node)
      const name = `counter_${on}`
      const ref = await node.start(counter, { args: [10], name, on })
      t.equal(await ref.call('add', 5), 15)
      t.not(await ref.call('where'), process.pid)
      t.equal(await evaluate(`gen_server:call({${name}, Ts}, {add, 5}).`), 20)
      t.equal(await evaluate(`gen_server:cast({${name}, Ts}, reset), gen_server:call({${name}, Ts}, get).`), 0)
      const crash = `try gen_server:call({${name}, Ts}, crash) catch exit:{{{Type, Text}, [{Module, Fun, _, _} | _]}, _} -> {Type, Text, Module, Fun} end.`
      t.equal(format(await evaluate(crash)), '{\'TypeError\',<<"crash">>,counter,crash}')
      await t.rejects(node.start(counter, { args: [-1], on }), { message: /negative/ })
      await t.rejects(
        async () => {
          await node.start(counter, { args: [1], name, on })
          return node.start(counter, { args: [1], name, on })
        },
        { code: 'ERR_NAME_TAKEN' },
      )
      node.exit(node.whereis(name) as Pid, atom('kill'))
    })
  }
}

async function fromErlang(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('Erlang spawns and calls into the place that a module was loaded for', async t => {
    const evaluate = evaluator(beam, node)
    for (const on of places) {
      await node.code.load(`placed_${on}`, work, { on })
      t.equal(await evaluate(`erpc:call(Ts, placed_${on}, add, [1, 2]).`), 3)
      t.not(await evaluate(`rpc:call(Ts, placed_${on}, osProcess, []).`), process.pid)
      const source = `{Pid, Ref} = spawn_monitor(Ts, placed_${on}, echo, []),
        Pid ! {self(), hello}, receive {Pid, hello} -> ok end, exit(Pid, enough), receive {'DOWN', Ref, process, Pid, Why} -> Why end.`
      t.equal(await evaluate(source), atom('enough'))
    }
    t.equal(await evaluate('erpc:call(Ts, work, osProcess, []).'), process.pid, 'by default on main')
  })
}

async function inGroups(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('processes of every place are members of process groups', async t => {
    const scope = `Scope = case whereis(pg) of undefined -> element(2, pg:start(pg)); Running -> Running end, is_pid(Scope).`
    t.equal(await beam.eval(scope), true)
    for (const on of places) {
      // A visible node is found by a scope that begins; this one is hidden, and finds those that are there when it connects.
      const gone = new Promise<void>(resolve => node.once('nodedown', () => resolve()))
      node.disconnect(beam.name)
      await gone
      await node.connect(beam.name)
      const pid = spawn(node, on, 'joined')
      const source = `
        {Ref, Members} = pg:monitor(<<"placed">>),
        case Members of [Pid] -> ok; [] -> receive {Ref, join, _, [Pid]} -> ok end end,
        exit(Pid, kill), receive {Ref, leave, _, [Pid]} -> ok end,
        Theirs = spawn(fun() -> receive stop -> ok end end), pg:join(<<"placed">>, Theirs), pg:leave(<<"placed">>, Theirs).`
      t.equal(await beam.eval(source, { bindings: { Pid: pid } }), atom('ok'))
      const other = spawn(node, on, 'echo')
      node.pg.join('placed', other)
      t.strictSame(node.pg.localMembers('placed'), [other])
      t.equal(await beam.eval(source, { bindings: { Pid: other } }), atom('ok'))
    }
  })
}

async function together(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('what ends a scheduler ends those in it, with a reason that says so, and it is replaced', async t => {
    for (const [how, why] of [
      ['exit', /^\{scheduler_down,\{exit_status,3\}\}$/],
      ['segfault', /^\{scheduler_down,\{signal,sigsegv\}\}$/],
      ['stray', /^\{scheduler_down,\{\{'RangeError',<<"stray">>\},\[/],
    ] as const) {
      const other = spawn(node, 'pool', 'echo')
      const watch = `Ref = monitor(process, Other), Me = self(), spawn(fun() -> R = monitor(process, Other), Me ! ready,
        receive {'DOWN', R, process, Other, Why} -> Me ! {other, Why} end end), receive ready -> ok end, demonitor(Ref, [flush]), ok.`
      t.equal(await beam.eval(watch, { bindings: { Other: other } }), atom('ok'))
      t.match(await ending(beam, node, 'pool', how), why, how)
      t.equal(await node.isAlive(other), false)
      const next = spawn(node, 'pool', 'echo')
      t.equal(await node.isAlive(next), true, 'there is a scheduler again')
    }
    t.match(await ending(beam, node, 'pool', 'throw'), /^\{\{'TypeError'/, 'a throw in a process is that process’s own')
  })
}

async function busy(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('a node that computes in a place stays in the cluster', async t => {
    const evaluate = evaluator(beam, node)
    await node.code.load('busy', work, { on: 'pool' })
    const source = `Me = self(), spawn(fun() -> Me ! {done, erpc:call(Ts, busy, compute, [3000], 60000)} end),
      Pings = [net_adm:ping(Ts) || _ <- lists:seq(1, 20), timer:sleep(100) =:= ok],
      {lists:usort(Pings), receive {done, Ms} -> Ms end}.`
    t.equal(format(await evaluate(source)), '{[pong],3000}')
  })
}
