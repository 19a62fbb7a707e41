/** The gen protocol in both directions: calls, casts, and all the ways in which a call can fail. */
import t, { type Test } from 'tap'
import { any, atom, type ImproperList, isPid, match, type Pid, type Reference, type Term, tuple } from '../src/index.js'
import { genServer, noreply, reply, stop } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { eachWay, next, type Pair } from './support/pair.js'

/** The TypeScript server */
const counter = genServer({
  init: (start: number) => start,
  call: {
    add: (n, by: number) => reply(n + by, n + by),
    get: n => reply(n, n),
    later(n) {
      const from = this.from<number>()
      setImmediate(() => from.reply(n))
      return noreply(n, from)
    },
    never: n => noreply<number, never>(n),
    finish: n => stop(atom('done'), n, atom('bye')),
    leave: n => stop(atom('left'), n),
    fail() {
      throw new RangeError('too far')
    },
  },
  cast: { reset: () => 0 },
  info: (n, message) => (typeof message === 'number' ? n + message : n),
})

/** The Erlang server: `keep` is answered when somebody asks it to `answer`. */
const server = String.raw`
-module(server).
-behaviour(gen_server).
-export([start/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).

start(Name) -> {ok, Pid} = gen_server:start({local, Name}, ?MODULE, 0, []), Pid.
init(N) -> {ok, {N, []}}.
handle_call({add, By}, _, {N, Kept}) -> {reply, N + By, {N + By, Kept}};
handle_call({echo, Term}, _, State) -> {reply, Term, State};
handle_call(keep, From, {N, Kept}) -> {noreply, {N, [From | Kept]}};
handle_call(answer, _, {N, Kept}) -> {reply, [gen_server:reply(From, late) || From <- Kept], {N, []}};
handle_call(watchers, _, State) -> {reply, process_info(self(), monitored_by), State};
handle_call(disconnect, {Pid, _}, State) -> erlang:disconnect_node(node(Pid)), {noreply, State};
handle_call({stop, Reason}, _, State) -> {stop, Reason, stopped, State};
handle_call({exit, Reason}, _, _) -> exit(Reason);
handle_call(crash, _, _) -> error(crashed).
handle_cast({set, N}, {_, Kept}) -> {noreply, {N, Kept}}.
handle_info(By, {N, Kept}) -> {noreply, {N + By, Kept}}.
`

t.test('gen', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: server, elixir: true })
    await eachWay(t, beam, fromErlang)
    await eachWay(t, beam, toPlainProcess)
    await eachWay(t, beam, fromTypeScript)
    await beam.elixir(elixirServer)
    await eachWay(t, beam, elixir)
  })
})

/** How an expression ends: {value, Value}, or {exit, Reason} */
const ending = (expression: string): string => `try {value, ${expression}} catch Class:Reason -> {Class, Reason} end.`

