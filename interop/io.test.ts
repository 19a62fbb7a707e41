/** I/O servers in TypeScript: what Erlang's `io` and Elixir's `IO` print on them and read from them, beside a file of the BEAM. */
import t, { type Test } from 'tap'
import { encode } from '../src/etf/index.js'
import { any, atom, ErlangError, format, match, type NodeProcess, type Pid, type Term, text, type Tuple, tuple } from '../src/index.js'
import { genServer, type IoDevice, ioServer, reply, type ServerProcess, supervisor } from '../src/otp/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, type Pair, patience, startNode } from './support/pair.js'

const erlang = String.raw`
-module(device).
-export([reading/1, kept/1, written/1]).

%% A file with that text, open for reading.
reading(Text) ->
    Name = name(),
    ok = file:write_file(Name, Text),
    {ok, Device} = file:open(Name, [read, {encoding, utf8}]),
    ok = file:delete(Name),
    Device.

%% A file ends with its owner: one whose owner stays.
kept(Text) ->
    Me = self(),
    spawn(fun() -> Me ! {device, reading(Text)}, receive stop -> ok end end),
    receive {device, Device} -> Device end.

%% What a program prints on a file.
written(Print) ->
    Name = name(),
    {ok, Device} = file:open(Name, [write, {encoding, utf8}]),
    Answer = Print(Device),
    ok = file:close(Device),
    {ok, Text} = file:read_file(Name),
    ok = file:delete(Name),
    {Answer, Text}.

name() -> filename:join("/tmp", "beamlet_io_" ++ os:getpid() ++ "_" ++ integer_to_list(erlang:unique_integer([positive]))).
`

/** Programs that read from `D`, and what there is to read. */
const reads: Record<string, [text: string, program: string]> = {
  'get_line': ['one\ntwo\r\nthr\u00e9\u20ac\n\nlast', `[io:get_line(D, '') || _ <- lists:seq(1, 7)]`],
  'get_chars': ['h\u00e9\u20acllo w\u00f6rld', `[io:get_chars(D, '', N) || N <- [1, 2, 3, 0, 100, 1, 1]]`],
  'lines and characters': ['one\ntwo\nthree\n', `[io:get_chars(D, '', 2), io:get_line(D, ''), io:get_chars(D, '', 5), io:get_line(D, ''), io:get_line(D, '')]`],
  'binaries': ['one\nh\u00e9\u20ac\nmore', `{io:setopts(D, [binary]), io:get_line(D, ''), io:get_line(D, ''), io:get_chars(D, '', 2), io:setopts(D, [list]), io:get_line(D, '')}`],
  'read': ['{ok, "t\u00e9xt", <<"b">>, 1.5, $a, -3, \'An Atom\', #{a => [1|b]}}.\nnext. third . %% comment\n16#ff. 1_000. "a" "b". "\\x{20ac}\\n\\101\\^a".\n\n fun lists:map/2.\n1.0e3.\n',
    `[io:read(D, '') || _ <- lists:seq(1, 10)]`],
  'read over lines': ['{a,\n\n %% c\n  b}.\n[1,\n 2', `{io:read(D, '', 7), io:read(D, '', 1)}`],
  'read with columns': ['{a,\n b}.  c.\n', `{io:read(D, '', {1, 1}), io:read(D, '', {3, 5}), io:read(D, '', {1, 1})}`],
  'read what is no term': ['{a, b.\nok.\nX.\n1 2.\nend.\n', `[case io:read(D, '') of {error, _} -> error; T -> T end || _ <- lists:seq(1, 6)]`],
  'forms and expressions': ['f(X) when X > 1, X =/= 2 -> {[Y || Y <- X], X#r.a, fun() -> ok end, "s", <<1:8>>, a:b(), not true};\nf(_) -> maybe_ok.\nA = 1, B.\n', `{io:parse_erl_form(D, ''), io:parse_erl_exprs(D, ''), io:parse_erl_form(D, '')}`],
  'scanned': ['foo(X, "y") -> 1.5.\n', `{io:scan_erl_exprs(D, ''), io:scan_erl_form(D, '')}`],
  'fread': ['12 abc 3.5 rest\n', `{io:fread(D, '', "~d ~a ~f ~s"), io:fread(D, '', "~d")}`],
  'fread over lines': ['1\n2 3\n4 5 6\nabc def\n', `{io:fread(D, '', "~d~d"), io:fread(D, '', "~d ~d"), io:fread(D, '', "~d"), io:fread(D, '', "~d"), io:fread(D, '', "~s~l~s"), io:fread(D, '', "~s")}`],
  'fread of every kind': ['-12 ff 16#1f +7 -x h\u00e9 \u20acu ~ ab c101 1.5e3 0x\n', `{io:fread(D, '', "~d ~16u ~# ~-~d ~-x ~s ~ts ~~ ~2c ~*c~3d ~f ~c"), io:fread(D, '', "~c")}`],
  'fread that fails': ['abc\n12x\n1 2\n\u20ac\nxy\nq\n1.\n', `[io:fread(D, '', F) || F <- ["~d", "~d y", "~d~d~d", "~s", "x~dy", "~q", "~f", "~d"]]`],
  'eof': ['', `{io:get_line(D, ''), io:get_chars(D, '', 3), io:read(D, ''), io:fread(D, '', "~d"), io:parse_erl_exprs(D, '')}`],
} // prettier-ignore

