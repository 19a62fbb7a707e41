/** genEvent, driven by Erlang, beside a gen_event with the same handlers; and a gen_event of Erlang, driven from TypeScript. */
import t, { type Test } from 'tap'
import { atom, format, get, match, any, Pid, type Term, Tuple, tuple } from '../src/index.js'
import { eventHandler, genEvent, type HandlerName, noreply, removeHandler, reply, stop, swapHandler } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { overheard, type Overheard } from './support/overheard.js'
import { type Pair, patience } from './support/pair.js'

/** A handler's state is a list of what it has seen, the latest first; whom it shall tell of its end is last. */
type Seen = readonly Term[]

const parts = (term: Term): readonly Term[] => (term instanceof Tuple ? (term.elements as readonly Term[]) : [term])
/** `Name` or `{Name, Id}` */
const name = (term: Term): HandlerName => (term instanceof Tuple ? [term.tag as string, term.elements[1] as Term] : format(term))

const tally = eventHandler({
  init(args: Term) {
    const [first, second] = parts(args)
    if (first === atom('bad')) return stop(second as Term)
    if (first === atom('crash')) this.exit(atom('crashed'))
    if (first === atom('throw')) throw second
    if (first === atom('hibernate')) return noreply([args] as Seen, { hibernate: true })
    return [args] as Seen
  },
  handleEvent(event, seen) {
    const [what, first, second] = parts(event)
    if (what === atom('remove')) return removeHandler
    if (what === atom('swap')) return swapHandler(atom('gone'), seen, name(first as Term), second as Term)
    if (what === atom('crash')) this.exit(atom('crashed'))
    if (what === atom('throw')) throw first
    if (what === atom('hibernate')) return noreply([event, ...seen] as Seen, { hibernate: true })
    return [tuple(atom('event'), event), ...seen]
  },
  call: {
    seen: seen => reply([...seen] as Term, seen),
    remove: () => reply(atom('removed'), removeHandler),
    swap: (seen, to: Term, args: Term) => reply(atom('swapping'), swapHandler(atom('gone'), seen, name(to), args)),
    hibernate: seen => reply(atom('ok'), seen, { hibernate: true }),
    crash(): never {
      this.exit(atom('crashed'))
    },
    throw: (_, what: Term): never => {
      throw what
    },
    odd: () => atom('odd') as never,
  },
  handleInfo: (message, seen) => [tuple(atom('info'), message), ...seen],
  terminate(why, seen) {
    const watcher = seen.map(parts).flat().find(part => part instanceof Pid) // prettier-ignore
    if (watcher) this.send(watcher, tuple(atom('terminated'), why, seen as Term))
    if (why === atom('badly')) this.exit(atom('in_terminate'))
    return tuple(atom('done'), why)
  },
  codeChange: (vsn, seen, extra) => [tuple(atom('changed'), vsn, extra), ...seen],
})

const quiet = eventHandler({
  init: (args: Term) => args,
  handleEvent(event, state) {
    if (event === atom('crash')) this.exit(atom('crashed'))
    return state
  },
  call: { seen: state => reply(state, state) },
  formatStatus: status => ({
    ...status,
    state: tuple(atom('shown'), status.state),
    ...('reason' in status ? { reason: atom('hidden') } : {}),
  }),
})

const events = genEvent({ module: 'file:///events.ts', handlers: { tally, quiet } })

