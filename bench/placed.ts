import { pid } from 'node:process'
// As it is shipped: in another place there is no loader.
import { any, atom, match, Node, type NodeProcess, type Pid, tuple } from 'beamlet'
import type { Beam } from '../src/interop/index.js'
import { beamName, type Figure, onBeam, type Stage, timed } from './figure.js'
import { latency, type Measured, type Row } from './harness.js'
import { server } from './placed/server.mjs'

const callers = 120

const erlang = String.raw`
-module(placed).
-behaviour(gen_server).
-export([start/0, where/1, trips/2, casts/2, calls/2, init/1, handle_call/3, handle_cast/2, handle_info/2]).

start() -> {ok, _} = gen_server:start({local, placed}, ?MODULE, [], []), ok.

init(_) -> {ok, 0}.
handle_call({echo, Term}, _, Taken) -> {reply, Term, Taken};
handle_call(taken, _, Taken) -> {reply, Taken, 0}.
handle_cast({take, _}, Taken) -> {noreply, Taken + 1}.
handle_info({From, Message}, Taken) -> From ! Message, {noreply, Taken}.

where({Name, Node}) -> rpc:call(binary_to_atom(Node), erlang, whereis, [binary_to_atom(Name)]).

trips(Server, N) -> [trip(Server) || _ <- lists:seq(1, N)].

trip(Server) ->
    Start = erlang:monotonic_time(nanosecond),
    Server ! {self(), hello},
    receive hello -> ok end,
    erlang:monotonic_time(nanosecond) - Start.

casts(Server, N) ->
    Start = erlang:monotonic_time(nanosecond),
    cast(Server, {message, 42, <<"hello">>}, N),
    N = gen_server:call(Server, taken, infinity),
    erlang:monotonic_time(nanosecond) - Start.

cast(_, _, 0) -> ok;
cast(Server, Term, N) -> gen_server:cast(Server, {take, Term}), cast(Server, Term, N - 1).

calls(Server, N) ->
    Start = erlang:monotonic_time(nanosecond),
    Callers = [spawn_monitor(fun() -> call(Server, N div ${callers}) end) || _ <- lists:seq(1, ${callers})],
    [receive {'DOWN', Ref, process, Pid, normal} -> ok end || {Pid, Ref} <- Callers],
    erlang:monotonic_time(nanosecond) - Start.

call(_, 0) -> ok;
call(Server, N) -> N = gen_server:call(Server, {echo, N}, infinity), call(Server, N - 1).
`

const hello = atom('hello')

/** What is asked of a server */
type Ask = 'trips' | 'casts' | 'calls'
type Asker = Readonly<Record<Ask, (n: number) => Promise<Measured>>>

const kinds: Readonly<Record<Ask, Pick<Row, 'unit' | 'better' | 'also'> & { readonly what: string }>> = {
  trips: { what: 'round trip', unit: 'µs, p50', better: 'less', also: [{ name: '', unit: 'µs, p99', better: 'less' }] },
  casts: { what: 'casts', unit: 'casts/s', better: 'more' },
  calls: { what: `${callers} callers`, unit: 'calls/s', better: 'more' },
}

/** Every caller calls the same number of times. */
const whole = (n: number): number => Math.ceil(n / callers) * callers

/** A process on main asks. One that is told that the way is busy waits, as OTP makes its senders wait. */
function onMain(node: Node, server: Pid): Asker {
  const request = tuple(atom('$gen_cast'), tuple(atom('take'), tuple(atom('message'), 42, 'hello')))
  const inProcess = (work: (self: NodeProcess, n: number) => Promise<unknown>) => (n: number) =>
    node.run(self => timed(n, () => work(self, n)))
  const calls = inProcess(async (self, n) => {
    for (let i = 0; i < callers; i++) self.spawnMonitor(caller => echoes(caller, server, n / callers))
    for (let i = 0; i < callers; i++) {
      const [, , , , reason] = (await self.receive(match([any, any, any, any, any]))).elements
      if (reason !== atom('normal')) throw new Error(`A caller ended: ${String(reason)}`)
    }
  })
  return {
    trips: n =>
      node.run(async self => {
        const trips: number[] = []
        for (let i = 0; i < n; i++) {
          const start = performance.now()
          self.send(server, tuple(self.pid, hello))
          await self.receive()
          trips.push((performance.now() - start) * 1e6)
        }
        return latency(trips)
      }),
    casts: inProcess(async (self, n) => {
      for (let i = 0; i < n; i++) {
        if (!self.send(server, request)) await node.drained(server)
      }
      const taken = await self.call(server, atom('taken'), { timeout: 120_000 })
      if (taken !== n) throw new Error(`${String(taken)} of ${n} casts came.`)
    }),
    calls: n => calls(whole(n)),
  }
}

async function echoes(self: NodeProcess, to: Pid, n: number): Promise<void> {
  const echo = self.ref<typeof server>(to)
  for (let i = 0; i < n; i++) await echo.call('echo', i)
}

/** A process on a BEAM asks the server that has that name there. */
function onA(asker: Beam, node: string, name: string): Asker {
  const bindings = { Name: name, Node: node }
  const contender = (ask: Ask) => onBeam(asker, `placed:${ask}(placed:where({Name, Node}), N).`, bindings)
  return {
    trips: async n => {
      const source = 'placed:trips(placed:where({Name, Node}), N).'
      return latency((await asker.eval(source, { bindings: { ...bindings, N: n }, timeout: 60_000 })) as number[])
    },
    casts: contender('casts').run,
    calls: n => contender('calls').run(whole(n)),
  }
}

async function start(stage: Stage, beam: Beam): Promise<Node> {
  const node = await Node.start({ name: `bench-placed-${pid}@127.0.0.1`, cookie: beam.cookie, schedulers: { count: 1, execArgv: [] } })
  stage.defer(() => node.close())
  await node.connect(beam.name)
  return node
}

export const placed: Figure = {
  name: 'placed',
  about:
    'messages, casts and calls to a genServer in the pool, and to an isolated one, beside the same server on main and beside two BEAM nodes',

  async rows(stage) {
    const [beam, other] = [await stage.beam(erlang), await stage.beam(erlang)]
    const node = await start(stage, beam)
    await beam.eval('placed:start().')
    const places = ['pool', 'isolated'] as const
    const [main, ...elsewhere] = await Promise.all(
      (['main', ...places] as const).map(async on => (await node.start(server, { on, name: `on_${on}` })).pid),
    )
    const beams = onA(other, beam.name, 'placed')
    const row = (name: string, ask: Ask, ours: Asker, same: Asker): Row => ({
      ...kinds[ask],
      name: `${name}: ${kinds[ask].what}`,
      ours: { name: 'Beamlet', run: ours[ask] },
      peers: [
        { name: 'the same on main', run: same[ask] },
        { name: `${beamName} ↔ BEAM`, run: beams[ask] },
      ],
    })
    const [here, there] = [onMain(node, main as Pid), onA(beam, node.name, 'on_main')]
    return places.flatMap((on, index) => {
      const [ours, theirs] = [onMain(node, elsewhere[index] as Pid), onA(beam, node.name, `on_${on}`)]
      const asks = Object.keys(kinds) as Ask[]
      const where = on === 'pool' ? 'the pool' : 'an isolated one'
      return [
        ...asks.map(ask => row(`main to ${where}`, ask, ours, here)),
        ...asks.map(ask => row(`a BEAM to ${where}`, ask, theirs, there)),
      ]
    })
  },
}
