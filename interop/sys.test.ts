/** sys on TypeScript's behaviours, driven by Erlang, beside the same on an Erlang gen_server that does the same. */
import t, { type Test } from 'tap'
import { atom, format, type Pid, type Term, type Tuple, tuple } from '../src/index.js'
import { genServer, noreply, reply, stop } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { overheard, type Overheard } from './support/overheard.js'
import type { Pair } from './support/pair.js'

/** The TypeScript server, in a file of the same name as the Erlang module */
const counter = genServer({
  module: 'file:///counter.ts',
  init(start: number) {
    this.trapExit = true
    return start < 0 ? noreply(-start, { continue: atom('double') }) : start
  },
  call: {
    add: (n, by: number) => reply(n + by, n + by),
    get: n => reply(n, n),
    wait: (n, ms: number) => reply(n, n, { timeout: ms }),
    go: (n, what: Term) => reply(n, n, { continue: what as never }),
    end: (n, why: Term) => stop(why, n, n),
    crash() {
      this.exit(atom('crashed'))
    },
    odd: () => atom('odd') as never,
  },
  cast: { reset: () => 0, wait: (n, ms: number) => noreply(n, { timeout: ms }) },
  handleInfo: (message, n) => (message === atom('timeout') ? n + 1000 : typeof message === 'number' ? n + message : n),
  handleContinue: (what, n) => (what === atom('double') ? 2 * n : stop(what, n)),
  codeChange: (vsn, n, extra) => {
    if (extra === atom('no')) throw tuple(atom('error'), vsn)
    return n + (extra as number)
  },
  formatStatus: status => ({ state: tuple(atom('shown'), status.state) }),
})

const erlang = String.raw`
-module(counter).
-behaviour(gen_server).
-export([start/1, start_link/1, init/1, handle_call/3, handle_cast/2, handle_info/2, handle_continue/2, code_change/3, format_status/1, format_status/2]).

start(N) -> {ok, Pid} = gen_server:start(?MODULE, N, []), Pid.
start_link(N) -> {ok, Pid} = gen_server:start_link(?MODULE, N, []), Pid.
init(N) -> process_flag(trap_exit, true), if N < 0 -> {ok, -N, {continue, double}}; true -> {ok, N} end.
handle_call({add, By}, _, N) -> {reply, N + By, N + By};
handle_call(get, _, N) -> {reply, N, N};
handle_call({wait, Ms}, _, N) -> {reply, N, N, Ms};
handle_call({go, What}, _, N) -> {reply, N, N, {continue, What}};
handle_call({'end', Why}, _, N) -> {stop, Why, N, N};
handle_call(crash, _, _) -> exit(crashed);
handle_call(odd, _, _) -> odd.
handle_cast(reset, _) -> {noreply, 0};
handle_cast({wait, Ms}, N) -> {noreply, N, Ms}.
handle_info(timeout, N) -> {noreply, N + 1000};
handle_info(By, N) when is_integer(By) -> {noreply, N + By};
handle_info(_, N) -> {noreply, N}.
handle_continue(double, N) -> {noreply, 2 * N};
handle_continue(Why, N) -> {stop, Why, N}.
code_change(Vsn, _, no) -> {error, Vsn};
code_change(_, N, Extra) -> {ok, N + Extra}.
format_status(Status) -> maps:map(fun(state, S) -> {shown, S}; (_, V) -> V end, Status).
format_status(_, [_, S]) -> [{data, [{"State", {shown, S}}]}].
`

