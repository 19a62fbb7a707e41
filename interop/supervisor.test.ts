/** Supervisors in TypeScript, driven by Erlang's `supervisor`, beside an Erlang supervisor of the same children. */
import t, { type Test } from 'tap'
import { atom, format, type NodeProcess, Pid, type Sendable, type Term, type Tuple, tuple } from '../src/index.js'
import { genServer, reply, supervisor, SupervisorError } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { overheard, type Overheard } from './support/overheard.js'
import type { Pair } from './support/pair.js'
import { sup, worker, workerModule } from './support/tree.js'

const erlang = [
  workerModule,
  String.raw`
-module(sup).
-behaviour(supervisor).
-export([start/2, init/1]).
start(Flags, Specs) -> {ok, Pid} = supervisor:start_link(?MODULE, {Flags, Specs}), unlink(Pid), Pid.
init(Arg) -> {ok, Arg}.
`,
]

const child = (id: string, more = '', arg = id): string => `#{id => ${id}, start => {worker, start_link, [${arg}]} ${more}}`
const three = `[${child('a')}, ${child('b')}, ${child('c', ', restart => transient')}, ${child('d', ', restart => temporary')}]`
/** `Who(Id)` is a child's pid, `Shape()` all children without pids; `End` waits until the supervisor knows, too: who is told first is not said. */
const tools = `
  Kids = fun() -> supervisor:which_children(Sup) end, Who = fun(Id) -> element(2, lists:keyfind(Id, 1, Kids())) end,
  Shape = fun() -> [{I, if is_pid(P) -> pid; true -> P end, T, M} || {I, P, T, M} <- Kids()] end,
  Settle = fun F(P) -> case catch lists:keymember(P, 2, Kids()) of true -> F(P); _ -> ok end end,
  End = fun(P, Why) -> R = monitor(process, P), P ! {exit, Why}, receive {'DOWN', R, _, _, W} -> Settle(P), W end end,
  Gone = fun(P) -> R = monitor(process, P), receive {'DOWN', R, _, _, W} -> W end end,
  Pids = fun() -> [P || {_, P, _, _} <- Kids()] end,
  Same = fun(Old) -> [{I, P =:= proplists:get_value(I, [{J, Q} || {J, Q, _, _} <- Old])} || {I, P, _, _} <- Kids()] end,
  Bare = fun({error, {What, C}}) when element(1, C) =:= child -> {error, {What, setelement(2, C, x)}}; ({ok, P}) when is_pid(P) -> {ok, pid}; ({ok, P, I}) when is_pid(P) -> {ok, pid, I}; ({error, {already_started, _}}) -> already_started; (X) -> X end,`

