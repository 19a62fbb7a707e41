import { atom, type NodeProcess, type Pid, tuple, type Tuple } from '../src/index.js'
import { genServer, reply } from '../src/otp/index.js'
import { type Figure, onBeam, onNode } from './figure.js'

const callers = 120

const erlang = String.raw`
-module(local).
-behaviour(gen_server).
-export([start/0, sends/1, calls/2, init/1, handle_call/3, handle_cast/2]).

start() -> {ok, _} = gen_server:start({local, echo}, ?MODULE, [], []), ok.

init(State) -> {ok, State}.
handle_call({echo, Term}, _, State) -> {reply, Term, State}.
handle_cast(_, State) -> {noreply, State}.

sends(N) ->
    Sink = spawn(fun() -> receive {start, N, From} -> sink(N), From ! done end end),
    Start = erlang:monotonic_time(nanosecond),
    Sink ! {start, N, self()},
    send(Sink, {message, 42, <<"hello">>}, N),
    receive done -> ok end,
    erlang:monotonic_time(nanosecond) - Start.

send(_, _, 0) -> ok;
send(Sink, Term, N) -> Sink ! Term, send(Sink, Term, N - 1).

sink(0) -> ok;
sink(N) -> receive _ -> sink(N - 1) end.

calls(Callers, N) ->
    Start = erlang:monotonic_time(nanosecond),
    All = [spawn_monitor(fun() -> call(N div Callers) end) || _ <- lists:seq(1, Callers)],
    [receive {'DOWN', Ref, process, Pid, normal} -> ok end || {Pid, Ref} <- All],
    erlang:monotonic_time(nanosecond) - Start.

call(0) -> ok;
call(N) -> N = gen_server:call(echo, {echo, N}), call(N - 1).
`

const [start, done] = [atom('start'), atom('done')]
const message = tuple(atom('message'), 42, 'hello')
const server = genServer({ init: () => null, call: { echo: (state, term: number) => reply(term, state) } })

async function sends(self: NodeProcess, n: number): Promise<void> {
  const sink = self.spawn(async taker => {
    const [, n, from] = ((await taker.receive()) as Tuple<[typeof start, number, Pid]>).elements
    for (let i = 0; i < n; i++) await taker.receive()
    taker.send(from, done)
  })
  self.send(sink, tuple(start, n, self.pid))
  for (let i = 0; i < n; i++) self.send(sink, message)
  await self.receive()
}

async function calls(self: NodeProcess, among: number, n: number): Promise<void> {
  for (let i = 0; i < among; i++) self.spawnMonitor(caller => echoes(caller, n / among))
  for (let i = 0; i < among; i++) {
    const [, , , , reason] = ((await self.receive()) as Tuple).elements
    if (reason !== atom('normal')) throw new Error(`A caller ended: ${String(reason)}`)
  }
}

async function echoes(self: NodeProcess, n: number): Promise<void> {
  const echo = self.ref<typeof server>('echo')
  for (let i = 0; i < n; i++) await echo.call('echo', i)
}

export const local: Figure = {
  name: 'local',
  about: 'a process sends to another of its node as fast as it goes; one process, and many at once, call a genServer of their node',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang), await stage.node()]
    await beam.eval('local:start().')
    await node.start(server, { name: 'echo' })
    const callsBy = (among: number, name: string) => {
      // Every caller calls the same number of times.
      const whole = (n: number): number => Math.ceil(n / among) * among
      const [ours, peer] = [onNode(node, (self, n) => calls(self, among, n)), onBeam(beam, 'local:calls(Callers, N).', { Callers: among })]
      return {
        name,
        unit: 'calls/s',
        better: 'more' as const,
        ours: { ...ours, run: (n: number) => ours.run(whole(n)) },
        peers: [{ ...peer, run: (n: number) => peer.run(whole(n)) }],
      }
    }
    return [
      { name: 'one way', unit: 'messages/s', better: 'more', ours: onNode(node, sends), peers: [onBeam(beam, 'local:sends(N).')] },
      callsBy(1, 'one caller'),
      callsBy(callers, `${callers} callers`),
    ]
  },
}