/** Programs that print on `D`. */
const prints: Record<string, string> = {
  'put_chars': `[io:put_chars(D, C) || C <- ["list", <<"binary">>, ["deep", [<<"er">>], $!], [233, 8364], <<"h\\303\\251"/utf8>>, "", <<"\\n">>]]`,
  'format': `[io:format(D, F, A) || {F, A} <- [{"~p ~s ~w~n", [{a, b}, "text", "text"]}, {"~ts~n", [[8364]]}, {<<"~b">>, [1]}, {"~p~n", [lists:seq(1, 60)]}, {"plain", []}]]`,
  'write and nl': `{io:write(D, {a, "b", [8364]}), io:nl(D), io:fwrite(D, "~tp", ["\\x{20ac}"])}`,
  'what cannot be printed': `[try F() catch error:E -> E end || F <- [fun() -> io:format(D, "~b", [x]) end, fun() -> io:format(D, "~s", [[8364]]) end]]`,
  'the protocol itself': `Ask = fun(R) -> D ! {io_request, self(), x, R}, receive {io_reply, x, A} -> A end end,
     [Ask(R) || R <- [{put_chars, "old"}, {put_chars, io_lib, format, ["~w", [a]]}, {put_chars, latin1, <<233>>}, {put_chars, latin1, [233]}, {put_chars, unicode, io_lib, write, [x]},
       {put_chars, unicode, nobody, here, []}, {put_chars, unicode, io_lib, format, [1]}, {requests, [{put_chars, unicode, "a"}, {put_chars, unicode, "b"}]}, {requests, []},
       {put_chars, latin1, io_lib, format, ["~ts", [[233]]]}]]`,
} // prettier-ignore

t.test('I/O servers', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: erlang, elixir: true, args: ['+pc', 'unicode'] })
    beam.expectLog(/printer/) // which the test lets crash
    await using node = await startNode(beam, { floats: 'exact' })
    node.on('crash', () => {})
    await node.connect(beam.name)
    const pair: Pair = { beam, node, evaluate: evaluator(beam, node) }
    await t.test('Erlang reads as from a file', t => reading(t, pair))
    await t.test('Erlang prints as on a file', t => printing(t, pair))
    await t.test('every request gets one answer', t => answers(t, pair))
    await t.test('who waits for input holds up nobody who prints', t => waiting(t, pair))
    await t.test('a server that ends is terminated for its clients', t => ends(t, pair))
    await t.test('Elixir prints and reads', t => elixir(t, pair))
    await t.test('TypeScript prints and reads on devices of the BEAM', t => client(t, pair))
    await t.test('a device that is not there, or does not answer', t => gone(t, pair))
    await t.test('what a process prints comes out at its group leader', t => leaders(t, pair))
  })
})

const device = ({ node }: Pair, given: string, printed: string[] = []): Pid =>
  node.spawn(ioServer({ input: (async function* () { yield* given.match(/[\s\S]{1,3}/gu) ?? [] })(), output: text => printed.push(text) })) // prettier-ignore