/** name: [flags, specifications, program] */
const programs: Record<string, [string, string, string]> = {
  'which_children and count_children': ['#{}', three, '{Shape(), supervisor:count_children(Sup)}.'],
  'get_childspec': ['#{}', three, '{supervisor:get_childspec(Sup, c), supervisor:get_childspec(Sup, x)}.'],
  'start_child': ['#{}', '[]', `{[Bare(supervisor:start_child(Sup, S)) || S <- [${child('a')}, ${child('a')}, ${child('i', '', 'ignore')},
    ${child('i')}, ${child('t', ', restart => temporary', 'ignore')}, ${child('f', '', 'fail')}, ${child('o', '', 'odd')}, ${child('x', '', 'crash')},
    ${child('w', '', '{with, info}')}, {old, {worker, start_link, [old]}, permanent, 1000, worker, dynamic}]], Shape(), supervisor:count_children(Sup)}.`],
  'bad specifications': ['#{}', '[]', `[supervisor:start_child(Sup, S) || S <- [nonsense, #{id => a}, #{start => {a, b, []}}, ${child('a', ', restart => often')},
    ${child('a', ', shutdown => -1')}, ${child('a', ', type => thing')}, ${child('a', ', modules => 5')}, ${child('a', ', modules => [5]')}, ${child('a', ', significant => true')},
    ${child('a', ', significant => 5')}, #{id => a, start => nonsense}, {a, b}]].`],
  'terminate, restart and delete': ['#{}', three, `{supervisor:restart_child(Sup, a), supervisor:delete_child(Sup, a), supervisor:terminate_child(Sup, a), supervisor:terminate_child(Sup, a), Shape(),
    Bare(supervisor:start_child(Sup, ${child('a')})), Bare(supervisor:restart_child(Sup, a)), supervisor:terminate_child(Sup, b), supervisor:delete_child(Sup, b), supervisor:terminate_child(Sup, d),
    supervisor:terminate_child(Sup, x), supervisor:restart_child(Sup, x), supervisor:delete_child(Sup, x), Shape()}.`],
  'one_for_one restarts': ['#{intensity => 5}', three, `Old = Kids(), [End(Who(I), boom) || I <- [a, c, d]], Crashed = Same(Old), Mid = Kids(), [End(Who(I), normal) || I <- [b, c]], {Crashed, Same(Mid), Shape()}.`],
  'one_for_all restarts': ['#{strategy => one_for_all, intensity => 5}', three, `Old = Kids(), End(Who(b), boom), New = Same(Old), Mid = Kids(), End(Who(c), shutdown), {New, Same(Mid), Shape()}.`],
  'rest_for_one restarts': ['#{strategy => rest_for_one, intensity => 5}', three, `Old = Kids(), End(Who(b), boom), {Same(Old), Shape()}.`],
  'a restart that fails is tried again': ['#{intensity => 5}', `[${child('flaky', '', '{flaky, NAME}')}, ${child('b')}]`, `End(Who(flaky), boom), Wait = fun F() -> case Shape() of [_, {_, pid, _, _}] = S -> S; _ -> F() end end, Wait().`],
  'more restarts than allowed end it': ['#{intensity => 1, period => 60}', three, `P = Pids(), M = monitor(process, Sup), End(Who(a), one), End(Who(b), two), Why = receive {'DOWN', M, _, _, W} -> W end, {Why, [is_dead || X <- P, Gone(X) =/= alive]}.`],
  'intensity 0': ['#{intensity => 0}', three, `M = monitor(process, Sup), End(Who(a), one), receive {'DOWN', M, _, _, W} -> W end.`],
  'a permanent child that ends normally is restarted': ['#{}', `[${child('a')}]`, 'Old = Kids(), End(Who(a), normal), {Same(Old), Shape()}.'],
  'any_significant': ['#{auto_shutdown => any_significant}', `[${child('a')}, ${child('s', ', restart => transient, significant => true')}]`, `M = monitor(process, Sup), End(Who(s), normal), receive {'DOWN', M, _, _, W} -> W end.`],
  'all_significant': ['#{auto_shutdown => all_significant}', `[${child('s', ', restart => temporary, significant => true')}, ${child('u', ', restart => temporary, significant => true')}]`, `M = monitor(process, Sup), End(Who(s), boom), Left = Shape(), End(Who(u), boom), {Left, receive {'DOWN', M, _, _, W} -> W end}.`],
  'shutdown and brutal_kill': ['#{}', `[${child('a')}, ${child('k', ', shutdown => brutal_kill', 'stubborn')}, ${child('s', ', shutdown => 10', 'stubborn')}]`,
    `Ms = [{I, monitor(process, Who(I))} || I <- [a, k, s]], ok = gen_server:stop(Sup), [{I, receive {'DOWN', M, _, _, W} -> W end} || {I, M} <- Ms].`],
  'simple_one_for_one': ['#{strategy => simple_one_for_one, intensity => 2}', `[#{id => w, start => {worker, start_link, []}, restart => transient}]`, `
    {ok, P} = supervisor:start_child(Sup, [one]), {ok, Q} = supervisor:start_child(Sup, [two]), Bad = [supervisor:start_child(Sup, [X]) || X <- [ignore, fail, odd, crash]],
    Counts = supervisor:count_children(Sup), Before = Shape(), Errors = {supervisor:terminate_child(Sup, w), supervisor:restart_child(Sup, w), supervisor:delete_child(Sup, w)},
    End(P, boom), [N] = [X || X <- Pids(), X =/= Q], N ! {args, self()}, Args = receive {args, A} -> A end, ok = supervisor:terminate_child(Sup, Q), End(N, normal),
    {Bad, Counts, Before, Errors, Args, Shape(), supervisor:get_childspec(Sup, P)}.`],
  'sys': ['#{}', three, `{status, _, {module, M}, [_, S, _, _, Misc]} = sys:get_status(Sup), ok = sys:suspend(Sup), ok = sys:resume(Sup), {M, S, [element(1, X) || X <- lists:sublist(Misc, 3)], element(1, sys:get_state(Sup)), element(3, sys:get_state(Sup)), is_atom(supervisor:get_callback_module(Sup))}.`],
} // prettier-ignore