const erlang = {
  tally: String.raw`
-module(tally).
-behaviour(gen_event).
-export([init/1, handle_event/2, handle_call/2, handle_info/2, terminate/2, code_change/3]).
init({bad, Why}) -> {error, Why};
init(crash) -> exit(crashed);
init({crash, _}) -> exit(crashed);
init({throw, What}) -> throw(What);
init(hibernate) -> {ok, [hibernate], hibernate};
init(Args) -> {ok, [Args]}.
handle_event(remove, _) -> remove_handler;
handle_event({swap, Handler, Args}, Seen) -> {swap_handler, gone, Seen, Handler, Args};
handle_event(crash, _) -> exit(crashed);
handle_event({throw, What}, _) -> throw(What);
handle_event(hibernate, Seen) -> {ok, [hibernate | Seen], hibernate};
handle_event(Event, Seen) -> {ok, [{event, Event} | Seen]}.
handle_call(seen, Seen) -> {ok, Seen, Seen};
handle_call(remove, _) -> {remove_handler, removed};
handle_call({swap, Handler, Args}, Seen) -> {swap_handler, swapping, gone, Seen, Handler, Args};
handle_call(hibernate, Seen) -> {ok, ok, Seen, hibernate};
handle_call(crash, _) -> exit(crashed);
handle_call({throw, What}, _) -> throw(What);
handle_call(odd, _) -> odd.
handle_info(Message, Seen) -> {ok, [{info, Message} | Seen]}.
terminate(Why, Seen) ->
    case [P || P <- lists:flatten([case S of T when is_tuple(T) -> tuple_to_list(T); T -> [T] end || S <- Seen]), is_pid(P)] of
        [Watcher | _] -> Watcher ! {terminated, Why, Seen};
        [] -> ok
    end,
    case Why of badly -> exit(in_terminate); _ -> {done, Why} end.
code_change(Vsn, Seen, Extra) -> {ok, [{changed, Vsn, Extra} | Seen]}.
`,
  quiet: String.raw`
-module(quiet).
-behaviour(gen_event).
-export([init/1, handle_event/2, handle_call/2, format_status/1]).
init(Args) -> {ok, Args}.
handle_event(crash, _) -> exit(crashed);
handle_event(_, State) -> {ok, State}.
handle_call(seen, State) -> {ok, State, State}.
format_status(#{state := State} = Status) ->
    case Status of #{reason := _} -> Status#{state => {shown, State}, reason => hidden}; _ -> Status#{state => {shown, State}} end.
`,
}

/** Told: what the handlers have told this process. The BEAM's stack traces are longer than ours, and hold where in gen_event it was. */
const tools = String.raw`
Bare = fun F({'EXIT', {R, [{M, Fun, A, _} | _]}}) -> {'EXIT', R, M, Fun, A}; F(T) when is_tuple(T) -> list_to_tuple(F(tuple_to_list(T))); F([H | T]) -> [F(H) | F(T)]; F(X) -> X end,
Told = fun F() -> receive M when element(1, M) =:= terminated; element(1, M) =:= gen_event_EXIT -> [Bare(M) | F()] after 0 -> [] end end,
Seen = fun(H) -> gen_event:call(Pid, H, seen) end, All = fun() -> gen_event:which_handlers(Pid) end,
Add = fun(H, A) -> gen_event:add_handler(Pid, H, A) end, Sup = fun(H, A) -> gen_event:add_sup_handler(Pid, H, A) end,
Sync = fun(E) -> gen_event:sync_notify(Pid, E) end,
`