async function reading(t: Test, pair: Pair): Promise<void> {
  for (const [name, [given, program]] of Object.entries(reads)) {
    const theirs = await pair.evaluate(`D = device:reading(Text), ${program}.`, { Text: given })
    const ours = await pair.evaluate(`${program}.`, { D: device(pair, given) })
    t.equal(format(ours), format(theirs), name)
  }
}

async function printing(t: Test, pair: Pair): Promise<void> {
  for (const [name, program] of Object.entries(prints)) {
    const theirs = (await pair.evaluate(`device:written(fun(D) -> ${program} end).`)) as Term & { elements: [Term, Buffer] }
    const printed: string[] = []
    const ours = await pair.evaluate(`${program}.`, { D: device(pair, '', printed) })
    t.equal(format(ours), format(theirs.elements[0]), name)
    t.equal(printed.join(''), text(theirs.elements[1]), `${name}: the same text`)
  }
}

/** Asks as `io` does, on a device `D`. */
const asking =
  'Ask = fun(R) -> M = monitor(process, D), D ! {io_request, self(), M, R}, receive {io_reply, M, A} -> A; {_, M, _, _, W} -> W end end,'

async function answers(t: Test, { node, evaluate }: Pair): Promise<void> {
  const start = (device: IoDevice): Pid => node.spawn(ioServer(device))
  const plain = start({ output: () => {} })
  const ask = async (requests: string, D = plain): Promise<string> =>
    format(await evaluate(`${asking} [Ask(R) || R <- [${requests}]].`, { D }))
  t.equal(
    await ask(
      'getopts, {setopts, [binary, {encoding, latin1}, {echo, false}]}, getopts, {setopts, [list, unicode]}, {setopts, [{no, such}]}, {setopts, x}',
    ),
    '[[{binary,false},{encoding,unicode}],ok,[{binary,true},{encoding,latin1}],ok,{error,enotsup},{error,request}]',
  )
  t.equal(
    await ask(
      "nonsense, {put_chars}, {get_until, unicode, '', lists, reverse, []}, {get_until, unicode, '', erl_scan, tokens, [x]}, {get_chars, unicode, '', -1}, {get_chars, unicode, '', x}, {requests, x}",
    ),
    '[{error,request},{error,request},{error,reverse},{error,tokens},{error,collect_chars},{error,collect_chars},{error,request}]',
  )
  t.equal(await ask("get_password, {get_password, unicode}, {get_geometry, columns}, {get_geometry, rows}, {get_geometry, depth}"),
    '[{error,enotsup},{error,enotsup},{error,enotsup},{error,enotsup},{error,enotsup}]') // prettier-ignore
  t.equal(
    await ask('{get_geometry, columns}, {get_geometry, rows}', start({ columns: 120, rows: () => 40 })),
    '"x("',
    '120 columns, 40 rows',
  )
  t.equal(await ask("{requests, [{put_chars, unicode, \"a\"}, {get_line, unicode, ''}, {put_chars, unicode, \"b\"}]}, {requests, [getopts, {put_chars, unicode, \"c\"}]}"),
    '[eof,[{binary,false},{encoding,unicode}]]', 'as in OTP, only what prints is followed by others') // prettier-ignore
  const full = Object.assign(new Error('full'), { code: 'ENOSPC' })
  t.equal(await ask('{put_chars, unicode, "a"}', start({ output: () => Promise.reject(full) })), '[{error,enospc}]')
  t.equal(await ask('{put_chars, unicode, "a"}', start({ output: () => { throw new Error('no') } })), '[{error,put_chars}]') // prettier-ignore
  t.equal(await ask('{put_chars, unicode, "a"}', start({ output: { on() {}, write: (_, done) => done(full) } })), '[{error,enospc}]')
  const broken = (async function* (): AsyncGenerator<string> { yield 'a'; throw Object.assign(new Error('gone'), { code: 'EIO' }) })() // prettier-ignore
  t.equal(await ask("{get_line, unicode, ''}, {get_line, unicode, ''}", start({ input: broken })), '[{error,eio},"a"]')
  t.equal(await ask("{get_line, latin1, ''}, {get_line, latin1, ''}", start({ input: (async function* () { yield 'é\n€\n' })() })), '["é\\n",{error,{no_translation,unicode,latin1}}]') // prettier-ignore
  const latin1: string[] = []
  await ask('{setopts, [latin1]}, {put_chars, unicode, [233, 8364]}', start({ output: text => latin1.push(text) }))
  t.equal(latin1.join(''), 'é\\x{20AC}')
}

