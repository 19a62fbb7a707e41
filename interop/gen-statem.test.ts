/** genStatem, driven by Erlang, beside a gen_statem of the same states. */
import t, { type Test } from 'tap'
import { atom, format, type Pid, type Term, tuple } from '../src/index.js'
import { genStatem, keep, next, noreply, repeat, reply, stop } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { overheard } from './support/overheard.js'
import type { Pair } from './support/pair.js'

/** The data is a list of what has been seen, the latest first. */
type Seen = readonly Term[]

const door = genStatem({
  module: 'file:///door.ts',
  init: (first: Term) => (first === atom('bad') ? stop(atom('bad')) : next('locked', [first] as Seen)),
  states: {
    locked: {
      enter: (seen, from) => keep([tuple(atom('enter'), from), ...seen]),
      call: {
        seen: seen => reply([...seen] as Term, keep(seen)),
        unlock: seen => reply(atom('ok'), next('open', seen)),
        push: seen => keep(seen, { postpone: true }),
        later(seen) {
          const from = this.from<Term>()
          return noreply(keep(seen, { nextEvents: [['internal', atom('now')]], replies: [[from, atom('replied')]] }), from)
        },
        again: seen => reply(atom('ok'), repeat(seen)),
        timers: seen => reply(atom('ok'), keep(seen, { stateTimeout: [0, atom('s')], timeouts: { name: [0, atom('g')] } })),
        forget: seen => reply(atom('ok'), keep(seen, { stateTimeout: 60_000, timeouts: { name: 60_000 } })),
        end: seen => stop(atom('over'), seen, atom('bye')),
        crash() {
          this.exit(atom('crashed'))
        },
        odd: () => atom('odd') as never,
      },
      cast: { soon: seen => keep(seen, { timeout: [1, atom('t')] }) },
      info: (seen, message) => keep([tuple(atom('info'), message), ...seen]),
      internal: (seen, what) => keep([tuple(atom('internal'), what), ...seen]),
      stateTimeout: (seen, what) => keep([tuple(atom('state_timeout'), what), ...seen]),
      eventTimeout: (seen, what) => keep([tuple(atom('timeout'), what), ...seen]),
      timeouts: { name: (seen, what) => keep([tuple(tuple(atom('timeout'), atom('name')), what), ...seen]) },
    },
    open: {
      call: { push: seen => reply(atom('pushed'), keep([atom('push'), ...seen])), seen: seen => reply([...seen] as Term, keep(seen)) },
      cast: { lock: seen => next('locked', seen) },
    },
  },
  codeChange: (vsn, state, seen, extra) => next(state as never, [tuple(atom('changed'), vsn, extra), ...seen]),
})

const erlang = String.raw`
-module(door).
-behaviour(gen_statem).
-export([start/1, init/1, callback_mode/0, locked/3, open/3, code_change/4]).
start(First) -> {ok, Pid} = gen_statem:start(?MODULE, First, []), Pid.
callback_mode() -> [state_functions, state_enter].
init(bad) -> {stop, bad};
init(First) -> {ok, locked, [First]}.
locked(enter, From, Seen) -> {keep_state, [{enter, From} | Seen]};
locked({call, F}, seen, Seen) -> {keep_state, Seen, {reply, F, Seen}};
locked({call, F}, unlock, Seen) -> {next_state, open, Seen, {reply, F, ok}};
locked({call, _}, push, Seen) -> {keep_state, Seen, postpone};
locked({call, F}, later, Seen) -> {keep_state, Seen, [{reply, F, replied}, {next_event, internal, now}]};
locked({call, F}, again, Seen) -> {repeat_state, Seen, {reply, F, ok}};
locked({call, F}, timers, Seen) -> {keep_state, Seen, [{reply, F, ok}, {state_timeout, 0, s}, {{timeout, name}, 0, g}]};
locked({call, F}, forget, Seen) -> {keep_state, Seen, [{reply, F, ok}, {state_timeout, 60000, state_timeout}, {{timeout, name}, 60000, name}]};
locked({call, F}, 'end', Seen) -> {stop_and_reply, over, {reply, F, bye}, Seen};
locked({call, _}, crash, _) -> exit(crashed);
locked({call, _}, odd, _) -> odd;
locked(cast, soon, Seen) -> {keep_state, Seen, {timeout, 1, t}};
locked(Type, What, Seen) when Type =:= info; Type =:= internal; Type =:= state_timeout; Type =:= timeout; Type =:= {timeout, name} -> {keep_state, [{Type, What} | Seen]}.
open(enter, _, Seen) -> {keep_state, Seen};
open({call, F}, push, Seen) -> {keep_state, [push | Seen], {reply, F, pushed}};
open({call, F}, seen, Seen) -> {keep_state, Seen, {reply, F, Seen}};
open(cast, lock, Seen) -> {next_state, locked, Seen}.
code_change(Vsn, State, Seen, Extra) -> {ok, State, [{changed, Vsn, Extra} | Seen]}.
`