/** What a fresh server does with it: `Pid` is bound. */
const programs: Record<string, string> = {
  'get_state': 'sys:get_state(Pid).',
  'replace_state': '{sys:replace_state(Pid, fun(N) -> N + 5 end), sys:get_state(Pid)}.',
  'replace_state with a fun that fails': '{catch element(1, catch sys:replace_state(Pid, fun(_) -> error(no) end)), gen_server:call(Pid, get)}.',
  'suspend and resume': `ok = sys:suspend(Pid), gen_server:cast(Pid, {wait, 60000}), Pid ! 5, Before = sys:get_state(Pid),
    {'EXIT', {timeout, _}} = (catch gen_server:call(Pid, get, 50)), ok = sys:resume(Pid), {Before, gen_server:call(Pid, get)}.`,
  'change_code': `Running = sys:change_code(Pid, counter, old, 1), ok = sys:suspend(Pid), Done = sys:change_code(Pid, counter, old, 7),
    Not = sys:change_code(Pid, counter, old, no), ok = sys:resume(Pid), {Running, Done, Not, gen_server:call(Pid, get)}.`,
  'terminate': 'Ref = monitor(process, Pid), {sys:terminate(Pid, enough), receive {_, Ref, _, _, Why} -> Why end}.',
  'log': `ok = sys:log(Pid, true), 15 = gen_server:call(Pid, {add, 5}), gen_server:cast(Pid, reset), Pid ! 3, 3 = gen_server:call(Pid, get),
    {ok, Log} = sys:log(Pid, get), ok = sys:log(Pid, {true, 2}), {ok, Short} = sys:log(Pid, get), ok = sys:log(Pid, false),
    Self = self(), Bare = fun({in, {'$gen_call', {S, _}, R}}) when S =:= Self -> {in, call, R}; ({out, R, {S, _}, St}) when S =:= Self -> {out, R, St}; (E) -> E end,
    {lists:map(Bare, Log), lists:map(Bare, Short), sys:log(Pid, get)}.`,
  'statistics': `none = case sys:statistics(Pid, get) of {ok, no_statistics} -> none end, ok = sys:statistics(Pid, true),
    [gen_server:call(Pid, get) || _ <- [1, 2, 3]], gen_server:cast(Pid, reset), {ok, S} = sys:statistics(Pid, get), ok = sys:statistics(Pid, false),
    {{{_, _, _}, {_, _, _}}, R} = {proplists:get_value(start_time, S), is_integer(proplists:get_value(reductions, S))},
    {R, [K || {K, _} <- S], proplists:get_value(messages_in, S), proplists:get_value(messages_out, S)}.`,
  'install and remove': `Self = self(), F = fun(1, _, _) -> Self ! second, done; (0, {in, {_, _, get}}, _) -> Self ! first, 1; (N, _, _) -> N end,
    ok = sys:install(Pid, {F, 0}), gen_server:call(Pid, get), [receive M -> M end || M <- [first, second]],
    Seen = fun(N, {in, _}, _) -> Self ! {seen, N}, N + 1; (N, _, _) -> N end, ok = sys:install(Pid, {id, Seen, 0}),
    gen_server:call(Pid, get), gen_server:call(Pid, get), [receive {seen, N} -> N end || N <- [0, 1]],
    ok = sys:remove(Pid, id), gen_server:call(Pid, get), ok = sys:no_debug(Pid), receive X -> X after 0 -> none end.`,
  'wrong requests': `Ask = fun(What) -> Ref = make_ref(), Pid ! {system, {self(), Ref}, What}, receive {Ref, A} -> A end end,
    {Ask(nonsense), Ask({debug, nonsense}), Ask({debug, {trace, 5}}), Ask({change_code, a, b}), sys:log_to_file(Pid, "/no/such/folder/file")}.`,
  'get_status': `{status, Pid, {module, M}, [_, State, Parent, [], Misc]} = sys:get_status(Pid), [{header, Header}, {data, Data} | More] = Misc,
    ok = sys:suspend(Pid), {status, _, _, [_, Suspended | _]} = sys:get_status(Pid),
    {M, State, Parent =:= Pid, lists:prefix("Status for generic server ", Header), [K || {K, _} <- Data], proplists:get_value("Logged events", Data), More, Suspended}.`,
  'a timeout': `Self = self(), F = fun(S, {in, timeout}, _) -> Self ! seen, S; (S, _, _) -> S end, ok = sys:install(Pid, {F, x}),
    10 = gen_server:call(Pid, {wait, 1}), receive seen -> sys:get_state(Pid) end.`,
  'a timeout that a message prevents': `gen_server:cast(Pid, {wait, 60000}), gen_server:call(Pid, get).`,
  'a timeout that is none': 'Ref = monitor(process, Pid), (catch gen_server:call(Pid, {wait, -1})), receive {_, Ref, _, _, Why} -> Why end.',
  'continue': 'gen_server:call(Pid, {go, double}), Ref = monitor(process, Pid), {gen_server:call(Pid, get), gen_server:call(Pid, {go, over}), receive {_, Ref, _, _, Why} -> Why end}.',
  'a return that is none': 'Ref = monitor(process, Pid), (catch gen_server:call(Pid, odd)), receive {_, Ref, _, _, Why} -> Why end.',
  'an exit': 'Ref = monitor(process, Pid), {E, {R, _}} = (catch gen_server:call(Pid, crash)), {E, R, receive {_, Ref, _, _, Why} -> Why end}.',
  'a stop with a reply': 'Ref = monitor(process, Pid), {gen_server:call(Pid, {\'end\', over}), receive {_, Ref, _, _, Why} -> Why end}.',
  'gen_server:stop': 'Ref = monitor(process, Pid), {gen_server:stop(Pid, over, 5000), receive {_, Ref, _, _, Why} -> Why end}.',
  'a dead one': 'ok = gen_server:stop(Pid), {catch sys:get_state(Pid), catch gen_server:call(Pid, get)}.',
} // prettier-ignore