const programs: Record<string, string> = {
  'events, to all, the latest added first': `ok = Add(tally, a), ok = Add({tally, 1}, b), ok = Add(quiet, c), ok = gen_event:notify(Pid, one), ok = Sync({two, 2}),
    {All(), Seen(tally), Seen({tally, 1}), Seen(quiet), gen_event:call(Pid, {tally, 1}, seen, 5000)}.`,
  'other messages': `ok = Add(tally, a), ok = Add(quiet, c), Pid ! hello, Pid ! {x, y, z}, Pid ! {notify, a, b}, {Seen(tally), All()}.`,
  'handlers that are not there': `{Seen(tally), gen_event:delete_handler(Pid, tally, x), gen_event:delete_handler(Pid, {tally, 1}, x), All()}.`,
  'modules that are not there': `{Bare(Add(nosuch, args)), Bare(Add({nosuch, id}, args)), Bare(gen_event:swap_handler(Pid, {tally, x}, {nosuch, y})), All()}.`,
  'init that refuses and fails': `{Add(tally, {bad, why}), Add(tally, crash), Add(tally, {throw, odd}), Add(tally, hibernate), Seen(tally)}.`,
  'the same handler twice': `ok = Add(tally, a), ok = Add(tally, b), {All(), Seen(tally), gen_event:delete_handler(Pid, tally, x), Seen(tally)}.`,
  'delete_handler': `ok = Add(tally, self()), ok = Add(quiet, q), {gen_event:delete_handler(Pid, tally, why), gen_event:delete_handler(Pid, quiet, why), Told(), All()}.`,
  'a terminate that fails': `ok = Add(tally, self()), {gen_event:delete_handler(Pid, tally, badly), Told(), All()}.`,
  'remove_handler': `ok = Add(tally, self()), ok = Add({tally, 2}, self()), ok = Add(quiet, q), Removed = gen_event:call(Pid, tally, remove), ok = Sync(remove), {Removed, Told(), All()}.`,
  'handlers that swap themselves': `ok = Add(quiet, q), ok = Add({tally, self()}, self()), ok = Add(tally, self()), {gen_event:call(Pid, tally, {swap, {quiet, 1}, x}), Sync({swap, tally, y}), Told(), All(), Seen({quiet, 1}), Seen(tally)}.`,
  'handlers that swap themselves for none': `ok = Sup(tally, self()), ok = Sync({swap, nosuch, y}), ok = Sup(tally, self()), R = gen_event:call(Pid, tally, {swap, tally, crash}), {R, Told(), All()}.`,
  'hibernate': `ok = Add(tally, hibernate), ok = Sync(hibernate), ok = gen_event:call(Pid, tally, hibernate), Seen(tally).`,
  'swap_handler': `ok = Add(tally, self()), ok = Add(quiet, q), A = gen_event:swap_handler(Pid, {tally, out}, {{tally, 2}, into}), B = gen_event:swap_handler(Pid, {nosuch, out}, {{tally, 3}, into}),
    C = gen_event:swap_handler(Pid, {{tally, 2}, out}, {tally, crash}), {A, B, C, Told(), All(), Seen({tally, 3})}.`,
  'swap_sup_handler': `ok = Add(tally, self()), A = gen_event:swap_sup_handler(Pid, {tally, out}, {{tally, 2}, into}), B = gen_event:swap_handler(Pid, {{tally, 2}, out}, {quiet, into}), {A, B, Told(), All(), gen_event:delete_handler(Pid, quiet, x), Told()}.`,
  'a supervised handler is told of': `ok = Sup(tally, a), ok = Sup({tally, 2}, b), ok = Sup({tally, 3}, c), ok = Sup(quiet, d), {done, x} = gen_event:delete_handler(Pid, tally, x), {error, bad_module} = Seen(tally),
    removed = gen_event:call(Pid, {tally, 2}, remove), R = gen_event:call(Pid, {tally, 3}, crash), ok = Sync(crash), {R, Told(), All(), gen_event:stop(Pid)}.`,
  'who supervises a handler ends': `Me = self(), ok = Add({tally, 2}, Me), S = spawn(fun() -> Me ! {added, gen_event:add_sup_handler(Pid, tally, Me)}, receive stop -> exit(bye) end end), receive {added, ok} -> ok end, ok = Add(quiet, Me),
    S ! stop, receive {terminated, {stop, bye}, [Me]} -> ok end, {All(), Seen({tally, 2})}.`,
  'who has ended already': `S = spawn(fun() -> ok end), M = monitor(process, S), receive {_, M, _, _, _} -> ok end, Pid ! {self(), {self(), tag}, {add_sup_handler, tally, self(), S}}, receive {tag, ok} -> ok end,
    receive {terminated, {stop, noproc}, _} -> ok end, All().`,
  'handlers that crash': `ok = Add(quiet, q), [begin ok = Add(tally, self()), R = Bare(gen_event:call(Pid, tally, X)), {R, Told(), All()} end || X <- [crash, {throw, {a, b}}, odd, nonsense, {nonsense, 1}]] ++ [begin ok = Add(tally, self()), ok = Sync(X), {Told(), All()} end || X <- [crash, {throw, {a, b}}, {throw, normal}]].`,
  'requests': `ok = Add(tally, a), R = gen_event:send_request(Pid, tally, seen), N = gen_event:send_request(Pid, nosuch, seen), {gen_event:receive_response(R, 5000), gen_event:receive_response(N, 5000)}.`,
  'get_modules': `ok = Add(tally, a), ok = Add(quiet, b), ok = Add({tally, 1}, c), Pid ! {x, {self(), tag}, get_modules}, receive {tag, Ms} -> Ms end.`,
  'get_state and replace_state': `ok = Add(tally, a), ok = Add({tally, 1}, b), ok = Add(quiet, c), {sys:get_state(Pid), sys:replace_state(Pid, fun({tally, I, S}) -> {tally, I, [replaced | S]}; (_) -> exit(no) end), sys:replace_state(Pid, fun({M, _, S}) -> {M, other, S} end), Seen(tally)}.`,
  'change_code': `ok = Add(tally, a), ok = Add({tally, 1}, b), ok = Add(quiet, c), ok = sys:suspend(Pid), A = sys:change_code(Pid, tally, old, extra), {error, {'EXIT', {undef, [{M, F, Args, _} | _]}}} = sys:change_code(Pid, quiet, old, extra), ok = sys:resume(Pid), {A, M, F, Args, Seen(tally), Seen({tally, 1}), All()}.`,
  'suspended': `ok = Add(tally, a), ok = sys:suspend(Pid), ok = gen_event:notify(Pid, later), S = sys:get_state(Pid), ok = sys:resume(Pid), {S, Seen(tally)}.`,
  'get_status': `ok = Add(tally, a), ok = Sup({quiet, 1}, b), {status, _, {module, M}, [_, S, _, _, [{header, H} | More]]} = sys:get_status(Pid), {M, S, lists:prefix("Status for event handler ", H), More}.`,
  'log': `ok = Add(quiet, a), ok = sys:log(Pid, true), ok = Sync(one), ok = gen_event:notify(Pid, two), a = Seen(quiet), {ok, L} = sys:log(Pid, get), [case E of {in, {_, _, R}} -> R; X -> X end || E <- [case E of {E1, _, _} when is_tuple(E1) -> E1; _ -> E end || E <- L]].`,
  'gen_event:stop': `ok = Add(tally, self()), ok = Sup(quiet, q), M = monitor(process, Pid), {gen_event:stop(Pid), receive {_, M, _, _, Why} -> Why end, Told()}.`,
  'gen_event:stop with a reason': `ok = Sup(tally, self()), M = monitor(process, Pid), {gen_event:stop(Pid, why, 5000), receive {_, M, _, _, Why} -> Why end, Told()}.`,
  'the old stop': `ok = Sup(tally, self()), M = monitor(process, Pid), Pid ! {self(), {self(), tag}, stop}, receive {tag, ok} -> ok end, {receive {_, M, _, _, Why} -> Why end, Told()}.`,
  'a supervisor that is no process': `M = monitor(process, Pid), ok = Add(tally, self()), Pid ! {self(), {self(), tag}, {add_sup_handler, quiet, a, b}}, {receive {_, M, _, _, {Why, _}} -> Why end, Told()}.`,
  'exits of others': `ok = Add(tally, a), exit(Pid, boom), Seen(tally).`,
} // prettier-ignore