/** `opened` resolves when `open` is called. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => {}
  const opened = new Promise<void>(resolve => (open = resolve))
  return { open: () => open(), opened }
}

/** Input that comes when it is told to. */
function lines(): { input: AsyncIterable<string>; give: (line: string) => void } {
  const { readable, writable } = new TransformStream<string, string>(undefined, undefined, { highWaterMark: 100 })
  const writer = writable.getWriter()
  return { input: readable as unknown as AsyncIterable<string>, give: line => void writer.write(line) }
}

async function waiting(t: Test, { node, evaluate }: Pair): Promise<void> {
  const { input, give } = lines()
  const printed: string[] = []
  const asked = gate()
  const output = (text: string): void => void (printed.push(text), text === 'name? ' && asked.open())
  const D = node.spawn(ioServer({ input, output }))
  const first = evaluate('io:get_line(D, "name? ").', { D })
  await asked.opened
  const second = evaluate('io:get_line(D, "again? ").', { D })
  t.equal(await evaluate('io:format(D, "~w", [printed]).', { D }), atom('ok'), 'it printed while another waited')
  give('Joe\n')
  t.equal(text(await first), 'Joe\n')
  give('Robert\n')
  t.equal(text(await second), 'Robert\n')
  t.strictSame(printed, ['name? ', 'printed', 'again? '])
  const both = evaluate(`
    [D ! {io_request, self(), N, R} || {N, R} <- [{1, {get_line, unicode, ''}}, {2, {setopts, [binary]}}, {3, {get_line, unicode, ''}}, {4, getopts}]],
    [receive {io_reply, N, A} -> A end || N <- [1, 2, 3, 4]].`, { D }) // prettier-ignore
  give('list\nbinary\n')
  t.equal(
    format(await both),
    '["list\\n",ok,<<"binary\\n">>,[{binary,true},{encoding,unicode}]]',
    'what waits behind a read comes after it',
  )
}

async function ends(t: Test, { node, evaluate }: Pair): Promise<void> {
  const { input } = lines()
  const asked = gate()
  const D = node.spawn(ioServer({ input, output: text => void (text === '> ' && asked.open()) }))
  const answer = evaluate(`io:get_line(D, "> ").`, { D })
  await asked.opened
  node.exit(D, atom('kill'))
  t.equal(format(await answer), '{error,terminated}')
  t.equal(
    format(await evaluate(`{try io:format(D, "x", []) catch error:E -> E end, io:get_line(D, '')}.`, { D })),
    '{terminated,{error,terminated}}',
  )
}

async function elixir(t: Test, { beam, node }: Pair): Promise<void> {
  const printed: string[] = []
  const d = node.spawn(ioServer({ input: (async function* () { yield 'first\nsécond\nthird' })(), binary: true, output: text => printed.push(text) })) // prettier-ignore
  const program = `
    IO.puts(d, "héllo €")
    IO.write(d, ["a", ?b, "c\\n"])
    IO.inspect(d, %{a: [1, 2.5]}, label: "seen")
    {IO.gets(d, "? "), IO.gets(d, ""), IO.read(d, :line), IO.read(d, :line), IO.stream(d, :line) |> Enum.to_list()}`
  t.equal(format(await beam.elixir(program, { bindings: { d } })), '{<<"first\\n">>,<<"sécond\\n"/utf8>>,<<"third">>,eof,[]}')
  t.equal(printed.join(''), 'héllo €\nabc\nseen: %{a: [1, 2.5]}\n? ')
}