const seen = 'gen_statem:call(Pid, seen)'
const ending = (what: string): string => `M = monitor(process, Pid), (catch ${what}), receive {_, M, _, _, Why} -> Why end.`

const programs: Record<string, string> = {
  'the beginning': `{${seen}, sys:get_state(Pid)}.`,
  'other messages': `Pid ! hello, ${seen}.`,
  'states, and being entered': `ok = gen_statem:call(Pid, unlock), gen_statem:cast(Pid, lock), {${seen}, element(1, sys:get_state(Pid))}.`,
  'postponed': `R = gen_statem:send_request(Pid, push), Before = ${seen}, ok = gen_statem:call(Pid, unlock), {Before, gen_statem:receive_response(R, 5000), ${seen}}.`,
  'next events and replies': `{gen_statem:call(Pid, later), ${seen}}.`,
  'repeat_state': `{gen_statem:call(Pid, again), ${seen}}.`,
  'timers that are due at once': `{gen_statem:call(Pid, timers), ${seen}}.`,
  'timers that the state ends': `ok = gen_statem:call(Pid, forget), ok = gen_statem:call(Pid, unlock), gen_statem:cast(Pid, lock), ${seen}.`,
  'the event timer': `gen_statem:cast(Pid, soon), Wait = fun F() -> case sys:get_state(Pid) of {_, [{timeout, _} = T | _]} -> T; _ -> F() end end, Wait().`,
  'replace_state': '{sys:replace_state(Pid, fun({S, D}) -> {S, [replaced | D]} end), gen_statem:call(Pid, seen)}.',
  'change_code': `ok = sys:suspend(Pid), ok = sys:change_code(Pid, door, old, extra), ok = sys:resume(Pid), ${seen}.`,
  'suspended': `ok = sys:suspend(Pid), Pid ! hello, gen_statem:cast(Pid, soon), S = sys:get_state(Pid), ok = sys:resume(Pid), {S, hd(lists:reverse(${seen}))}.`,
  'get_status': `{status, _, {module, M}, [_, S, _, _, [{header, H}, {data, D} | More]]} = sys:get_status(Pid),
    {M, S, lists:prefix("Status for state machine ", H), [K || {K, _} <- D, K =/= "Time-outs"], proplists:get_value("Modules", D), More}.`,
  'stop and reply': `M = monitor(process, Pid), {gen_statem:call(Pid, 'end'), receive {_, M, _, _, Why} -> Why end}.`,
  'gen_statem:stop': `M = monitor(process, Pid), {gen_statem:stop(Pid), receive {_, M, _, _, Why} -> Why end}.`,
  'an exit': ending('gen_statem:call(Pid, crash)'),
  'a return that is none': `M = monitor(process, Pid), (catch gen_statem:call(Pid, odd)), receive {_, M, _, _, {Why, _}} -> Why end.`,
  'an event that no state takes': `M = monitor(process, Pid), gen_statem:cast(Pid, nonsense), receive {_, M, _, _, {R, [{Mod, F, Args, _} | _]}} when is_list(Args) -> {R, Mod, F, Args}; {_, M, _, _, {R, [{Mod, F, _, _} | _]}} -> {R, Mod, F} end.`,
  'clean and dirty timeouts': '[gen_statem:call(Pid, seen, {clean_timeout, 5000}), gen_statem:call(Pid, seen, {dirty_timeout, 5000})].',
} // prettier-ignore

t.test('genStatem', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: erlang })
    beam.expectLog(/door|State machine|initial call/)
    await using pair = await overheard(beam)
    await t.test('a genStatem does what a gen_statem does', t => alike(t, pair))
    await t.test('sys:trace prints its events', async t => {
      const { node, evaluate, printed } = pair
      const { pid } = await node.start(door, { args: [atom('first')], name: 'door' })
      const self = await evaluate('ok = sys:trace(Pid, true), ok = gen_statem:call(Pid, unlock), ok = sys:trace(Pid, false), self().', {
        Pid: pid,
      })
      t.strictSame(printed, [
        `*DBG* door receive call unlock from ${format(self)} in state locked\n`,
        `*DBG* door send ok to ${format(self)}\n`,
        `*DBG* door consume call unlock from ${format(self)} in state locked => open\n`,
      ])
    })
  })
})

async function alike(t: Test, { node, evaluate }: Pair): Promise<void> {
  for (const [name, program] of Object.entries(programs)) {
    const plain = (term: Term, pid: Pid): string => format(term).replaceAll(format(pid), 'PID').replaceAll(format(pid), 'PID')
    const theirs = (await evaluate('door:start(first).')) as Pid
    const expected = plain(await evaluate(program, { Pid: theirs }), theirs)
    const { pid } = await node.start(door, { args: [atom('first')] })
    t.equal(plain(await evaluate(program, { Pid: pid }), pid), expected, name)
  }
  await t.rejects(node.start(door, { args: [atom('bad')] }), { code: 'ERR_EXIT', reason: atom('bad') })
}