t.test('genEvent', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: Object.values(erlang) })
    beam.expectLog(/tally|quiet|gen_event|events/)
    await using pair = await overheard(beam)
    await t.test('a genEvent does what a gen_event does', t => alike(t, pair))
    await t.test('its reports are those of OTP', t => reports(t, pair))
    await t.test('sys:trace prints its events', async t => {
      const { node, evaluate, printed } = pair
      await node.start(events, { name: 'events' })
      await evaluate(
        'E = {events, Ts}, ok = gen_event:add_handler(E, quiet, a), ok = sys:trace(E, true), ok = gen_event:notify(E, one), a = gen_event:call(E, quiet, seen), E ! hello, ok = sys:trace(E, false).',
      )
      t.strictSame(printed, ['*DBG* events got event one\n', '*DBG* events(quiet) got call seen\n', '*DBG* events got hello\n'])
    })
    await t.test('TypeScript drives one of Erlang', t => theirs(t, pair))
  })
})

async function alike(t: Test, { node, evaluate }: Pair): Promise<void> {
  const plain = (term: Term): string => format(term).replaceAll(/<\d+\.\d+\.\d+>/g, 'PID')
  for (const [name, program] of Object.entries(programs)) {
    const expected = plain(await evaluate(tools + program, { Pid: await evaluate('{ok, Pid} = gen_event:start(), Pid.') }))
    const { pid } = await node.start(events)
    t.equal(plain(await evaluate(tools + program, { Pid: pid })), expected, name)
  }
}