async function fromErlang(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const start = async (): Promise<Pid> => (await node.start(counter, { args: [10], name: 'counter' })).pid
  const pid = await start()
  const to = atom(node.name)

  await t.test('Erlang calls and casts a TypeScript server', async t => {
    t.equal(await evaluate('net_adm:ping(Ts).'), atom('pong'))
    t.equal(await evaluate('gen_server:call({counter, Ts}, {add, 5}).'), 15)
    t.equal(await evaluate('gen_server:call(Pid, get).', { Pid: pid }), 15)
    t.equal(await evaluate('gen_server:call(Pid, get, infinity).', { Pid: pid }), 15)
    t.equal(await evaluate('gen_server:cast({counter, Ts}, reset), {counter, Ts} ! 7, gen_server:call({counter, Ts}, get).'), 7)
    t.equal(await evaluate('gen_server:call({counter, Ts}, later).'), 7, 'a reply that comes later')
    const requests =
      'Ids = [gen_server:send_request(Pid, {add, N}) || N <- [1, 2, 3]], [gen_server:receive_response(Id, 5000) || Id <- Ids].'
    t.strictSame(await evaluate(requests, { Pid: pid }), [8, 10, 13].map(sum => tuple(atom('reply'), sum))) // prettier-ignore
    t.strictSame(await evaluate('gen_server:multi_call([Ts], counter, get).'), tuple([tuple(to, 13)], []))
    t.strictSame(await evaluate('gen_server:multi_call([Ts], nobody, get).'), tuple([], [to]))
    t.equal(await evaluate('gen_statem:call({counter, Ts}, get, {dirty_timeout, 5000}).'), 13)
    t.equal(await evaluate('gen_statem:call({counter, Ts}, get, {clean_timeout, 5000}).'), 13)
    t.equal(await evaluate('gen_server:abcast([Ts], counter, reset), gen_server:call(Pid, get).', { Pid: pid }), 0)
  })

  await t.test('every shape of a tag comes back as it was', async t => {
    const monitor = 'monitor(process, Pid, [{alias, demonitor}])'
    for (const tag of ['tag', 'make_ref()', '{make_ref(), node()}', `[alias | ${monitor}]`, `[[alias | alias()] | ${monitor}]`]) {
      const source = `Tag = ${tag}, Pid ! {'$gen_call', {self(), Tag}, get}, receive {Tag, Reply} -> Reply end.`
      t.equal(await evaluate(source, { Pid: pid }), 0, tag)
    }
  })

  await t.test('how a call from Erlang fails', async t => {
    const failed = (reason: Term, ...args: readonly Term[]): Term =>
      tuple(atom('exit'), tuple(reason, tuple(atom('gen_server'), atom('call'), args)))
    const call = (request: string): Promise<Term> => evaluate(ending(`gen_server:call({counter, Ts}, ${request})`))
    const at = (name: string): Term => tuple(atom(name), to)
    t.strictSame(await evaluate(ending('gen_server:call({nobody, Ts}, get)')), failed(atom('noproc'), at('nobody'), atom('get')))
    const late = ending('gen_server:call({counter, Ts}, never, 50)')
    t.strictSame(await evaluate(late), failed(atom('timeout'), at('counter'), atom('never'), 50))
    t.strictSame(await call('finish'), tuple(atom('value'), atom('bye')), 'the reply comes before the end')
    t.strictSame(await call('get'), failed(atom('noproc'), at('counter'), atom('get')))
    await start()
    t.strictSame(await call('leave'), failed(atom('left'), at('counter'), atom('leave')))

    await start()
    const crash = new Promise(resolve => node.once('crash', (_, { error }) => resolve(error)))
    const reason = (await call('fail')) as ReturnType<typeof tuple>
    t.match(reason.elements[1], tuple(tuple(tuple(atom('RangeError'), Buffer.from('too far')))), 'the stack follows')
    t.match(await crash, { message: 'too far' })

    node.spawn(async self => {
      await next(self)
      node.disconnect(beam.name)
      await self.receive()
    }, { name: 'hangs' }) // prettier-ignore
    const lost = await evaluate(ending('gen_server:call({hangs, Ts}, get)'))
    t.strictSame(lost, failed(tuple(atom('nodedown'), to), at('hangs'), atom('get')))
    t.equal(await evaluate('net_adm:ping(Ts).'), atom('pong'), 'the next connects again')
  })
}

async function toPlainProcess(t: Test, { node, evaluate }: Pair): Promise<void> {
  const isCall = match([atom('$gen_call'), [isPid, any], any])

  await t.test('a TypeScript process that speaks the protocol answers gen_server:call', async t => {
    const pid = node.spawn(async self => {
      for (;;) {
        const [, from, request] = (await self.receive(isCall)).elements
        const [, tag] = from.elements
        // The tag of a call holds the alias that takes the reply.
        self.send((tag as ImproperList).tail as Reference, tuple(tag, tuple(atom('you said'), request)))
      }
    })
    t.strictSame(await evaluate('gen_server:call(Pid, [hello]).', { Pid: pid }), tuple(atom('you said'), [atom('hello')]))
  })

  await t.test('a reply that is late never arrives', async t => {
    node.spawn(async self => {
      const [, from] = (await self.receive(isCall)).elements
      const [, tag] = from.elements
      const asks = await self.receive(isPid)
      self.send((tag as ImproperList).tail as Reference, tuple(tag, atom('late')))
      self.send(asks, atom('answered'))
    }, { name: 'slow' }) // prettier-ignore
    const source = `{'EXIT', {timeout, _}} = (catch gen_server:call({slow, Ts}, get, 20)),
      {slow, Ts} ! self(), receive answered -> process_info(self(), messages) end.`
    t.strictSame(await evaluate(source), tuple(atom('messages'), []))
  })
}