t.test('supervisor', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: erlang, elixir: true })
    beam.expectLog(/supervisor|Supervisor|Error in process|SUPERVISOR|sup/)
    await using pair = await overheard(beam)
    await pair.node.code.load('worker', worker)
    await t.test('a supervisor does what that of OTP does', t => alike(t, pair))
    await t.test('its reports are those of OTP', t => reports(t, pair))
    await t.test('a child on another node, in Erlang, and supervisors of both kinds in one tree', t => across(t, pair))
    await t.test('Elixir drives it as a DynamicSupervisor', t => dynamic(t, pair))
    await t.test('TypeScript drives one of Erlang', t => theirs(t, pair))
  })
})

async function start({ node, evaluate }: Pair, flags: string, specs: string): Promise<Pid> {
  const args = (await evaluate(`[${flags}, ${specs}].`)) as Term[]
  return (await node.start(sup, { args: args as [Term, readonly Term[]] })).pid
}

async function alike(t: Test, pair: Pair): Promise<void> {
  const { evaluate } = pair
  let number = 0
  for (const [name, [flags, specs, program]] of Object.entries(programs)) {
    const unique = specs.replace('NAME', `{flaky, ${++number}}`)
    const source = `${tools}\n${program}`
    const theirs = await evaluate(source, { Sup: await evaluate(`sup:start(${flags}, ${unique}).`) })
    const ours = await evaluate(source, { Sup: await start(pair, flags, unique) })
    const plain = (term: Term): string => format(term).replaceAll(/<\d+\.\d+\.\d+>/g, 'PID') // prettier-ignore
    t.equal(plain(ours), plain(theirs), name)
  }
}

async function reports(t: Test, pair: Overheard): Promise<void> {
  const { evaluate, beam, events } = pair
  const source = `
    Me = self(), {ok, _} = {logger:add_handler(H, logger_std_h, #{level => all, filters => [{f, {fun(E, _) -> Me ! E, stop end, x}}]}), x},
    ok = logger:set_module_level(supervisor, debug),
    Sup = sup:start(#{intensity => 1}, [${child('a')}]), {ok, _} = supervisor:start_child(Sup, ${child('b')}), {error, _} = supervisor:start_child(Sup, ${child('f', '', 'fail')}),
    [{_, B, _, _} | _] = supervisor:which_children(Sup), B ! {exit, boom}, M = monitor(process, Sup),
    Again = fun F() -> case lists:keyfind(b, 1, supervisor:which_children(Sup)) of {_, C, _, _} when C =/= B, is_pid(C) -> C; _ -> F() end end, Again() ! {exit, bang},
    receive {'DOWN', M, _, _, _} -> ok end, ok = logger:remove_handler(H), ok = logger:unset_module_level(supervisor),
    Next = fun F() -> receive #{level := L, msg := {report, #{label := {supervisor, _}} = R}, meta := #{pid := Sup} = Meta} -> [{L, R, maps:keys(Meta)} | F()]; #{} -> F() after 0 -> [] end end, Next().`
  const expected = (await evaluate(source, { H: atom(`sup${beam.otp}`) })) as Tuple<[{ name: string }, Map<Term, Term>, Term]>[]
  events.length = 0
  const pid = await start(pair, '#{intensity => 1}', `[${child('a')}]`)
  await evaluate(`
    {ok, _} = supervisor:start_child(Sup, ${child('b')}), {error, _} = supervisor:start_child(Sup, ${child('f', '', 'fail')}),
    [{_, B, _, _} | _] = supervisor:which_children(Sup), B ! {exit, boom}, M = monitor(process, Sup),
    Again = fun F() -> case lists:keyfind(b, 1, supervisor:which_children(Sup)) of {_, C, _, _} when C =/= B, is_pid(C) -> C; _ -> F() end end, Again() ! {exit, bang},
    receive {'DOWN', M, _, _, _} -> ok end.`, { Sup: pid }) // prettier-ignore
  // Of what start_child starts, OTP 25 tells with level info.
  const plain = (level: string, report: Term): string => `${beam.otp === 25 && level === 'debug' ? 'info' : level} ${format(report).replaceAll(/<\d+\.\d+\.\d+>/g, 'PID').replaceAll(',sup}', ',supervisor}')}` // prettier-ignore
  t.strictSame(
    events.map(({ level, report }) => plain(level, report)),
    expected.map(({ elements }) => plain(elements[0].name, elements[1])),
  )
}