async function reports(t: Test, { node, evaluate, beam, events: told }: Overheard): Promise<void> {
  const program = `ok = Add(tally, a), ok = Add({quiet, 1}, b), Pid ! hello, {error, _} = gen_event:call(Pid, tally, crash), ok = Add(tally, a), {error, _} = gen_event:call(Pid, tally, odd), ok = Add(tally, a),
    {error, _} = gen_event:call(Pid, tally, nonsense), ok = Add(tally, a), ok = Sync({swap, tally, crash}), ok = Add(tally, a), ok = Sync({swap, nosuch, x}), ok = Sync(crash), All()`
  const wanted = ['label', 'module', 'message', 'handler', 'name', 'last_message', 'state', 'reason']
  const plain = (level: string, report: Term): string => {
    const values = wanted.map(key => get(report as Map<Term, Term>, atom(key)))
    const text = values.map(value => (value === undefined ? '' : format(value))).join(' ')
    // The BEAM's stack traces are longer.
    return `${level} ${text}`.replaceAll(/<\d+\.\d+\.\d+>/g, 'PID').replace(/,\[\{file,.*$/, '').replace(/,\[\]\}\]\}\}.*$|,\[\]\},\{gen_event.*$/, '') // prettier-ignore
  }
  const theirs = (await evaluate(
    `${tools} Me = self(), ok = logger:add_handler(H, logger_std_h, #{level => all, filters => [{f, {fun(E, _) -> Me ! {logged, E}, stop end, x}}]}), ${program}, ok = logger:remove_handler(H),
    Next = fun F() -> receive {logged, #{level := L, msg := {report, #{label := {gen_event, _}} = R}, meta := #{pid := Pid}}} -> [{L, R} | F()]; {logged, _} -> F() after 0 -> [] end end, Next().`,
    { Pid: await evaluate('{ok, Pid} = gen_event:start(), Pid.'), H: atom(`events${beam.otp}`) },
  )) as Tuple<[{ name: string }, Term]>[]
  t.equal(theirs.length, 7)
  told.length = 0
  const { pid } = await node.start(events)
  await evaluate(`${tools} ${program}.`, { Pid: pid })
  t.strictSame(
    told.map(({ level, report }) => plain(level, report)),
    theirs.map(({ elements: [level, report] }) => plain(level.name, report)),
  )
}

async function theirs(t: Test, { node, beam, evaluate }: Pair): Promise<void> {
  await evaluate('{ok, Pid} = gen_event:start({local, theirs}), Pid.')
  const ref = node.eventRef({ name: 'theirs', node: beam.name })
  await ref.addHandler('tally', atom('a'))
  await ref.addHandler(['tally', 1], atom('b'))
  t.strictSame(await ref.whichHandlers(), [['tally', 1], 'tally'])
  ref.notify(atom('one'))
  await ref.syncNotify(tuple(atom('two'), 2))
  t.equal(format(await ref.call('tally', 'seen')), '[{event,{two,2}},{event,one},a]')
  t.equal(format(await ref.request(['tally', 1], atom('seen'))), '[{event,{two,2}},{event,one},b]')
  t.equal(format(await ref.deleteHandler(['tally', 1], atom('why'))), '{done,why}')
  await t.rejects(ref.call('quiet', 'seen'), { code: 'ERR_EVENT', reason: atom('bad_module') })
  await t.rejects(ref.deleteHandler('quiet'), { code: 'ERR_EVENT', reason: atom('module_not_found') })
  await t.rejects(ref.addHandler('tally', tuple(atom('bad'), atom('why'))), { code: 'ERR_EVENT', reason: atom('why') })
  await t.rejects(ref.call('tally', 'crash'), { code: 'ERR_EVENT' })
  await t.rejects(ref.addSupHandler('tally', atom('x')), { code: 'ERR_BADARG' })
  await node.run(async self => {
    const mine = ref.with({ self })
    await mine.addSupHandler('tally', atom('mine'))
    await ref.swapHandler(['tally', atom('out')], ['quiet', atom('in')])
    const exit = match([atom('gen_event_EXIT'), any, any])
    const swapped = await self.receive(exit, { timeout: patience })
    t.match(format(swapped), /^\{gen_event_EXIT,tally,\{swapped,quiet,<.*>\}\}$/)
    await mine.swapSupHandler(['quiet', 0], ['tally', 1])
    t.match(format(await self.receive(exit, { timeout: patience })), /^\{gen_event_EXIT,quiet,\{swapped,tally,<.*>\}\}$/)
    await ref.stop()
    t.equal(format(await self.receive(exit, { timeout: patience })), '{gen_event_EXIT,tally,shutdown}')
  })
  await t.rejects(ref.whichHandlers(), { code: 'ERR_EXIT', reason: atom('noproc') })
}