/** A device of Elixir, whose owner lives as long as the node. */
const stringIo = async (beam: Beam, input: string): Promise<Pid> =>
  (await beam.elixir(`
    me = self()
    spawn(fn -> {:ok, d} = StringIO.open("${input}"); send(me, {:opened, d}); Process.sleep(:infinity) end)
    receive do {:opened, d} -> d end`)) as Pid

async function client(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const D = await stringIo(beam, 'a line\nsécond\nrest')
  await node.run(async self => {
    self.groupLeader = D
    await self.io.putChars('héllo €\n')
    await self.io.format('~p ~ts~n', [tuple(atom('a'), [1, 2]), 'bin€'])
    await self.io.write([tuple(), 'x'])
    await self.io.nl()
    t.equal(await self.io.getLine(), 'a line\n')
    t.equal(await self.io.getLine(), 'sécond\n')
    t.equal(await self.io.getChars('', 2), 're')
    t.equal(await self.io.getLine(), 'st')
    t.equal(await self.io.getLine(), null)
    t.equal(await self.io.columns(), undefined)
    await self.io.setopts([tuple(atom('encoding'), atom('latin1'))])
  })
  const contents = await evaluate("element(2, 'Elixir.StringIO':contents(D)).", { D })
  t.equal(text(contents), 'héllo €\n{a,[1,2]} bin€\n[{},<<120>>]\n')
  const device = (await evaluate(`device:kept(<<"{ok, \\"text\\", [1.5, 'A b', <<1>>]}. X. end_of_it. "/utf8>>).`)) as Pid
  t.equal(format(await node.io.read('', { device })), '{ok,"text",[1.5,\'A b\',<<1>>]}')
  await t.rejects(node.io.read('', { device }), { code: 'ERR_TERM_SYNTAX' })
  t.equal(await node.io.read('', { device }), atom('end_of_it'))
  t.equal(await node.io.read('', { device }), null)
  await t.rejects(node.io.format('~b', [atom('x')], { device }), { code: 'ERR_IO' })
  t.match(format(await node.io.getopts({ device: { name: 'user', node: beam.name } })), /encoding/)
}

async function gone(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const dead = (await evaluate('P = spawn(fun() -> ok end), M = monitor(process, P), receive {_, M, _, _, _} -> P end.')) as Pid
  const mute = (await evaluate('spawn(fun() -> receive stop -> ok end end).')) as Pid
  await t.rejects(node.io.putChars('x', { device: dead }), { code: 'ERR_IO_TERMINATED', reason: atom('terminated') })
  await t.rejects(node.io.putChars('x', { device: { name: 'nobody', node: beam.name } }), { code: 'ERR_IO_TERMINATED' })
  await t.rejects(node.io.putChars('x', { device: 'nobody' }), { code: 'ERR_NOT_REGISTERED' })
  await t.rejects(node.io.putChars('x', { device: mute, timeout: 10 }), { code: 'ERR_TIMEOUT' })
  const stop = new AbortController()
  const aborted = node.io.getLine('', { device: mute, signal: stop.signal })
  stop.abort(new Error('enough'))
  await t.rejects(aborted, { message: 'enough' })
  const waits = node.io.getLine('', { device: mute })
  node.send(mute, atom('stop'))
  await t.rejects(waits, { code: 'ERR_IO_TERMINATED' })
  await node.run(async self => t.rejects(self.io.putChars('x', { device: self.pid }), { code: 'ERR_IO', reason: atom('calling_self') }))
}

