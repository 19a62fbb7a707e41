/** What processes of the BEAM whose group leader is here log, and what those of ours log there: events, and their text. */
import t, { type Test } from 'tap'
import {
  atom,
  ErlangError,
  ExitError,
  format,
  get,
  type LogEvent,
  type Node,
  type NodeProcess,
  type Pid,
  type Term,
  type Tuple,
  tuple,
} from '../src/index.js'
import {
  eventHandler,
  genEvent,
  genServer,
  genStatem,
  loggerFormat,
  logTo,
  next,
  reply,
  type ServerProcess,
  stop,
  supervisor,
} from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, type Pair, startNode } from './support/pair.js'

const erlang = [
  String.raw`
-module(crashes).
-behaviour(gen_server).
-export([start/1, init/1, handle_call/3, handle_cast/2, handle_event/2, handle_event/4, callback_mode/0, plain/1, helper/2, sup/1]).

start(gen_server) -> {ok, P} = gen_server:start({local, server}, ?MODULE, server, []), P;
start(gen_statem) -> {ok, P} = gen_statem:start(?MODULE, statem, []), P;
start(gen_event) -> {ok, P} = gen_event:start(), ok = gen_event:add_handler(P, ?MODULE, event), P;
start(supervisor) ->
    {ok, P} = supervisor:start_link(?MODULE, sup), unlink(P), P;
start(Fun) -> proc_lib:spawn(?MODULE, plain, [Fun]).

init(server) -> {ok, #{state => 1}};
init(statem) -> {ok, idle, [data]};
init(event) -> {ok, {some, state}};
init(sup) -> {ok, {#{intensity => 0}, [#{id => child, start => {?MODULE, sup, [x]}}]}}.

sup(_) -> {ok, proc_lib:spawn_link(fun() -> receive Why -> exit(Why) end end)}.

handle_call({crash, Why}, _From, _State) -> helper(Why, "text");
handle_call(_, _, State) -> {reply, ok, State}.
handle_cast({crash, Why}, _State) -> helper(Why, <<"bin">>).
handle_event({crash, Why}, _State) -> helper(Why, 1).
callback_mode() -> handle_event_function.
handle_event(_, {crash, Why}, _, _) -> helper(Why, [a]).

plain(Why) -> helper(Why, {a, b}).

helper(badmatch, X) -> {ok, _} = id(X);
helper(badmatch_long, _) -> {ok, _} = id(lists:seq(1, 60));
helper(case_clause, X) -> case id(X) of nothing -> ok end;
helper(if_clause, X) -> if X =:= nothing -> ok end;
helper(function_clause, X) -> only(id(X));
helper(function_clause_long, _) -> only({id(lists:seq(1, 30)), lists:seq(1, 30)});
helper(undef, X) -> no_module:no_function(X, X);
helper(badarith, X) -> 1 + id(X);
helper(badarity, X) -> (id(fun() -> ok end))(X);
helper(badfun, X) -> (id(X))(1);
helper(error, X) -> error({my_reason, X});
helper(exit, X) -> exit({my_exit, X});
helper(throw, X) -> throw({my_throw, X});
helper(long, _) -> exit({lists:seq(1, 60), #{key => lists:duplicate(30, <<"binary">>)}});
helper(badkey, _) -> maps:get(nothing, id(#{}));
helper(try_clause, X) -> try id(X) of nothing -> ok catch _:never -> ok end;
helper(_, X) -> id(X).

only(nothing) -> ok.
id(X) -> X.
`,
]

/** What each release says otherwise than 29 */
const same = (text: string): string =>
  text
    .replaceAll(/, line (\d+)\)/g, ':$1)')
    .replaceAll(/<\d+\.\d+\.\d+>/g, 'PID')
    .replaceAll(/#Ref<[\d.]+>/g, 'REF')
    .replaceAll(/(heap_size|stack_size|reductions): \d+/g, '$1: N')
    .replaceAll(/#Fun<[^>]+>/g, 'FUN')

t.test('the logger', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: erlang, args: ['+pc', 'unicode'] })
    beam.expectLog(() => true)
    await using node = await startNode(beam, { floats: 'exact' })
    await node.connect(beam.name)
    await beam.eval(handler)
    node.on('crash', () => {})
    const pair: Pair = { beam, node, evaluate: evaluator(beam, node) }
    await t.test('every kind of event of a BEAM process whose group leader is here', t => kinds(t, pair))
    await t.test("the text of OTP's own reports is that of the BEAM", t => texts(t, pair))
    await t.test('reports of ours are printed there as here', t => ours(t, pair))
    await t.test('a crash report tells of the neighbours', t => neighbours(t, pair))
    await t.test('a process that crashes and is nobody of OTP is told of as by the emulator', t => plain(t, pair))
  })
})

