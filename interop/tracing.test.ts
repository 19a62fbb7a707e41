/**
 * OTP's own `dbg`, `ttb` and `etop` trace a TypeScript node, and see what they see on one of their own: the same program of Erlang runs on both, and
 * what it is told is compared. What they come to here is `do_relay` and, for ttb, `ttb_init_node`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { atom, format, type Node, type NodeProcess, Pid, type Sendable, type Term, Tuple } from '../src/index.js'
import type { Beam, Release } from '../src/interop/index.js'
import { genServer, reply } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/pair.js'

const tracing = String.raw`
-module(tracing).
-compile([export_all, nowarn_export_all]).

%% Does what it is told, and says when it has done it
loop() ->
    receive
        {From, stop} -> From ! stopping, exit(bye);
        {From, trap} -> process_flag(trap_exit, true), put(from, From), From ! done, loop();
        {From, Command} -> done(Command), From ! done, loop();
        {'EXIT', _, _} -> get(from) ! exited, loop();
        _ -> loop()
    end.
done({link, P}) -> link(P);
done({unlink, P}) -> unlink(P);
done({register, Name}) -> register(Name, self());
done(spawn) -> spawn(fun() -> ok end);
done({send, To, What}) -> To ! What.

%% What Flags tell of a process that does these things
life(Node, P, Flags, Last) ->
    Me = self(),
    {ok, _} = dbg:tracer(process, {fun(Event, none) -> Me ! {told, Event}, none end, none}),
    {ok, Node} = dbg:n(Node),
    {ok, Matched} = dbg:p(P, Flags),
    1 = lists:sum([N || {matched, At, N} <- Matched, At =:= Node]),
    Peer = spawn(fun() -> receive stop -> ok end end),
    Gone = spawn(fun() -> ok end),
    Ref = monitor(process, Gone), receive {'DOWN', Ref, _, _, _} -> ok end,
    [do(P, C) || C <- [{link, Peer}, {unlink, Peer}, {register, bob}, trap, spawn, {send, Me, hi}, {send, P, hi}, {send, bob, hi}, {send, {bob, Node}, hi}, {link, Peer}]],
    exit(Peer, why), receive exited -> ok end,
    P ! {Me, stop}, receive stopping -> ok end,
    Told = [named(E, [{Me, me}, {P, traced}, {Peer, peer}]) || E <- told(Last)],
    ok = dbg:stop(),
    %% What comes from itself is sent and received at once, here or there.
    lists:partition(fun(E) -> element(3, E) =:= 'receive' end, Told).
do(P, Command) -> P ! {self(), Command}, receive done -> ok end.
told({What, Of} = Last) ->
    receive
        {told, {trace, _, What, Of} = E} -> [E];
        {told, {trace, _, What, Of, _} = E} -> [E];
        {told, {trace, _, What, {_, Of}} = E} -> [E];
        {told, E} -> [E | told(Last)]
    after 20000 -> [{trace, none, timeout}]
    end.
named(T, Names) when is_tuple(T) -> case T of {erlang, apply, _} -> a_fun; _ -> list_to_tuple([named(E, Names) || E <- tuple_to_list(T)]) end;
named(P, Names) when is_pid(P) -> proplists:get_value(P, Names, other);
named(X, _) -> case atom_to_list(node()) of N when is_atom(X) -> case atom_to_list(X) of N -> node; S -> case lists:member($@, S) of true -> node; false -> X end end; _ -> X end.

%% Events until one is as wanted, or as many as are wanted
collect(Fun, Count) ->
    Me = self(),
    {ok, _} = dbg:tracer(process, {fun(Event, none) -> Me ! {told, Event}, none end, none}),
    Fun(),
    Told = [receive {told, E} -> E after 20000 -> timeout end || _ <- lists:seq(1, Count)],
    dbg:stop(),
    Told.

%% etop until its screen shows Pattern
top(Node, Options, Pattern) ->
    Me = self(),
    Out = spawn_link(fun() -> screen([], Pattern, Me) end),
    {_, Ref} = spawn_monitor(fun() -> group_leader(Out, self()), exit({ended, etop:start([{node, Node}, {output, text} | Options])}) end),
    Seen = receive {seen, Out} -> seen; {'DOWN', Ref, _, _, Why0} -> {down, Why0} after 60000 -> timeout end,
    catch etop:stop(),
    Ended = receive {'DOWN', Ref, _, _, Why} -> Why after 20000 -> still_there end,
    Out ! {all, self()},
    receive {all, Text} -> {Seen, Ended, unicode:characters_to_list(Text)} end.
screen(Acc, Pattern, Me) ->
    receive
        {io_request, From, As, {put_chars, _, M, F, A}} -> From ! {io_reply, As, ok}, screen(shown([Acc, apply(M, F, A)], Pattern, Me), Pattern, Me);
        {io_request, From, As, {put_chars, _, Chars}} -> From ! {io_reply, As, ok}, screen(shown([Acc, Chars], Pattern, Me), Pattern, Me);
        {io_request, From, As, getopts} -> From ! {io_reply, As, []}, screen(Acc, Pattern, Me);
        {io_request, From, As, _} -> From ! {io_reply, As, {error, enotsup}}, screen(Acc, Pattern, Me);
        {all, To} -> To ! {all, Acc}
    end.
shown(Acc, Pattern, Me) ->
    case re:run(unicode:characters_to_binary(Acc), Pattern) of {match, _} -> Me ! {seen, self()}; nomatch -> ok end,
    Acc.
`

type Run = (source: string, bindings?: Readonly<Record<string, Sendable>>) => Promise<string>

t.test('tracing', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const beam = await start({ code: tracing })
    const other = await start({ code: tracing, cookie: beam.cookie })
    await using node = await startNode(beam)
    const counter = genServer({ init: (n: number) => n, call: { get: n => reply(n, n), add: (n, by: number) => reply(n + by, n + by) } })
    await node.start(counter, { args: [0], name: 'counted' })
    await node.connect(beam.name)
    const run: Run = async (source, bindings) =>
      format(await beam.eval(source, { bindings: { N: atom(node.name), Other: atom(other.name), ...bindings }, timeout: 100_000 }))
    await lives(t, run, node)
    await wholes(t, run, node)
    await loadTools(beam, otp)
    await top(t, run)
    node.spawn(loop, { name: 'looped' })
    await ttb(t, run, beam)
    await refusals(t, run)
  })
})

/** As `loop` there */
async function loop(self: NodeProcess): Promise<void> {
  let trapsFor: Pid | undefined
  for await (const message of self) {
    if (trapsFor && message instanceof Tuple && message.tag === 'EXIT') self.send(trapsFor, atom('exited'))
    if (!(message instanceof Tuple) || !(message.elements[0] instanceof Pid)) continue
    const [from, command] = message.elements as readonly [Pid, Term]
    if (command === atom('stop')) {
      self.send(from, atom('stopping'))
      self.exit(atom('bye'))
    }
    if (command === atom('trap')) trapsFor = from
    await done(self, command)
    self.send(from, atom('done'))
  }
}

