/** `{global, Name}` names a server of the whole cluster, wherever it runs and whoever calls it: what OTP's gen does with it. */
import t, { type Test } from 'tap'
import { atom, format, type GlobalName, type Node, type Pid, type Sendable, type Term, tuple } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eventHandler, genEvent, genServer, genStatem, keep, next, reply, supervisor } from 'beamlet/otp'
import { eachOtp } from './support/each-otp.js'
import { counter as placed } from './support/placed/counter.mjs'
import { evaluator, startNode } from './support/places.js'

const program = String.raw`
-module(till).
-behaviour(gen_server).
-compile([export_all, nowarn_export_all]).
init(N) -> {ok, N}.
handle_call(get, _, N) -> {reply, N, N};
handle_call({add, By}, _, N) -> {reply, N + By, N + By}.
handle_cast(reset, _) -> {noreply, 0}.
why(F) -> try F() catch exit:{Why, _} -> Why end.
`

const counter = genServer({
  init: (n: number) => n,
  call: { get: n => reply(n, n), add: (n, by: number) => reply(n + by, n + by), crash: () => Promise.reject(new Error('crash')) },
  cast: { reset: () => 0 },
})

type Evaluate = (source: string, bindings?: Readonly<Record<string, Sendable>>) => Promise<Term>

t.test('servers with global names', async t => {
  const suite = async (t: Test, { start }: { readonly start: (options: object) => Promise<Beam> }): Promise<void> => {
    const beam = await start({ code: program })
    await using node = await startNode(beam, { hidden: false, schedulers: { count: 1 } })
    node.on('crash', () => {})
    node.on('placedown', () => {})
    await node.connect(beam.name)
    await node.global.sync()
    const evaluate = evaluator(beam, node)
    await erlangs(t, node, evaluate)
    await ours(t, node, evaluate)
    await supervised(t, node, evaluate)
    await elsewhere(t, node, evaluate)
  }
  await eachOtp<Beam>(t, suite as never, startBeam)
})

/** Calls go by pid, so a name that another node has just given may take a moment to be known here. */
async function known(node: Node, name: Sendable): Promise<Pid> {
  for (;;) {
    const pid = node.global.whereis(name)
    if (pid) return pid
    await node.global.sync()
  }
}

async function erlangs(t: Test, node: Node, evaluate: Evaluate): Promise<void> {
  await t.test("Erlang's server is called and cast to by its global name", async t => {
    const till: GlobalName = { global: atom('till') }
    await t.rejects(node.call(till, atom('get')), { message: /noproc/ })
    node.cast(till, atom('reset'))
    t.throws(() => node.ref(till).pid, { code: 'ERR_NOPROC' })
    const pid = (await evaluate('{ok, P} = gen_server:start({global, till}, till, 7, []), P.')) as Pid
    await known(node, atom('till'))
    t.equal(format(node.ref(till).pid), format(pid))
    t.equal(await node.call(till, tuple(atom('add'), 3)), 10)
    const ref = node.ref<typeof counter>(till)
    ref.cast('reset')
    t.equal(await ref.call('add', 2), 2)
    await node.run(async self => t.equal(await self.receiveResponse(self.sendRequest(till, atom('get'))), 2))
    await t.rejects(node.start(counter, { args: [1], name: till }), { code: 'ERR_NAME_TAKEN' })
    await evaluate('exit(global:whereis_name(till), kill).')
  })
}