async function across(t: Test, { node, beam, evaluate }: Pair): Promise<void> {
  const counter = genServer({ init: (n: number) => n, call: { get: n => reply(n, n) } })
  const inner = supervisor({ children: [{ id: 'counter', start: counter, args: [7] }] })
  const outer = supervisor({
    strategy: 'oneForAll',
    children: [
      { id: 'inner', start: inner },
      {
        id: 'far',
        async start(this: NodeProcess, ...args: readonly Sendable[]) {
          const pid = await this.rpc.call(beam.name, 'erlang', 'spawn', [atom('worker'), atom('loop'), args])
          return pid as Pid
        },
        args: [atom('far')],
      },
    ],
  })
  const ref = await node.start(outer, { name: 'outer' })
  const before = await ref.whichChildren()
  t.strictSame(before.map(({ id, type }) => [format(id), type]), [['far', 'worker'], ['inner', 'supervisor']]) // prettier-ignore
  const far = before[0]?.pid as Pid
  t.equal(far.node.name, beam.name)
  t.strictSame(await evaluate('[{counter, Pid, worker, _}] = supervisor:which_children(element(2, lists:keyfind(inner, 1, supervisor:which_children({outer, Ts})))), gen_server:call(Pid, get).'), 7) // prettier-ignore
  const restarted = new Promise<void>(resolve => {
    node.on('logger', ({ report }) => {
      if (/supervisor,progress.*\{id,far\}/.test(format(report))) resolve()
    })
  })
  node.send(far, tuple(atom('exit'), atom('boom')))
  await restarted
  const after = await ref.whichChildren()
  t.ok(
    after.every(({ pid }, index) => pid instanceof Pid && format(pid) !== format(before[index]?.pid as Pid)),
    'all were started again',
  )
  const again = after[0]?.pid as Pid
  t.equal(format(await evaluate('M = monitor(process, Far), ok = gen_server:stop({outer, Ts}), receive {_, M, _, _, W} -> W end.', { Far: again })), 'shutdown') // prettier-ignore
}

async function dynamic(t: Test, { node, beam }: Pair): Promise<void> {
  await node.start(supervisor({ strategy: 'dynamic' }), { name: 'dynamic' })
  const source = `
    sup = {:dynamic, ts}
    spec = %{id: :w, start: {:worker, :start_link, [:one]}, restart: :transient}
    {:ok, pid} = DynamicSupervisor.start_child(sup, spec)
    {:ok, other} = DynamicSupervisor.start_child(sup, spec)
    counts = DynamicSupervisor.count_children(sup)
    ref = Process.monitor(pid)
    send(pid, {:exit, :normal})
    receive do {:DOWN, ^ref, _, _, _} -> :ok end
    [{:undefined, ^other, :worker, [:worker]}] = DynamicSupervisor.which_children(sup)
    {counts, DynamicSupervisor.terminate_child(sup, other), DynamicSupervisor.terminate_child(sup, other), Supervisor.which_children(sup)}`
  const answer = (await beam.elixir(source, { bindings: { ts: atom(node.name) } })) as Tuple
  const [counts, ...rest] = answer.elements as unknown as [Map<Term, Term>, ...Term[]]
  t.strictSame(
    ['specs', 'active', 'supervisors', 'workers'].map(key => counts.get(atom(key))),
    [2, 2, 0, 2],
  )
  t.equal(format(rest), '[ok,{error,not_found},[]]')
}

async function theirs(t: Test, { node, evaluate }: Pair): Promise<void> {
  const pid = (await evaluate(`sup:start(#{}, [${child('a')}]).`)) as Pid
  const ref = node.supervisorRef(pid)
  const made = await ref.startChild({ id: 'b', start: { module: 'worker', fun: 'start_link' }, args: [atom('b')], restart: 'transient' })
  t.equal(made?.node, pid.node)
  const failed = await ref.startChild({ id: 'f', start: { module: 'worker', fun: 'start_link' }, args: [atom('fail')] }).catch((error: unknown) => error) // prettier-ignore
  t.ok(failed instanceof SupervisorError && format(failed.reason).startsWith('{no,{child,'))
  t.strictSame(
    (await ref.whichChildren()).map(({ id }) => format(id)),
    ['b', 'a'],
  )
  await ref.terminateChild('b')
  await t.rejects(ref.restartChild('a'), { code: 'ERR_SUPERVISOR', reason: atom('running') })
  t.not(await ref.restartChild('b'), null)
  await ref.terminateChild('b')
  await ref.deleteChild('b')
  t.strictSame(await ref.countChildren(), { specs: 1, active: 1, supervisors: 0, workers: 1 })
}