async function leaders(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await node.code.load('hello', hello)
  const G = await stringIo(beam, '')
  /** Runs a program with the group leader `G`, and gives what was printed there. */
  const run = async (program: string): Promise<string> =>
    text(await evaluate(`group_leader(G, self()), ${program}, 'Elixir.StringIO':flush(G).`, { G }))
  t.equal(await run('ok = rpc:call(Ts, hello, hello, [])'), 'hello\n', 'rpc:call')
  t.equal(await run('ok = erpc:call(Ts, hello, hello, [])'), 'hello\n', 'erpc:call')
  t.equal(await run('ok = rpc:block_call(Ts, hello, hello, [])'), 'hello\n', 'rpc:block_call')
  t.equal(await run('ok = rpc:call(Ts, hello, child, [])'), 'child\n', 'what that spawns')
  t.equal(await run("{_, M} = spawn_monitor(Ts, hello, hello, []), receive {'DOWN', M, _, _, normal} -> ok end"), 'hello\n', 'spawn')
  const say = 'Say = fun(W) -> Pid ! {self(), W}, receive said -> ok end end'
  const moved = `Pid = spawn(Ts, hello, loop, []), ${say}, Say(<<"one">>), group_leader(U, Pid), Say(<<"two">>), group_leader(G, Pid), Say(<<"three">>), exit(Pid, kill)`
  const other = await stringIo(beam, '')
  t.equal(
    await run(moved.replace('(U,', `(binary_to_term(<<${[...encode(other)].join()}>>),`)),
    'one\nthree\n',
    'group_leader/2 of Erlang for a process of ours',
  )
  const tree = `
    Tree = spawn(Ts, hello, tree, [self()]), receive up -> ok end, Call = fun(R) -> gen_server:call({printer, Ts}, R) end, ok = Call({say, <<"x">>}),
    P = Call(pid), M = monitor(process, P), gen_server:cast({printer, Ts}, crash), receive {'DOWN', M, _, _, _} -> ok end,
    ok = (fun F() -> try Call({say, <<"y">>}) catch exit:_ -> F() end end)(), exit(Tree, shutdown)`
  t.equal(await run(tree), 'started\nx\nstarted\ny\n', "a supervisor's children, restarted ones too")

  const printed: string[] = []
  const device = node.spawn(ioServer({ output: text => printed.push(text) }))
  await evaluate(
    `group_leader(D, self()), io:format("mine~n"), M = element(2, spawn_monitor(fun() -> io:put_chars("child €") end)), receive {_, M, _, _, normal} -> ok end.`,
    { D: device },
  )
  t.equal(printed.splice(0).join(''), 'mine\nchild €', 'a process of Erlang whose group leader is here')
  const far = (await evaluate(
    'spawn(fun F() -> receive {From, stop} -> From ! stopped; {From, Word} -> io:format("~ts", [Word]), From ! said, F() end end).',
  )) as Pid
  await node.run(async self => {
    self.setGroupLeader(device, far)
    for (const word of ['set', 'stop']) {
      self.send(far, tuple(self.pid, word === 'stop' ? atom('stop') : word))
      await self.receive(undefined, { timeout: patience })
    }
    self.groupLeader = device
    const [pid, ref] = self.spawnMonitor(child => child.io.putChars(' inherited'))
    await self.receive(match([atom('DOWN'), ref, any, pid, any]), { timeout: patience })
  })
  t.equal(printed.join(''), 'set inherited', 'set from TypeScript, for both')
}

const say = (self: NodeProcess, word: string): Promise<void> => self.io.format('~ts~n', [word])

const printer = genServer({
  async init(this: ServerProcess) {
    await say(this as unknown as NodeProcess, 'started')
    return null
  },
  call: {
    pid(this: ServerProcess) {
      return reply(this.pid, null)
    },
    async say(this: ServerProcess, _state, word: Buffer) {
      await say(this as unknown as NodeProcess, String(word))
      return reply(atom('ok'), null)
    },
  },
  cast: {
    crash() {
      throw new ErlangError(atom('crash'))
    },
  },
})

/** The module `hello` of the TypeScript node */
const hello = {
  async hello(this: NodeProcess) {
    await say(this, 'hello')
    return atom('ok')
  },
  async child(this: NodeProcess) {
    const [pid, ref] = this.spawnMonitor(self => say(self, 'child'))
    await this.receive(match([atom('DOWN'), ref, any, pid, any]))
    return atom('ok')
  },
  async tree(this: NodeProcess, starter: Pid) {
    await this.startLink(supervisor({ intensity: 3, children: [{ id: 'printer', start: printer, name: 'printer' }] }))
    this.send(starter, atom('up'))
    await this.receive()
  },
  async loop(this: NodeProcess) {
    for await (const message of this) {
      const [from, word] = (message as Tuple).elements as readonly [Pid, Term]
      await say(this, text(word))
      this.send(from, atom('said'))
    }
  },
}