async function ours(t: Test, node: Node, evaluate: Evaluate): Promise<void> {
  const behaviours = {
    'a genServer': (name: GlobalName) => node.start(counter, { args: [1], name }),
    'a genStatem': (name: GlobalName) =>
      node.start(genStatem({ init: () => next('idle', 0), states: { idle: { call: { get: n => reply(1, keep(n)) } } } }), { name }),
  }
  for (const [what, start] of Object.entries(behaviours)) {
    await t.test(`${what} of ours is called by its global name`, async t => {
      const name = { global: tuple(atom('shop'), what) }
      const { pid } = await start(name)
      const bindings = { Name: name.global, Pid: pid }
      const told = `{gen_server:call({global, Name}, get), global:whereis_name(Name) =:= Pid, gen_server:start({global, Name}, till, 0, []) =:= {error, {already_started, Pid}},
        [V || {status, _, _, [_, _, _, _, Misc]} <- [sys:get_status({global, Name})], {header, V} <- Misc] =/= []}.`
      t.equal(format(await evaluate(told, bindings)), '{1,true,true,true}')
      const gone = `R = monitor(process, Pid), sys:terminate(Pid, normal), receive {'DOWN', R, _, _, W} -> W end,
        {W, till:why(fun() -> gen_server:call({global, Name}, get) end), gen_server:cast({global, Name}, reset)}.`
      t.match(format(await evaluate(gone, bindings)), /^\{normal,(noproc|normal),ok\}$/)
      await start(name)
    })
  }
  await t.test('an event manager and a supervisor are had by their global names', async t => {
    const handlers = { seen: eventHandler({ init: () => 0, handleEvent: (_, n) => n + 1, call: { get: n => reply(n, n) } }) }
    const name = { global: 'events' }
    await node.start(genEvent({ handlers }), { name } as never)
    const events = node.eventRef(name)
    await events.addHandler('seen' as never, [] as never)
    events.notify(atom('one'))
    t.equal(
      format(await evaluate('ok = gen_event:sync_notify({global, <<"events">>}, two), gen_event:call({global, <<"events">>}, seen, get).')),
      '2',
    )
    await events.stop()
    await node.start(supervisor({ children: [{ id: 'c', start: counter, args: [5] as [number] }] }), { name: { global: 'sup' } })
    t.equal((await node.supervisorRef({ global: 'sup' }).whichChildren()).length, 1)
    t.equal(format(await evaluate('supervisor:count_children({global, <<"sup">>}).')), '[{specs,1},{active,1},{supervisors,0},{workers,1}]')
  })
}

async function supervised(t: Test, node: Node, evaluate: Evaluate): Promise<void> {
  await t.test('a child has its global name again when it is started again', async t => {
    const child = { id: 'c', start: counter, args: [5] as [number], name: { global: 'child' } }
    const sup = await node.start(supervisor({ children: [child] }))
    t.match(
      await sup.startChild({ ...child, id: 'd' }).catch((error: { reason: Term }) => format(error.reason)),
      /^\{already_started,<[\d.]+>\}$/,
    )
    const told = await evaluate(
      `Name = {global, <<"child">>}, Old = global:whereis_name(<<"child">>), 9 = gen_server:call(Name, {add, 4}), R = monitor(process, Old),
      {{{'Error', <<"crash">>}, _}, _} = (catch element(2, {'EXIT', _} = (catch gen_server:call(Name, crash)))), receive {'DOWN', R, _, _, _} -> ok end,
      New = fun F() -> case global:whereis_name(<<"child">>) of P when is_pid(P), P =/= Old -> P; _ -> timer:sleep(20), F() end end, New(), gen_server:call(Name, get).`,
    )
    t.equal(told, 5)
    node.exit(sup.pid, atom('kill'))
  })
}

async function elsewhere(t: Test, node: Node, evaluate: Evaluate): Promise<void> {
  for (const on of ['pool', 'isolated'] as const) {
    await t.test(`a server in the place '${on}' has a global name; names and groups are known there`, async t => {
      const name = { global: tuple(atom('placed'), atom(on)) }
      const ref = await node.start(placed, { args: [3], on, name } as never)
      t.equal(format(await evaluate('gen_server:call({global, {placed, On}}, get).', { On: atom(on) })), '3')
      await t.rejects(node.start(placed, { args: [3], on, name } as never), { code: 'ERR_NAME_TAKEN' })
      node.pg.join('seen', (ref as { pid: Pid }).pid)
      node.pg.scope('shop').join('seen', (ref as { pid: Pid }).pid)
      const told = await node.run(async self => {
        self.spawn({ module: 'work', fun: 'names', args: [self.pid, name.global] }, { on })
        return self.receive()
      })
      const { pid } = ref as { pid: Pid }
      t.equal(
        format(told),
        format(
          tuple(
            pid,
            true,
            3,
            [pid],
            [pid],
            ['seen'].map(group => Buffer.from(group)),
            [pid],
          ) as Term,
        ),
      )
      node.pg.leave('seen', pid)
      node.pg.scope('shop').leave('seen', pid)
    })
  }
}
