import { atom } from '../src/index.js'
import { ask, startProgram } from './programs.js'
import { beamName, type Figure, type Stage } from './figure.js'
import { type Cost, growth } from './growth.js'
import { median, type Row } from './harness.js'

/** Of an odd number: the median */
const tries = 5

const erlang = String.raw`
-module(atoms).
-export([run/3]).

%% The median of several, each with other atoms than all before it: nanoseconds for each of N
run(What, First, N) ->
    Times = [in_process(What, First + Try * N, N) || Try <- lists:seq(0, ${tries} - 1)],
    lists:nth(${(tries + 1) / 2}, lists:sort(Times)) / N.

in_process(What, First, N) ->
    Self = self(),
    {Pid, Ref} = spawn_monitor(fun() -> Self ! {self(), once(What, names(First, N))} end),
    Took = receive {Pid, T} -> T end,
    receive {'DOWN', Ref, process, Pid, normal} -> Took end.

names(First, N) -> [<<"atom_", (integer_to_binary(I))/binary>> || I <- lists:seq(First, First + N - 1)].

once(made, Names) -> timed(fun() -> lists:foreach(fun(Name) -> binary_to_atom(Name) end, Names) end);
once(decoded, Names) ->
    Atoms = << <<119, (byte_size(Name)), Name/binary>> || Name <- Names >>,
    Bytes = <<131, 108, (length(Names)):32, Atoms/binary, 106>>,
    timed(fun() -> true = is_list(binary_to_term(Bytes)) end);
once(encoded, Names) ->
    Atoms = [binary_to_atom(Name) || Name <- Names],
    timed(fun() -> true = is_binary(term_to_binary(Atoms)) end).

timed(Work) ->
    Start = erlang:monotonic_time(nanosecond),
    Work(),
    erlang:monotonic_time(nanosecond) - Start.
`

const program = new URL('./placed/atoms.mjs', import.meta.url)

/** Atoms are never freed: each row has an OS process of its own, and so has the BEAM. */
async function row(stage: Stage, name: string, what: 'made' | 'decoded' | 'encoded'): Promise<Row> {
  const beam = await stage.beam(erlang, ['+t', '6000000'])
  const [child] = await startProgram(stage, program)
  let first = 0
  const ours: Cost = async n => {
    const times = (await ask(child, { what, first, n, tries })) as number[]
    first += n * tries
    return (median(times) * 1e6) / n
  }
  let other = 0
  const theirs: Cost = async n => {
    const bindings = { What: atom(what), First: other, N: n }
    other += n * tries
    return (await beam.eval('atoms:run(What, First, N).', { bindings, timeout: 120_000 })) as number
  }
  return growth({ name, unit: 'ns', ours, peer: { name: beamName, cost: theirs } })
}

export const atoms: Figure = {
  name: 'atoms',
  about: 'how the time for atoms that were never there before grows with their number, and for as many in one list: 1 is linear',
  rows: async stage => [
    await row(stage, 'atoms are made of text', 'made'),
    await row(stage, 'atoms are decoded', 'decoded'),
    await row(stage, 'atoms are encoded', 'encoded'),
  ],
}
