/** What is told of processes in every place of a node, beside what a BEAM node tells of the same ones; and of those in places that do not answer. */
import t, { type Test } from 'tap'
import { any, atom, format, match, type Node, type Pid, type Term } from 'beamlet'
import { supervisor } from 'beamlet/otp'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { counter } from './support/placed/counter.mjs'
import { evaluator, spawn, startNode } from './support/places.js'

/** As `work.mjs` and `counter.mjs` are */
const modules = [
  '-module(work). -export([echo/0]). echo() -> receive {From, M} -> From ! {self(), M}, ?MODULE:echo() end.',
  String.raw`-module(counter). -behaviour(gen_server). -export([start/0, init/1, handle_call/3, handle_cast/2]).
start() ->
    Spec = #{id => counter, start => {gen_server, start_link, [{local, counted}, ?MODULE, 10, []]}},
    {ok, Sup} = supervisor:start_link({local, counter_sup}, counter_sup, [Spec]), unlink(Sup), {spawn(work, echo, []), whereis(counted)}.
init(N) -> {ok, N}.
handle_call(get, _, N) -> {reply, N, N}.
handle_cast(_, N) -> {noreply, N}.`,
  '-module(counter_sup). -behaviour(supervisor). -export([init/1]). init(Specs) -> {ok, {#{}, Specs}}.',
]

/** `E`: a process of the function work:echo/0; `S`: a server that a supervisor named `counter_sup` has started, and that is registered as `counted` */
const questions: readonly string[] = [
  'Info(E, [registered_name, initial_call, current_function, message_queue_len, links, monitors, dictionary, trap_exit])',
  'Info(S, [registered_name, initial_call, message_queue_len, trap_exit])',
  "{_, D} = Info(S, dictionary), {proplists:get_value('$initial_call', D), hd(proplists:get_value('$ancestors', D))}",
  'element(1, element(2, Info(S, current_function))) =:= gen_server',
  'Wait(E, status, waiting)',
  'Wait(S, status, waiting)',
  'element(2, Info(S, parent)) =:= rpc:call(N, erlang, whereis, [counter_sup])',
  'is_pid(element(2, Info(rpc:call(N, erlang, whereis, [counter_sup]), parent)))',
  'Info(S, links) =:= {links, [rpc:call(N, erlang, whereis, [counter_sup])]}',
  'rpc:call(N, proc_lib, translate_initial_call, [E])',
  'rpc:call(N, proc_lib, translate_initial_call, [S])',
  'element(2, Info(E, reductions)) > 0',
  '[lists:member(P, rpc:call(N, erlang, processes, [])) || P <- [E, S]]',
  '[rpc:call(N, erlang, is_process_alive, [P]) || P <- [E, S]]',
  '[Item || {Item, _} <- Info(S, Observed)]',
  'Info(E, [binary, catchlevel, last_calls, sequential_trace_token, suspending, error_handler, priority, trace, messages])',
  '[I || {I, _} <- rpc:call(N, erlang, process_info, [S])]',
  ...['E', 'S'].map(
    whose => `[{I, case Info(${whose}, I) of {I, V} -> Kind(V); V -> V end} || I <- Items, ${whose} =:= S orelse I =/= parent]`,
  ),
  '[case Info(E, I) of {badrpc, {Exit, {Why, [{M, F, A, _} | _]}}} -> {Exit, Why, M, F, tl(A)}; V -> V end || I <- Wrong]',
  '[{[K || {K, _} <- Info(P, [dictionary])], Info(P, [])} || P <- [E, S]]',
  '[case rpc:call(N, erlang, process_info, A) of {badrpc, {Exit, {Why, [{M, F, B, _} | _]}}} -> {Exit, Why, M, F, length(B)}; V -> V end || A <- [[x], [x, links], [E, links, x], [self()], [self(), links]]]',
]

/** Every item of the manual that the release knows; and what is none. Who has spawned a plain process is not known here. */
const items = `[I || I <- [async_dist, backtrace, binary, catchlevel, current_function, current_location, current_stacktrace, dictionary, error_handler, garbage_collection,
  garbage_collection_info, group_leader, heap_size, initial_call, last_calls, links, memory, message_queue_len, messages, min_heap_size, min_bin_vheap_size, monitored_by,
  monitors, message_queue_data, parent, priority, reductions, registered_name, sequential_trace_token, stack_size, status, suspending, total_heap_size, trace, trap_exit,
  fullsweep_after, max_heap_size, magic_ref, label, priority_messages, {dictionary, nothing}, {dictionary, [a, b]}],
  try process_info(self(), I) of _ -> true catch _:_ -> false end]`
const wrong = '[strange, 5, [strange], [links, strange], [links | x], {dictionary}, {strange, x}, "text"]'

/** What observer's window of a process asks for */
const observed = `[binary, catchlevel, current_function, error_handler, garbage_collection, group_leader, heap_size, initial_call, last_calls, links,
  memory, message_queue_len, monitored_by, monitors, priority, reductions, registered_name, sequential_trace_token, stack_size, status, suspending,
  total_heap_size, trace, trap_exit]`

/** What a place tells no more of than it knows: who started the supervisor */
const ofMain = ['lists:sort(element(2, Info(S, dictionary)))']