/** The next `count` events */
function events(node: Node, count: number): Promise<LogEvent[]> {
  const found: LogEvent[] = []
  return new Promise(resolve => {
    const listener = (event: LogEvent): void => {
      if (found.push(event) < count) return
      node.off('logger', listener)
      resolve(found)
    }
    node.on('logger', listener)
  })
}

async function kinds(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const programs: Record<string, [program: string, level: string, message: string]> = {
    'a string': ['logger:error("a string €")', 'error', 'a string €'],
    'a binary': ['logger:warning(<<"binary">>)', 'warning', 'binary'],
    'a format': ['logger:notice("~p and ~ts~n", [{a, b}, "€"])', 'notice', '{a,b} and €\n'],
    'a report': ['logger:critical(#{key => "value"})', 'critical', '    key: value'],
    'a list of pairs': [
      'logger:alert([{key, "value"}, {other, <<"b">>}, plain])',
      'alert',
      '    key: value\n    other: <<"b">>\n    plain',
    ],
    'with metadata': ['logger:emergency("text", #{mine => 1.5, word => abc})', 'emergency', 'text'],
    'a format that does not fit': ['logger:error("~b", [x])', 'error', 'FORMAT ERROR: "~b" - [x]'],
    'a report with a callback': ['logger:error(#{a => 1}, #{report_cb => fun(_) -> {"never", []} end})', 'error', 'never'],
    'error_logger:error_msg': ['error_logger:error_msg("~w~n", [x])', 'error', 'x\n'],
    'error_logger:error_report': ['error_logger:error_report([{a, 1}, {b, "text"}])', 'error', '    a: 1\n    b: text'],
    'error_logger:warning_report': ['error_logger:warning_report(my_type, a_term)', 'warning', 'a_term'],
    'error_logger:info_msg': ['error_logger:info_msg("~p", [{i}])', 'notice', '{i}'],
    'error_logger:info_report': ['error_logger:info_report("text")', 'notice', 'text'],
  }
  for (const [name, [program, level, message]] of Object.entries(programs)) {
    const told = events(node, 1)
    const logged: [string, Record<string, unknown>, string][] = []
    const say = (method: string) => (fields: Record<string, unknown>, text: string) => void logged.push([method, fields, text])
    node.once('logger', logTo({ fatal: say('fatal'), error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') }))
    const pid = format(
      await evaluate(`P = spawn(fun() -> group_leader(U, self()), ${program} end), P.`, { U: node.whereis('user') as Pid }),
    )
    const [event] = await told
    t.equal(event?.message, message, name)
    t.equal(event?.level, level)
    const [, fields, said] = logged[0] as (typeof logged)[0]
    t.equal(said, message)
    t.equal(fields['node'], beam.name)
    t.equal(format(get(event?.meta as Map<Term, Term>, atom('pid')) as Term), pid)
    t.ok(Math.abs(Number(fields['time']) - Date.now()) < 60_000)
    if (name === 'with metadata') t.match(fields, { mine: 1.5, word: 'abc', severity: 'emergency' })
  }
}

/** Runs a program with the group leader `G`, and gives the level and the text of the `N` events that are logged there then, as its default handler would print them. */
const logging = (program: string): string => `
    Me = self(), Cb = fun(L, E) -> Me ! {text, maps:get(level, E), unicode:characters_to_binary(logger_formatter:format(E, #{template => [msg], single_line => false}))}, L end,
    ok = logger:add_handler(texts, crashes_handler, #{level => all, config => Cb}), group_leader(G, self()), ${program},
    Texts = [receive {text, L, T} -> {L, T} after 20000 -> timeout end || _ <- lists:seq(1, N)], ok = logger:remove_handler(texts), Texts.`

const handler = `
    {ok, crashes_handler, B} = compile:forms([{attribute, 1, module, crashes_handler}, {attribute, 1, export, [{log, 2}]},
      {function, 1, log, 2, [{clause, 1, [{var, 1, 'E'}, {map, 1, [{map_field_exact, 1, {atom, 1, config}, {var, 1, 'F'}}]}], [], [{call, 1, {var, 1, 'F'}, [{atom, 1, ok}, {var, 1, 'E'}]}]}]}]),
    {module, _} = code:load_binary(crashes_handler, "crashes_handler", B), ok.`

const linesOf = (texts: Term): string =>
  (texts as Tuple[]).map(({ elements: [level, text] }) => `${format(level as Term)} ${same(String(text))}`).join('\n')

/** Where lines are broken hangs on how long pids and references are, which nodes print differently. */
const placed = (text: string): string => (/REF|[{[,]PID/.test(text) ? text.replaceAll(/\s+/g, '') : text)

const saidHere = (events: readonly LogEvent[]): string => events.map(({ level, message }) => `${level} ${same(message)}`).join('\n')

async function texts(t: Test, { node, evaluate }: Pair): Promise<void> {
  const whys = [
    'badmatch',
    'badmatch_long',
    'case_clause',
    'if_clause',
    'function_clause',
    'function_clause_long',
    'undef',
    'badfun',
    'error',
    'exit',
    'throw',
    'long',
    'try_clause',
  ]
  const programs: [name: string, count: number, program: string][] = [
    ...whys.map(why => [`proc_lib ${why}`, 1, `crashes:start(${why})`] as [string, number, string]),
    ...whys.map(
      why =>
        [
          `gen_server ${why}`,
          2,
          `P = crashes:start(gen_server), M = monitor(process, P), gen_server:cast(P, {crash, ${why}}), receive {_, M, _, _, _} -> ok end`,
        ] as [string, number, string],
    ),
    ['gen_server with a client', 2, 'P = crashes:start(gen_server), catch gen_server:call(P, {crash, error})'],
    [
      'gen_server, with a log',
      2,
      'P = crashes:start(gen_server), sys:log(P, true), gen_server:call(P, x), catch gen_server:call(P, {crash, error})',
    ],
    [
      'gen_server without handle_info',
      1,
      'P = crashes:start(gen_server), P ! hello, gen_server:call(P, x), exit(P, kill), timer:sleep(10)',
    ],
    [
      'gen_statem',
      2,
      'P = crashes:start(gen_statem), M = monitor(process, P), gen_statem:cast(P, {crash, badmatch}), receive {_, M, _, _, _} -> ok end',
    ],
    ['gen_statem called', 2, 'P = crashes:start(gen_statem), catch gen_statem:call(P, {crash, exit})'],
    ['gen_event', 1, 'P = crashes:start(gen_event), gen_event:sync_notify(P, {crash, error}), exit(P, kill)'],
    [
      'supervisor',
      3,
      'P = crashes:start(supervisor), M = monitor(process, P), [{_, C, _, _}] = supervisor:which_children(P), C ! {boom, [1, 2]}, receive {_, M, _, _, _} -> ok end',
    ],
    ['plain', 1, 'spawn(fun() -> error({plain, crash}) end)'],
    ['plain throw', 1, 'spawn(fun() -> throw(ball) end)'],
    [
      'linked',
      1,
      `Me = self(), W = spawn(fun() -> proc_lib:spawn_link(fun() -> Me ! {crasher, self()}, receive go -> exit(boom) end end), receive stop -> ok end end),
      receive {crasher, C} -> C ! go, M = monitor(process, C), receive {_, M, _, _, _} -> ok end end`,
    ],
  ]
  const [user, theirs] = [node.whereis('user') as Pid, await evaluate('group_leader().')]
  for (const [name, count, program] of programs) {
    const there = await evaluate(logging(program), { G: theirs, N: count })
    const here = events(node, count)
    await evaluate(`group_leader(G, self()), ${program}, ok.`, { G: user })
    const said = await here
    t.equal(placed(saidHere(said)), placed(linesOf(there)), name)
  }
  t.match(
    loggerFormat({ level: 'error', meta: new Map([[atom('time'), 1_700_000_000_123_456]]) as never, message: 'x' }),
    /^=ERROR REPORT==== 1\d-Nov-2023::\d\d:\d\d:\d\d.123456 ===\nx\n$/,
  )
}

const failing = genServer({
  init: () => ({ count: 1 }),
  call: {
    crash: () => {
      throw new TypeError('no')
    },
    link(this: ServerProcess, state, pid: Pid) {
      this.link(pid)
      return reply(atom('ok'), state)
    },
  },
  cast: {
    crash: () => {
      throw new ErlangError(tuple(atom('badmatch'), [1, 2]))
    },
    stop: (state, why: Term) => stop(why, state),
  },
})

const machine = genStatem({
  init: () => next('idle', { some: 'data' }),
  states: {
    idle: {
      cast: {
        crash: () => {
          throw new RangeError('off')
        },
      },
    },
  },
})

const manager = genEvent({
  handlers: {
    noisy: eventHandler({
      init: () => 0,
      handleEvent: () => {
        throw new Error('handler')
      },
    }),
  },
})

/** Starts something in a process whose group leader is `leader`, which stays. */
function startAt<R>(node: Node, leader: Pid, start: (self: NodeProcess) => Promise<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    node.spawn(async self => {
      self.groupLeader = leader
      self.trapExit = true
      await start(self).then(resolve, reject)
      for await (const _ of self) continue
    })
  })
}

async function ours(t: Test, { node, evaluate }: Pair): Promise<void> {
  const G = (await evaluate('group_leader().')) as Pid
  const server = (): Promise<{ pid: Pid }> => startAt(node, G, self => self.startLink(failing))
  const tree = supervisor({ intensity: 0, children: [{ id: 'child', start: failing }] })
  const programs: [name: string, count: number, start: () => Promise<{ pid: Pid }>, program: string][] = [
    ['gen_server', 2, server, 'gen_server:cast(P, crash)'],
    ['gen_server that stops', 2, server, 'gen_server:cast(P, {stop, {why, "text"}})'],
    ['gen_server with a client', 2, server, 'catch gen_server:call(P, crash)'],
    ['gen_server without handle_info', 1, server, 'P ! hello'],
    ['gen_statem', 2, () => startAt(node, G, self => self.startLink(machine)), 'gen_statem:cast(P, crash)'],
    ['gen_event', 1, () => startAt(node, G, self => self.startLink(manager)), 'ok = gen_event:add_handler(P, noisy, []), gen_event:notify(P, x)'],
    ['supervisor', 4, () => startAt(node, G, self => self.startLink(tree)), '[{_, C, _, _}] = supervisor:which_children(P), gen_server:cast(C, crash)'],
  ] // prettier-ignore
  for (const [name, count, start, program] of programs) {
    const { pid } = await start()
    const here = events(node, count)
    const there = await evaluate(logging(program), { G, P: pid, N: count })
    t.equal(placed(linesOf(there)), placed(saidHere(await here)), name)
    t.notMatch(linesOf(there), /timeout|REPORT_CB|FORMAT ERROR/, `${name}: its text`)
  }
}

async function neighbours(t: Test, { node, evaluate }: Pair): Promise<void> {
  const G = (await evaluate('group_leader().')) as Pid
  const program = `
    C = proc_lib:spawn(fun() -> receive stop -> ok end end),
    B = proc_lib:spawn(fun() -> link(C), Me ! linked, receive stop -> ok end end), receive linked -> ok end,
    Trap = proc_lib:spawn(fun() -> process_flag(trap_exit, true), Me ! traps, receive stop -> ok end end), receive traps -> ok end,
    A = proc_lib:spawn(fun() -> link(B), link(Trap), exit(boom) end), M = monitor(process, A), receive {'DOWN', M, _, _, _} -> Trap ! stop end`
  const theirs = linesOf(await evaluate(logging(program), { G, N: 1 }))
  const start = (name: string) => startAt(node, G, self => self.start(failing, { name }))
  const [a, b, c, trapping] = [await start('a'), await start('b'), await start('c'), await node.start(supervisor({ children: [] }))]
  await a.call('link', b.pid)
  await b.call('link', c.pid)
  await a.call('link', trapping.pid)
  const here = linesOf(await evaluate(logging('gen_server:cast(P, {stop, boom})'), { G, P: a.pid, N: 2 }))
  const keys = (text: string): string[] =>
    [...text.slice(text.indexOf('neighbours:')).matchAll(/^ *([a-z_ ]+):/gm)].map(([, key]) => key as string)
  t.strictSame(keys(here), keys(theirs), 'two neighbours, with the same entries')
  t.strictSame(
    [...here.matchAll(/registered_name: (\w)/g)].map(([, name]) => name),
    ['a', 'c', 'b'],
    'who traps exits is none',
  )
  t.match(
    here,
    /neighbour:\n {6}pid: PID\n {6}registered_name: c\n {6}initial call: gen_server:init\/1\n {6}current_function: {gen_server,loop,\d}/,
  )
}

async function plain(t: Test, { node, evaluate }: Pair): Promise<void> {
  const G = (await evaluate('group_leader().')) as Pid
  await node.code.load('plain', {
    fails(why: Term) {
      throw new ErlangError(why, [tuple(atom('plain'), atom('fails'), 1, [])])
    },
    throws(what: Term) {
      throw what // oxlint-disable-line typescript/only-throw-error
    },
    exits(why: Term) {
      throw new ExitError(why)
    },
  })
  const sources = [
    ['spawn(erlang, raise, [error, {my, [1, 2]}, [{plain, fails, 1, []}]])', 'spawn(Ts, plain, fails, [{my, [1, 2]}])'],
    ['spawn(fun() -> throw(ball) end)', 'spawn(Ts, plain, throws, [ball])'],
  ] as const
  for (const [program, same] of sources) {
    const theirs = linesOf(await evaluate(logging(program), { G, N: 1 }))
    const here = events(node, 1)
    const said = linesOf(await evaluate(logging(`spawn(Ts, plain, exits, [quiet]), ${same}`), { G, N: 1 }))
    t.equal(said, saidHere(await here))
    const plainly = (text: string): string => text.replace(/'(?:ts|beam)-[^']+'/, 'NODE').replace(/,\[\{?.*\]\}\n$/s, '')
    t.equal(plainly(said), plainly(theirs))
  }
}