t.test('sys', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: erlang })
    beam.expectLog(/counter|[Gg]eneric server/)
    await using pair = await overheard(beam)
    await t.test('a genServer answers sys as a gen_server does', t => alike(t, pair))
    await t.test('sys:trace prints what a gen_server prints', t => traces(t, pair))
    await t.test('the reports of an end are those of OTP', t => reports(t, pair))
  })
})

/** Pids differ by their node, and so do the two that are compared. */
const plain = (term: Term, pid: Pid): string => format(term).replaceAll(format(pid), 'PID')

async function alike(t: Test, { node, evaluate }: Pair): Promise<void> {
  for (const [name, program] of Object.entries(programs)) {
    const theirs = (await evaluate('counter:start(10).')) as Pid
    const expected = plain(await evaluate(program, { Pid: theirs }), theirs)
    const { pid } = await node.start(counter, { args: [10] })
    t.equal(plain(await evaluate(program, { Pid: pid }), pid), expected, name)
  }
  const { pid } = await node.start(counter, { args: [-4] })
  t.equal(await evaluate('gen_server:call(Pid, get).', { Pid: pid }), 8, 'init may continue')
}

async function traces(t: Test, { node, evaluate, printed }: Overheard): Promise<void> {
  const program = `ok = sys:trace(Pid, true), gen_server:call(Pid, {add, 5}), gen_server:cast(Pid, reset), Pid ! {text, <<"x">>}, gen_server:call(Pid, get), ok = sys:trace(Pid, false), self().`
  const { pid } = await node.start(counter, { args: [10], name: 'counter' })
  const self = await evaluate(program, { Pid: pid })
  const from = format(self)
  t.strictSame(printed, [
    `*DBG* counter got call {add,5} from ${from}\n`,
    `*DBG* counter sent 15 to ${from}, new state 15\n`,
    '*DBG* counter got cast reset\n',
    '*DBG* counter new state 0\n',
    '*DBG* counter got {text,<<"x">>}\n',
    '*DBG* counter new state 0\n',
    `*DBG* counter got call get from ${from}\n`,
    `*DBG* counter sent 0 to ${from}, new state 0\n`,
  ])
}

/** A handler of the BEAM that hands over the reports of a crash: gen_server's own, and proc_lib's. */
const listen = String.raw`
  Self = self(), ok = logger:add_handler(H, logger_std_h, #{level => all, filters => [{f, {fun(E, _) -> Self ! E, stop end, x}}]}),
  P = counter:start(10), (catch gen_server:call(P, crash)),
  Next = fun F() -> receive #{msg := {report, #{label := _} = R}, meta := #{pid := P} = M} -> {R, M}; #{} -> F() end end,
  Two = [Next(), Next()], logger:remove_handler(H), Two.`

async function reports(t: Test, { beam, evaluate, node, events }: Overheard): Promise<void> {
  events.length = 0
  const { pid } = await node.start(counter, { args: [10] })
  await t.rejects(node.call(pid, atom('crash')), { code: 'ERR_EXIT', reason: atom('crashed') })
  const theirs = (await evaluate(listen, { H: atom(`h${beam.otp}`) })) as Tuple<[Map<Term, Term>, Map<Term, Term>]>[]
  const shape = (report: Map<Term, Term>): Term => {
    const own = report.get(atom('report')) as Tuple<[Term, Term]>[][] | undefined
    return [
      format(report.get(atom('label')) as Term),
      [...report.keys()].map(key => format(key)).sort(),
      own?.[0]?.map(item => format(item.elements[0])),
    ] as never
  }
  const usual = (keys: Term): Term =>
    JSON.parse(
      JSON.stringify(keys)
        .replace(/"process_label",?/g, '')
        .replace(/,\]/g, ']'),
    ) as Term
  t.strictSame(
    events.map(({ report }) => usual(shape(report as Map<Term, Term>))),
    theirs.map(({ elements }) => usual(shape(elements[0]))),
  )
  const [last, crash] = events.map(({ report }) => report as Map<Term, Term>)
  t.strictSame(last?.get(atom('last_message')), atom('crash'))
  t.strictSame(last?.get(atom('state')), tuple(atom('shown'), 10))
  t.match(format(crash?.get(atom('report')) as Term), /\{initial_call,\{counter,init,\['Argument__1'\]\}\}.*\{error_info,\{exit,crashed,\[/)
  t.ok(events.every(({ level }) => level === 'error'))
}