const ask = (question: string): string => `
  Info = fun(P, Items) -> rpc:call(N, erlang, process_info, [P, Items]) end,
  Wait = fun W(P, Item, Value) -> case Info(P, Item) of {Item, Value} -> true; _ -> W(P, Item, Value) end end,
  Observed = ${observed}, Items = ${items}, Wrong = ${wrong},
  Kind = fun(V) when is_integer(V) -> integer; (V) when is_pid(V) -> a_pid; (V) when is_list(V) -> list; (V) when is_map(V) -> lists:sort(maps:keys(V) -- [include_shared_binaries]); (V) when is_binary(V) -> binary;
    (V) when is_tuple(V) -> {tuple, tuple_size(V)}; (V) -> V end,
  E ! {self(), hello}, receive {E, hello} -> ok end,
  Value = (fun() -> ${question} end)(),
  _ = {Info, Wait, Observed, Items, Wrong, Kind}, Value.`

t.test('process_info everywhere', async t => {
  const suite = async (
    t: Test,
    { start }: { readonly start: (options?: { code?: string[]; cookie?: string }) => Promise<Beam> },
  ): Promise<void> => {
    const beam = await start()
    const other = await start({ code: modules, cookie: beam.cookie })
    const [echo, server] = ((await other.eval('counter:start().')) as { elements: readonly Pid[] }).elements as [Pid, Pid]
    await using node = await startNode(beam, { schedulers: { count: 1, execArgv: [] }, longSchedule: 0 })
    await node.connect(beam.name)
    for (const on of ['main', 'pool', 'isolated'] as const) {
      await t.test(`a process in the place '${on}' is told of as a process of a BEAM node`, async t => {
        const started = await processes(node, on)
        for (const question of on === 'main' ? [...questions, ...ofMain] : questions) {
          const theirs = await beam.eval(ask(question), { bindings: { N: atom(other.name), E: echo, S: server } })
          const ours = await beam.eval(ask(question), { bindings: { N: atom(node.name), E: started.echo, S: started.server } })
          t.equal(plain(ours), plain(theirs), question)
        }
        await started.end()
      })
    }
    await alone(t, beam, node)
    await silent(t, beam, node)
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

/** Pids differ. */
const plain = (term: Term): string => format(term).replaceAll(/<[\d.]+>/g, 'pid')

async function processes(node: Node, on: 'main' | 'pool' | 'isolated'): Promise<{ echo: Pid; server: Pid; end: () => Promise<void> }> {
  const echo = node.spawn({ module: 'work', fun: 'echo' }, { on })
  const children = [{ id: 'counter', start: counter, args: [10] as [number], name: 'counted', on }]
  const sup = await node.start(supervisor({ strategy: 'oneForOne', children }), { name: 'counter_sup' })
  const server = node.whereis('counted') as Pid
  const end = (): Promise<void> =>
    node.run(async self => {
      const refs = [self.monitor(sup.pid), self.monitor(echo)]
      self.exit(echo, atom('shutdown'))
      node.exit(sup.pid, atom('kill'))
      for (const ref of refs) await self.receive(match([atom('DOWN'), ref, any, any, any]))
    })
  return { echo, server, end }
}

async function alone(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('an isolated process has its memory for itself, and that is told', async t => {
    const pid = spawn(node, 'isolated', 'echo')
    const source = 'Pid ! {self(), hello}, receive {Pid, hello} -> ok end, rpc:call(Ts, erlang, process_info, [Pid, memory]).'
    const told = (await evaluator(beam, node)(source, { Pid: pid })) as unknown as { elements: [Term, number] }
    t.ok(told.elements[1] > 2 ** 24, String(told.elements[1]))
    node.exit(pid, atom('kill'))
  })
}

async function silent(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('places that compute or are stopped hold up no answer: what main knows is told', async t => {
    const evaluate = evaluator(beam, node)
    const busy = node.spawn({ module: 'work', fun: 'compute', args: [3_600_000] }, { on: 'isolated', name: 'busy' })
    const stopped = spawn(node, 'isolated', 'end', 'stop')
    const asker = `Stopped ! {go, self()}, receive going -> ok end,
      Peer = spawn(fun() -> Ref = monitor(process, Busy), receive {'DOWN', Ref, _, _, _} -> ok end end), Peer.`
    const peer = (await evaluate(asker, { Stopped: stopped, Busy: busy })) as Pid
    const source = `
      Info = fun(P, Items) -> rpc:call(Ts, erlang, process_info, [P, Items]) end,
      Watched = fun W() -> case Info(Busy, monitored_by) of {_, [Peer]} -> true; _ -> W() end end,
      All = rpc:call(Ts, erlang, processes, []),
      {[lists:member(P, All) || P <- [Busy, Stopped]], [rpc:call(Ts, erlang, is_process_alive, [P]) || P <- [Busy, Stopped]],
       Info(Busy, [registered_name, initial_call, status, trap_exit, links]), Watched(),
       element(2, Info(Stopped, memory)) > 0, lists:member(busy, rpc:call(Ts, erlang, registered, []))}.`
    const told = await evaluate(source, { Busy: busy, Stopped: stopped, Peer: peer })
    const info = '[{registered_name,busy},{initial_call,{work,compute,1}},{status,running},{trap_exit,false},{links,[]}]'
    t.equal(format(told), `{[true,true],[true,true],${info},true,true,true}`)
    for (const pid of [busy, stopped]) {
      const end = 'Ref = monitor(process, Pid), exit(Pid, kill), receive {_, Ref, process, _, Why} -> Why end.'
      t.equal(await evaluate(end, { Pid: pid }), atom('killed'))
      const after = await evaluate('rpc:call(Ts, erlang, process_info, [Pid]).', { Pid: pid })
      t.equal(after, atom('undefined'), 'it has ended')
    }
    t.equal(format(await evaluate('rpc:call(Ts, erlang, process_info, [Pid, strange]).', { Pid: busy })).includes('badarg'), true)
  })
}
