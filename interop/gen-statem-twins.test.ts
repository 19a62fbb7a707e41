/** A genStatem beside a gen_statem of the same states, used in odd and wrong ways: one Erlang program against both. */
import t from 'tap'
import { atom, ErlangError, ExitError, type Node, type Pid, ProcessError, type Term, Tuple, tuple } from '../src/index.js'
import { genStatem, ignore, keep, next, noreply, reply, type ServerProcess, stop } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/pair.js'
import { alike, askerModule } from './support/twin.js'

const erlang = String.raw`
-module(lamp).
-behaviour(gen_statem).
-compile([export_all, nowarn_export_all]).

start(Arg) -> gen_statem:start(?MODULE, Arg, []).
callback_mode() -> state_functions.

init({stop, Why}) -> {stop, Why};
init({exit, Why}) -> exit(Why);
init({error, Why}) -> error(Why);
init(ignore) -> ignore;
init({tell, Pid}) -> process_flag(trap_exit, true), {ok, off, {tell, Pid}};
init({state, State}) -> {ok, State, []};
init(D) -> {ok, off, D}.

off({call, F}, get, D) -> {keep_state, D, {reply, F, D}};
off({call, F}, {go, S}, D) -> {next_state, S, D, {reply, F, ok}};
off({call, F}, twice, D) -> {keep_state, D, [{reply, F, one}, {reply, F, two}]};
off({call, F}, {timer, Ms}, D) -> {keep_state, D, [{reply, F, ok}, {state_timeout, Ms, up}]};
off({call, F}, {named, Ms}, D) -> {keep_state, D, [{reply, F, ok}, {{timeout, late}, Ms, up}]};
off({call, F}, internal, D) -> {keep_state, D, [{reply, F, ok}, {next_event, internal, nobody}]};
off({call, F}, {stop, Why, Reply}, D) -> {stop_and_reply, Why, {reply, F, Reply}, D};
off({call, _}, {stop, Why}, D) -> {stop, Why, D};
off({call, _}, {exit, Why}, _) -> exit(Why);
off({call, _}, {error, Why}, _) -> error(Why);
off({call, _}, hold, D) -> {keep_state, D, postpone};
off({call, _}, never, D) -> {keep_state, D};
off(cast, {stop, Why}, D) -> {stop, Why, D};
off(cast, {put, D}, _) -> {keep_state, D};
off(info, {stop, Why}, D) -> {stop, Why, D};
off(info, Message, D) when is_list(D) -> {keep_state, [Message | D]}.
on({call, F}, get, D) -> {keep_state, D, {reply, F, {on, D}}};
on({call, F}, hold, D) -> {keep_state, D, {reply, F, held}}.
terminate(Why, S, {tell, Pid}) -> Pid ! {terminated, Why, S};
terminate(_, _, {exits, Why}) -> exit(Why);
terminate(_, _, _) -> ok.
`

const tag = (term: Term): string | undefined => (term instanceof Tuple ? term.tag : undefined)
const second = (term: Term): Term => (term as Tuple<[Term, Term]>).elements[1]

const lamp = genStatem<[Term], Term, any>({
  module: 'file:///lamp.ts',
  init(arg: Term) {
    if (tag(arg) === 'stop') return stop(second(arg))
    if (tag(arg) === 'exit') throw new ExitError(second(arg))
    if (tag(arg) === 'error') throw new ErlangError(second(arg))
    if (arg === atom('ignore')) return ignore
    if (tag(arg) === 'tell') this.trapExit = true
    if (tag(arg) === 'state') return next((second(arg) as { name: string }).name as never, [] as Term)
    return next('off', arg)
  },
  states: {
    off: {
      call: {
        get: (d: Term) => reply(d, keep(d)),
        go: (d: Term, s: Term) => reply(atom('ok'), next(s as never, d)),
        twice(this: ServerProcess, d: Term) {
          this.from().reply(atom('one'))
          return reply(atom('two'), keep(d))
        },
        timer: (d: Term, ms: number) => reply(atom('ok'), keep(d, { stateTimeout: [ms, atom('up')] })),
        named: (d: Term, ms: number) => reply(atom('ok'), keep(d, { timeouts: { late: [ms, atom('up')] } })),
        internal: (d: Term) => reply(atom('ok'), keep(d, { nextEvents: [['internal', atom('nobody')]] })),
        stop: (d: Term, why: Term, ...answer: Term[]) => (answer.length > 0 ? stop(why, d, answer[0]) : stop(why, d)),
        exit(_: Term, why: Term): never {
          throw new ExitError(why)
        },
        error(_: Term, why: Term): never {
          throw new ErlangError(why)
        },
        hold: (d: Term) => keep(d, { postpone: true }),
        never: (d: Term) => noreply(keep(d)),
      },
      cast: { stop: (d: Term, why: Term) => stop(why, d), put: (_: Term, d: Term) => keep(d) },
      info: (d: Term, message: Term) => (tag(message) === 'stop' ? stop(second(message), d) : keep([message, ...(d as Term[])] as Term)),
    },
    on: {
      call: { get: (d: Term) => reply(tuple(atom('on'), d), keep(d)), hold: (d: Term) => reply(atom('held'), keep(d)) },
    },
  },
  terminate(why: Term, state: Term, d: Term) {
    if (tag(d) === 'tell') this.send(second(d) as Pid, tuple(atom('terminated'), why, state))
    if (tag(d) === 'exits') throw new ExitError(second(d))
  },
})

