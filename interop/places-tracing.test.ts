/** Tracing reaches processes in every place. */
import t from 'tap'
import { format } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { evaluator, spawn, startNode } from './support/places.js'

t.test('dbg traces processes in the pool and isolated ones', async t => {
  await eachOtp<Beam>(
    t,
    async (t, { start }) => {
      const beam = await start()
      await using node = await startNode(beam)
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