async function done(self: NodeProcess, command: Term): Promise<void> {
  if (command === atom('trap')) self.trapExit = true
  if (command === atom('spawn')) self.spawn(() => {})
  if (!(command instanceof Tuple)) return
  const [, first, what] = command.elements as readonly [Term, Term, Term]
  if (command.tag === 'link') self.link(first as Pid)
  if (command.tag === 'unlink') self.unlink(first as Pid)
  if (command.tag === 'register') await self.register(first as ReturnType<typeof atom> as never)
  if (command.tag !== 'send') return
  const [name, at] = first instanceof Tuple ? (first.elements as readonly [never, never]) : []
  self.send(name === undefined ? (first as Pid) : { name, node: at as never }, what)
}

async function lives(t: Test, run: Run, node: Node): Promise<void> {
  const last = {
    '[m]': '{send, stopping}',
    '[p]': '{unregister, bob}',
    '[p, m]': '{unregister, bob}',
    '[s]': '{send, stopping}',
    '[r]': "{'receive', stop}",
  }
  for (const [flags, end] of Object.entries(last)) {
    await t.test(`dbg:p(Pid, ${flags})`, async t => {
      const ours = await run(`tracing:life(N, P, ${flags}, ${end}).`, { P: node.spawn(loop) })
      const theirs = await run(`P = rpc:call(Other, erlang, spawn, [tracing, loop, []]), tracing:life(Other, P, ${flags}, ${end}).`)
      t.equal(ours, theirs)
      t.notMatch(ours, /timeout/)
    })
  }
}

