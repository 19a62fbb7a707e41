import { atom, type NodeProcess } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { genServer, reply } from '../src/otp/index.js'
import { beamName, type Figure, onBeam, onNode } from './figure.js'
import type { Contender } from './harness.js'

const callers = 120

const erlang = String.raw`
-module(gen_call).
-behaviour(gen_server).
-export([start/0, run/2, init/1, handle_call/3, handle_cast/2]).

start() -> {ok, _} = gen_server:start({local, echo}, ?MODULE, [], []), ok.

init(State) -> {ok, State}.
handle_call({echo, Term}, _, State) -> {reply, Term, State}.
handle_cast(_, State) -> {noreply, State}.

run(Server, N) ->
    Start = erlang:monotonic_time(nanosecond),
    Callers = [spawn_monitor(fun() -> calls(Server, N div ${callers}) end) || _ <- lists:seq(1, ${callers})],
    [receive {'DOWN', Ref, process, Pid, normal} -> ok end || {Pid, Ref} <- Callers],
    erlang:monotonic_time(nanosecond) - Start.

calls(_, 0) -> ok;
calls(Server, N) -> N = gen_server:call(Server, {echo, N}), calls(Server, N - 1).
`

const server = genServer({ init: () => null, call: { echo: (state, term: number) => reply(term, state) } })

/** Every caller calls the same number of times. */
const whole = (n: number): number => Math.ceil(n / callers) * callers

export const genCall: Figure = {
  name: 'gen-call',
  about: `gen_server:call to another node, ${callers} callers at once`,

  async rows(stage) {
    const [beam, other, node] = [await stage.beam(erlang), await stage.beam(erlang), await stage.node()]
    await node.connect(beam.name)
    await beam.eval('gen_call:start().')
    await node.start(server, { name: 'echo' })

    const onBeams = (caller: Beam, to: string, name: string): Contender => {
      const { run } = onBeam(caller, 'gen_call:run({echo, Node}, N).', { Node: atom(to) }, name)
      return { name, run: n => run(whole(n)) }
    }
    const call = async (self: NodeProcess, n: number): Promise<void> => {
      const echo = self.ref<typeof server>({ name: 'echo', node: beam.name })
      for (let i = 0; i < n; i++) await echo.call('echo', i)
    }
    const calls = onNode(node, async (self, n) => {
      for (let i = 0; i < callers; i++) self.spawnMonitor(caller => call(caller, n / callers))
      for (let i = 0; i < callers; i++) await self.receive()
    })
    const peers = [onBeams(other, beam.name, `${beamName} ↔ BEAM`)]
    const row = { unit: 'calls/s', better: 'more', peers } as const
    return [
      { ...row, name: 'TypeScript calls a BEAM node', ours: { name: 'Beamlet', run: n => calls.run(whole(n)) } },
      { ...row, name: 'a BEAM node calls TypeScript', ours: onBeams(beam, node.name, 'Beamlet') },
    ]
  },
}