/** `gen_statem:start/3`, as it answers */
async function start(node: Node, arg: Term): Promise<Term> {
  try {
    return tuple(atom('ok'), (await node.start(lamp, { args: [arg] } as never)).pid)
  } catch (error) {
    if (error instanceof ExitError) return tuple(atom('error'), error.reason)
    if (error instanceof ProcessError && error.code === 'ERR_IGNORE') return atom('ignore')
    throw error
  }
}

const prelude = `
  New = fun(Arg) -> {ok, P} = rpc:call(N, lamp, start, [Arg]), P end,
  Ends = fun(P, Do) -> M = monitor(process, P), R = Try(fun() -> Do(P) end), {R, Down(M)} end,
  Reasons = [normal, shutdown, {shutdown, x}, why, {a, "b"}],
  _ = {New, Ends, Reasons},`

/** A second answer that came before the alias had ended stays in the mailbox, there as here: who is quicker is not said. */
const early = `receive {[alias | _], two} -> ok after 0 -> ok end`

const programs: Readonly<Record<string, string>> = {
  'init of each kind': `[rpc:call(N, lamp, start, [A]) || A <- [{stop, why}, {stop, normal}, {stop, {shutdown, x}}, {exit, why}, {exit, normal}, {error, why}, ignore]]`,
  'a first state that it has not': `P = New({state, nowhere}), Ends(P, fun(_) -> gen_statem:call(P, get) end)`,
  'a state that it has not': `[Ends(New([]), fun(P) -> ok = gen_statem:call(P, {go, nowhere}), Do(P) end) || Do <- [fun(P) -> gen_statem:call(P, get) end, fun(P) -> gen_statem:cast(P, hello) end, fun(P) -> P ! hello, ok end]]`,
  'events that no state takes': `[Ends(New([]), Do) || Do <- [fun(P) -> gen_statem:call(P, nonsense) end, fun(P) -> gen_statem:call(P, "text") end, fun(P) -> gen_statem:cast(P, nonsense) end, fun(P) -> gen_statem:call(P, {timer, 0}) end, fun(P) -> gen_statem:call(P, {named, 0}) end, fun(P) -> gen_statem:call(P, internal) end]]`,
  'events that a state takes, and another does not': `[Ends(New([]), fun(P) -> ok = gen_statem:call(P, {go, on}), Do(P) end) || Do <- [fun(P) -> gen_statem:call(P, twice) end, fun(P) -> gen_statem:cast(P, {put, x}) end, fun(P) -> P ! hello, ok end]]`,
  'answers twice': `P = New([]), A = gen_statem:call(P, twice), B = gen_statem:call(P, get), ${early}, P ! {'$gen_call', {self(), tag}, twice}, {A, B, Next(), Next()}`,
  'stop, in every way': `[{Ends(New([]), fun(P) -> gen_statem:call(P, {stop, R}) end), Ends(New([]), fun(P) -> gen_statem:call(P, {stop, R, bye}) end), Ends(New([]), fun(P) -> gen_statem:cast(P, {stop, R}) end), Ends(New([]), fun(P) -> P ! {stop, R}, ok end)} || R <- Reasons]`,
  'exits of its own code': `[Ends(New([]), fun(P) -> gen_statem:call(P, {exit, R}) end) || R <- [kill | Reasons]]`,
  'errors of its own code': `Ends(New([]), fun(P) -> gen_statem:call(P, {error, why}) end)`,
  'terminate is told why, and in which state': `[begin P = New({tell, self()}), {Ends(P, fun(_) -> gen_statem:stop(P, R, 60000) end), Next()} end || R <- Reasons] ++ [begin P = New({tell, self()}), ok = gen_statem:call(P, {go, on}), {Ends(P, fun(_) -> gen_statem:call(P, nonsense) end), Next()} end]`,
  'terminate that exits': `[Ends(New({exits, R}), fun(P) -> gen_statem:call(P, {stop, enough, bye}) end) || R <- Reasons]`,
  'calls that wait when it ends': `P = New([]), R = gen_statem:send_request(P, hold), M = monitor(process, P), gen_statem:cast(P, {stop, why}), {gen_statem:receive_response(R, 60000), Down(M)}`,
  'a call that is never answered': `P = New([]), {Try(fun() -> gen_statem:call(P, never, 30) end), Try(fun() -> gen_statem:call(P, never, {clean_timeout, 30}) end), Try(fun() -> gen_statem:call(P, never, {dirty_timeout, 30}) end), gen_statem:call(P, get)}`,
  'calls to who is dead, or nobody': `P = New([]), ok = gen_statem:stop(P), [Try(fun() -> gen_statem:call(T, get) end) || T <- [P, {lamp_nobody, N}]]`,
  'exit signals': `[begin P = New(A), M = monitor(process, P), exit(P, R), case Try(fun() -> gen_statem:call(P, get, 60000) end) of {value, V} -> {alive, V}; _ -> Down(M) end end || A <- [[]], R <- [kill | Reasons]]`,
  'messages that are nearly events': `P = New([]), [P ! M || M <- [{'$gen_call', x}, {'$gen_cast', x, y}, {system, x}, {'EXIT', self(), bye}, {timeout, make_ref(), up}]], gen_statem:call(P, get)`,
  'suspended': `P = New([]), ok = sys:suspend(P), A = Try(fun() -> gen_statem:call(P, get, 30) end), P ! one, gen_statem:cast(P, {put, [two]}), P ! three, S = sys:get_state(P), ok = sys:resume(P), {A, S, gen_statem:call(P, get)}`,
  'postponed while it is suspended': `P = New([]), R = gen_statem:send_request(P, hold), [] = gen_statem:call(P, get), ok = sys:suspend(P), ok = sys:resume(P), ok = gen_statem:call(P, {go, on}), gen_statem:receive_response(R, 60000)`,
  'replace_state': `P = New([a]), {sys:replace_state(P, fun({S, D}) -> {S, [b | D]} end), Try(fun() -> sys:replace_state(P, fun(_) -> error(no) end) end), Try(fun() -> sys:replace_state(P, fun(_) -> throw(no) end) end), gen_statem:call(P, get)}`,
  'get_status': `P = New([a]), {status, P, M, [D, S, _, Debug, [H, {data, L} | More]]} = sys:get_status(P), {M, lists:sort(D), S, Debug, H, [E || {K, _} = E <- L, K =/= "Time-outs"], More}`,
  'requests in a collection': `P = New([]), C0 = gen_statem:reqids_new(), C1 = gen_statem:send_request(P, hold, kept, C0), C2 = gen_statem:send_request(P, get, got, C1), C3 = gen_statem:send_request({lamp_nobody, N}, get, nobody, C2),
    T = fun F(C, Acc) -> case gen_statem:receive_response(C, 60000, true) of no_request -> lists:sort(Acc); {A, L, D} -> case L of got -> gen_statem:call(P, {go, on}); _ -> ok end, F(D, [{L, A} | Acc]) end end, {gen_statem:reqids_size(C3), T(C3, [])}`,
} // prettier-ignore

t.test('a genStatem that is used wrongly does what a gen_statem does', async t => {
  await eachOtp(t, async (t, { start: startBeam }) => {
    const beam = await startBeam({ code: askerModule })
    const twin = await startBeam({ cookie: beam.cookie, code: erlang })
    for (const each of [beam, twin]) each.expectLog(/lamp|State machine|Error in process/)
    await using node = await startNode(beam)
    node.on('crash', () => {})
    await node.code.load('lamp', { start: (arg: Term) => start(node, arg) } as never)
    await alike(t, beam, [twin, node], programs, prelude)
  })
})
