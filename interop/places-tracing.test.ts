/** Tracing reaches processes in every place. */
import t, { type Test } from 'tap'
import { atom, type Atom, format, type Node, type Pid, type Tuple, tuple } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { evaluator, spawn, startNode } from './support/places.js'

t.test('dbg traces processes in the pool and isolated ones', async t => {
  await eachOtp<Beam>(
    t,
    async (t, { start }) => {
      const beam = await start()
      await using node = await startNode(beam, { schedulers: { count: 1, execArgv: [] } })
      const evaluate = evaluator(beam, node)
      for (const on of ['pool', 'isolated'] as const) {
        const pid = spawn(node, on, 'echo')
        // It answers once it is there.
        await evaluate('Pid ! {self(), first}, receive {Pid, first} -> ok end.', { Pid: pid })
        const told = await evaluate(
          `Me = self(), {ok, _} = dbg:tracer(process, {fun(E, S) -> Me ! {told, E}, S end, none}), {ok, Ts} = dbg:n(Ts),
          {ok, [{matched, Ts, 1}]} = dbg:p(Pid, [m]), [Flags] = [F || {P, _, F} <- rpc:call(Ts, dbg, get_info, []), P =:= Pid],
          Pid ! {Me, second}, receive {Pid, second} -> ok end,
          Told = [receive {told, {trace, Pid, What, E}} -> {What, E}; {told, {trace, Pid, What, E, Me}} -> {What, E} after 60000 -> timeout end || _ <- [1, 2]],
          {ok, [{matched, Ts, 1}]} = dbg:p(Pid, clear), Pid ! {Me, third}, receive {Pid, third} -> ok end, ok = dbg:stop(),
          {lists:sort(Flags), [{What, case E of {_, X} -> X end} || {What, E} <- Told], receive {told, E} -> E after 0 -> none end}.`,
          { Pid: pid },
        )
        t.equal(format(told), "{['receive',send],[{'receive',second},{send,second}],none}", on)
      }
    },
    startBeam,
  )
})

t.test('dbg:p of all and of new reaches processes of places that start later', async t => {
  await eachOtp<Beam>(
    t,
    async (t, { start }) => {
      const beam = await start()
      // `schedulers` starts the pool; no isolated place has started.
      await using node = await startNode(beam, { schedulers: { count: 1, execArgv: [] } })
      spawner(node)
      await later(t, beam, node, 'new')
      // Now there are a scheduler, two isolated places, and one that waits for a process.
      await later(t, beam, node, 'all')
    },
    startBeam,
  )
})

/** Spawns where it is told to. */
function spawner(node: Node): void {
  node.spawn(
    async self => {
      for await (const message of self) {
        const [from, on] = (message as Tuple<[Pid, Atom]>).elements
        const pid = self.spawn({ module: 'work', fun: 'echo' }, { on: on.name as 'pool' })
        self.send(from, tuple(on, pid))
      }
    },
    { name: 'spawner' },
  )
}

async function later(t: Test, beam: Beam, node: Node, whom: 'all' | 'new'): Promise<void> {
  const source = `
    Me = self(), {ok, _} = dbg:tracer(process, {fun(E, S) -> Me ! {told, E}, S end, none}), {ok, Ts} = dbg:n(Ts), ok = dbg:cn(node()), {ok, [{matched, Ts, _}]} = dbg:p(${whom}, [m, p]),
    Spawn = fun(On) -> {spawner, Ts} ! {Me, On}, P = receive {On, Pid} -> Pid end, P ! {Me, hello}, receive {P, hello} -> P end end,
    By = rpc:call(Ts, erlang, whereis, [spawner]),
    Pids = [{On, Spawn(On)} || On <- [main, pool, isolated, isolated]],
    Told = fun(P) -> [receive {told, E} when element(2, E) =:= P, element(3, E) =:= What -> case E of
        {trace, P, spawned, By, Call} -> {spawned, Call};
        {trace, P, 'receive', {Me, M}} -> {received, M};
        {trace, P, send, {P, M}, Me} -> {sent, M};
        Other -> Other
      end after 60000 -> {none, What} end || What <- [spawned, 'receive', send]] end,
    All = [{On, Told(P)} || {On, P} <- Pids],
    {ok, _} = dbg:p(all, clear), Last = [Spawn(On) || On <- [main, pool, isolated]], ok = dbg:stop(),
    Rest = (fun F() -> receive {told, E} -> [E | F()] after 0 -> [] end end)(),
    {All, [E || E <- Rest, lists:member(element(2, E), Last)]}.`
  const told = await beam.eval(source, { bindings: { Ts: atom(node.name) }, timeout: 300_000 })
  const seen = '[{spawned,{work,echo,0}},{received,hello},{sent,hello}]'
  t.equal(format(told), `{[{main,${seen}},{pool,${seen}},{isolated,${seen}},{isolated,${seen}}],[]}`, whom)
}