async function fromTypeScript(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const start = async (): Promise<Pid> => (await evaluate('server:start(server).')) as Pid
  const server = { name: 'server', node: beam.name }
  const pid = await start()

  await t.test('TypeScript calls and casts an Erlang server', async t => {
    t.equal(await node.call(server, tuple(atom('add'), 5)), 5)
    t.equal(await node.call(pid, tuple(atom('add'), 5)), 10)
    node.cast(server, tuple(atom('set'), 100))
    node.send(pid, 1)
    t.equal(await node.call(server, tuple(atom('add'), 0)), 101)
    const typed = node.ref<typeof counter>(server)
    t.equal(await typed.call('add', 1), 102)
    t.strictSame(await node.call(pid, tuple(atom('echo'), { text: 'a map' })), new Map([[atom('text'), Buffer.from('a map')]]))
    await node.run(async self => {
      const replies = await Promise.all(Array.from({ length: 100 }, (_, index) => self.call(pid, tuple(atom('echo'), index))))
      t.strictSame(replies, Array.from({ length: 100 }, (_, index) => index), 'a hundred at once') // prettier-ignore
    })
  })

  await t.test('how a call from TypeScript fails', async t => {
    beam.expectLog(/Generic server server|initial call: server:init/)
    await t.rejects(node.call({ name: 'nobody', node: beam.name }, atom('get')), { code: 'ERR_EXIT', reason: atom('noproc') })
    await t.rejects(node.call({ name: 'any', node: 'nobody@127.0.0.1' }, atom('get')), { code: 'ERR_EXIT', reason: atom('noconnection') })
    t.equal(await node.call(pid, tuple(atom('stop'), atom('normal'))), atom('stopped'), 'the reply comes before the end')
    await t.rejects(node.call(pid, atom('get')), { code: 'ERR_EXIT', reason: atom('noproc') })
    await start()
    await t.rejects(node.call(server, tuple(atom('exit'), atom('oops'))), { code: 'ERR_EXIT', reason: atom('oops') })
    await start()
    await t.rejects(node.call(server, atom('crash')), { code: 'ERR_EXIT', reason: tuple(atom('crashed')) })
    await start()
    await t.rejects(node.call(server, atom('disconnect')), { code: 'ERR_EXIT', reason: atom('noconnection') })
    const gone = node.call(server, atom('keep'))
    await node.call(server, tuple(atom('add'), 1))
    node.disconnect(beam.name)
    await t.rejects(gone, { code: 'ERR_EXIT', reason: atom('noconnection') })
  })

  await t.test('after a timeout or an abort the late reply never arrives', async t => {
    await node.run(async self => {
      await t.rejects(self.call(server, atom('keep'), { timeout: 20 }), { code: 'ERR_TIMEOUT' })
      const abort = new AbortController()
      const aborted = self.call(server, atom('keep'), { signal: abort.signal })
      await self.call(server, tuple(atom('add'), 1))
      abort.abort(new Error('enough'))
      await t.rejects(aborted, /enough/)
      t.strictSame(await self.call(server, atom('answer')), [atom('ok'), atom('ok'), atom('ok')], 'the one above was kept, too')
      t.equal(self.poll(), undefined)
      t.strictSame(await self.call(server, atom('watchers')), tuple(atom('monitored_by'), [self.pid]), 'only this call watches it')
      t.equal(node.stats().aliases, 0)
      await self.call(server, tuple(atom('stop'), atom('normal')))
    })
  })
}

const elixirServer = `
  defmodule Adder do
    use GenServer
    def init(n), do: {:ok, n}
    def handle_call({:add, by}, _from, n), do: {:reply, n + by, n + by}
    def handle_call({:echo, term}, _from, n), do: {:reply, term, n}
    def handle_cast(:reset, _n), do: {:noreply, 0}
  end
  {:ok, _} = GenServer.start(Adder, 40, name: Adder)`

async function elixir(t: Test, { beam, node }: Pair): Promise<void> {
  const run = (source: string): Promise<Term> => beam.elixir(source, { bindings: { ts: atom(node.name) } })

  await t.test('Elixir calls a TypeScript server', async t => {
    await node.start(counter, { args: [1], name: 'counter' })
    t.equal(await run('Node.ping(ts)'), atom('pong'))
    t.equal(await run('GenServer.call({:counter, ts}, {:add, 5})'), 6)
    t.equal(await run('GenServer.cast({:counter, ts}, :reset); GenServer.call({:counter, ts}, :get)'), 0)
    t.strictSame(await run('GenServer.multi_call([ts], :counter, :get)'), tuple([tuple(atom(node.name), 0)], []))
    t.strictSame(
      await run('try do GenServer.call({:nobody, ts}, :get) catch :exit, {reason, {GenServer, :call, _}} -> reason end'),
      atom('noproc'),
    )
  })

  await t.test('TypeScript calls an Elixir server', async t => {
    const adder = { name: 'Elixir.Adder', node: beam.name }
    node.cast(adder, atom('reset'))
    t.equal(await node.call(adder, tuple(atom('add'), 2)), 2)
    const struct = await run('%{URI.parse("http://host/path") | port: nil}')
    t.strictSame(await node.call(adder, tuple(atom('echo'), struct)), struct)
  })
}