async function wholes(t: Test, run: Run, node: Node): Promise<void> {
  await t.test('a server, by its name: what comes and goes, in order, and when', async t => {
    const told = await run(`tracing:collect(fun() ->
        {ok, N} = dbg:n(N), {ok, _} = dbg:p(counted, [m, timestamp]), 5 = gen_server:call({counted, N}, {add, 5}) end, 2).`)
    t.match(
      told,
      /^\[\{trace_ts,<[\d.]+>,'receive',\{'\$gen_call',\{<[\d.]+>,\[alias\|#Ref<[\d.]+>\]\},\{add,5\}\},\{\d+,\d+,\d+\}\},\{trace_ts,<[\d.]+>,send,/,
    )
  })
  await t.test('new processes, and those that these spawn', async t => {
    const starts = genServer({
      init: () => 0,
      cast: {
        go(n) {
          this.spawn(first => void first.spawn(() => {}))
          return n
        },
      },
    })
    await node.start(starts, { name: 'starts' })
    const told = await run(`[{element(3, E), element(tuple_size(E), E)} || E <- tracing:collect(fun() ->
      {ok, N} = dbg:n(N), {ok, _} = dbg:p(new, [procs]), ok = gen_server:cast({starts, N}, go) end, 5)].`)
    const fun = '{erlang,apply,2}'
    t.equal(told, `[{spawned,${fun}},{spawn,${fun}},{spawned,${fun}},{exit,normal},{exit,normal}]`)
  })
  await t.test('who is traced, and not any more; functions; what is no process', async t => {
    const source = `{ok, _} = dbg:tracer(process, {fun(_, none) -> none end, none}), {ok, N} = dbg:n(N), At = fun({ok, L}) -> [setelement(2, M, n) || M <- L, element(2, M) =:= N] end,
      P = rpc:call(N, erlang, whereis, [counted]),
      Flags = fun() -> [lists:sort(F) || {Pid, _, F} <- rpc:call(N, dbg, get_info, []), Pid =:= P] end,
      One = At(dbg:p(P, [m, c])), F1 = Flags(), [{matched, n, All}] = At(dbg:p(all, [m])), [{matched, n, New}] = At(dbg:p(new, [m])),
      Clear = At(dbg:p(P, clear)), F2 = Flags(), _ = At(dbg:p(all, clear)), Info = rpc:call(N, dbg, get_info, []),
      Nobody = At(dbg:p(nobody, [m])), Functions = At(dbg:tp(lists, seq, [])), Dead = spawn(N, erlang, node, []), timer:sleep(200),
      [{matched, n, 0, {'EXIT', {badarg, _}}}] = At(dbg:p(Dead, [m])),
      Bad = dbg:p(P, [strange]), ok = dbg:stop(), {One, F1, All > 5, New, Clear, F2, Info, Nobody, Functions, Bad, Flags()}.`
    t.equal(
      await run(source),
      "{[{matched,n,1}],[[call,'receive',send]],true,0,[{matched,n,1}],[],[],[{matched,n,0,{no_proc,nobody}}],[{matched,n,0}],{error,{bad_flags,[strange]}},[]}",
    )
  })
}

async function loadTools(beam: Beam, otp: Release): Promise<void> {
  for (const module of ['etop', 'etop_txt', 'etop_tr', 'ttb']) {
    const code = readFileSync(new URL(`../.otp/${otp}/observer/${module}.beam`, import.meta.url))
    await beam.eval('{module, M} = code:load_binary(M, atom_to_list(M) ++ ".beam", Code), ok.', {
      bindings: { M: atom(module), Code: code },
    })
  }
}

async function top(t: Test, run: Run): Promise<void> {
  const screen = /counted +\S+ +\d+ +0 +0 +gen_server:loop\/5/
  const shows = `"counted .*gen_server:loop/5"`
  await t.test('etop without tracing', async t => {
    // The etop of OTP 27 traces all the same.
    const told = await run(`tracing:top(N, [{tracing, off}, {interval, 1}, {lines, 50}, {sort, msg_q}, {port, Port}], ${shows}).`, {
      Port: await freePort(),
    })
    t.match(told, /^\{seen,\{ended,ok\},/)
    t.match(told, screen)
    t.match(told, /Load: +cpu +\d+ +Memory: +total +\d+/)
  })
  await t.test('etop with tracing: the time of a process that works', async t => {
    const told = await run(
      `Busy = spawn_link(fun F() -> _ = gen_server:call({counted, N}, get), F() end),
      R = tracing:top(N, [{interval, 1}, {lines, 50}, {port, Port}], "counted +[1-9][0-9]* .*gen_server:loop/5"), unlink(Busy), exit(Busy, kill), R.`,
      { Port: await freePort() },
    )
    t.match(told, /^\{seen,\{ended,ok\},/, told)
  })
}

async function ttb(t: Test, run: Run, beam: Beam): Promise<void> {
  // It leaves files where it runs.
  const folder = mkdtempSync(join(tmpdir(), 'beamlet-ttb-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  await beam.eval('ok = file:set_cwd(Dir).', { bindings: { Dir: folder } })
  await t.test('ttb, to a file on the node that traces', async t => {
    const source = `Me = self(), {ok, [N]} = ttb:tracer(N, [{file, {local, "seen"}}, {shell, fun(E) -> Me ! {shown, E} end}]),
      {ok, [{P, _}]} = ttb:p(rpc:call(N, erlang, whereis, [looped]), [m]),
      {looped, N} ! {Me, nothing}, receive done -> ok end, [receive {shown, E} when element(3, E) =:= What -> ok after 20000 -> exit(What) end || What <- ['receive', send]],
      {stopped, Dir} = ttb:stop([return_fetch_dir]),
      ok = ttb:format(Dir, [{handler, {fun(_, {end_of_trace}, _, S) -> S; (_, E, _, S) -> Me ! {event, E}, S end, none}}]),
      [receive {event, E} -> {element(1, E), element(3, E), element(2, E)} after 20000 -> timeout end || _ <- [1, 2]].`
    // Told with the name that the receiver has here
    t.match(await run(source), /^\[\{trace_ts,'receive',\{<[\d.]+>,looped,'ts-[^']*'\}\},\{trace_ts,send,/)
  })
}

async function refusals(t: Test, run: Run): Promise<void> {
  await t.test('a tracer that would write a file here, or run code here, is refused; so is a port that is taken', async t => {
    // The relay says no: so the dbg server is ended that would wait for it.
    const refused = (type: string, data: string): Promise<string> => run(`catch dbg:tracer(N, ${type}, ${data}).`)
    t.equal(await refused('port', 'dbg:trace_port(file, "/tmp/beamlet-never")'), "{'EXIT',dbg_server_crash}")
    t.equal(await refused('process', '{fun(_, S) -> S end, none}'), "{'EXIT',dbg_server_crash}")
    const taken = createServer().listen()
    t.teardown(() => taken.close())
    t.equal(await refused('port', `dbg:trace_port(ip, ${(taken.address() as AddressInfo).port})`), "{'EXIT',dbg_server_crash}")
    t.equal(await run('net_adm:ping(N).'), 'pong')
  })
  await t.test('the relay ends with its dbg, and the trace with it', async t => {
    const source = `{ok, N} = dbg:tracer(N, port, dbg:trace_port(ip, 0)), {ok, Port} = dbg:trace_port_control(N, get_listen_port),
      {ok, [_ | _]} = dbg:p(all, [m]), Traced = length(rpc:call(N, dbg, get_info, [])) > 0,
      {ok, S} = gen_tcp:connect("127.0.0.1", Port, [{active, true}]), exit(whereis(dbg), kill), receive {tcp_closed, S} -> ok after 20000 -> exit(still_open) end,
      {Traced, rpc:call(N, dbg, get_info, [])}.`
    t.equal(await run(source), '{true,[]}')
  })
}

/** etop takes none that it would have to ask for. */
const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
