/** Behaviours in other places than main, driven by Erlang: what they do there is what they do on main. */
import t, { type Test } from 'tap'
import { atom, format, type LogEvent, type Node, type NodeProcess, type Pid, type Term } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { application, supervisor } from 'beamlet/otp'
import { eachOtp } from './support/each-otp.js'
import { door, events } from './support/placed/door.mjs'
import { oneForAll, oneForOne, pool, restForOne, stubborn } from './support/placed/worker.mjs'
import { evaluator, startNode } from './support/places.js'

/** `Change(Id, Do)`: why the child ended that `Do` was done to, and that there is another now */
const tools = String.raw`
  Kids = fun() -> supervisor:which_children(Sup) end, Who = fun(Id) -> element(2, lists:keyfind(Id, 1, Kids())) end,
  New = fun F(Id, Old) -> case Who(Id) of P when is_pid(P), P =/= Old -> P; _ -> receive after 20 -> F(Id, Old) end end end,
  Down = fun(P, Do) -> R = monitor(process, P), Do(P), receive {'DOWN', R, _, _, W} -> W end end,
  Crash = fun(P) -> catch gen_server:call(P, crash) end,
  Bare = fun({{T, M}, S}) when is_list(S) -> {T, M}; (W) -> W end,
  Change = fun(Id, Do) -> Old = Who(Id), W = Bare(Down(Old, Do)), {W, rpc:call(node(Old), erlang, is_process_alive, [New(Id, Old)])} end,
  Same = fun(Before) -> [{I, P =:= proplists:get_value(I, [{J, Q} || {J, Q, _, _} <- Kids()])} || {I, P, _, _} <- lists:reverse(Before)] end,
  Where = fun(Id) -> gen_server:call(Who(Id), where) end,
`

t.test('behaviours in places', async t => {
  const suite = async (t: Test, { start }: { readonly start: () => Promise<Beam> }): Promise<void> => {
    const beam = await start()
    await using node = await startNode(beam, { schedulers: { count: 1 } })
    node.on('crash', () => {})
    node.on('placedown', () => {})
    await node.connect(beam.name)
    await t.test('a supervisor with children in every place', t => children(t, beam, node))
    await t.test('a supervisor in the pool with children in every place', t => above(t, beam, node))
    await t.test('a supervisor ends children that do not want to', t => unwilling(t, beam, node))
    await t.test('the end of a scheduler starts its children again in another', t => scheduler(t, beam, node))
    await t.test('a child whose node is lost starts again', t => far(t, beam, node))
    await t.test('an application with processes in every place', t => everywhere(t, beam, node))
    await t.test('a genStatem in every place', t => statem(t, beam, node))
    await t.test('a genEvent in every place', t => manager(t, beam, node))
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

/** Starts it, has Erlang look at it, and ends it. */
async function look(
  t: Test,
  beam: Beam,
  node: Node,
  definition: Parameters<Node['start']>[0],
  options: { on: 'main' | 'pool' | 'isolated'; args?: Term[] },
  programs: Readonly<Record<string, readonly [program: string, expected: string | RegExp]>>,
  name: 'Sup' | 'Pid' = 'Pid',
): Promise<void> {
  const { pid } = (await node.start(definition as never, options as never)) as { pid: Pid }
  const bindings = { Ts: atom(node.name), [name]: pid }
  const evaluate = (source: string): Promise<Term> => beam.eval(source, { bindings, timeout: 120_000 })
  for (const [what, [program, expected]] of Object.entries(programs)) {
    const told = format(await evaluate(name === 'Sup' ? `${tools}\n${program}` : program))
    if (typeof expected === 'string') t.equal(told, expected, what)
    else t.match(told, expected, what)
  }
  // A supervisor ends its children first.
  await evaluate(
    `R = monitor(process, ${name}), catch gen_server:stop(${name}, shutdown, infinity), receive {'DOWN', R, _, _, _} -> ok end.`,
  )
}

/** Why a worker ended that was told to crash, and that there is another */
const crashed = `{{'TypeError',<<"crash">>},true}`

async function children(t: Test, beam: Beam, node: Node): Promise<void> {
  await look(t, beam, node, oneForOne, { on: 'main' }, {
    'who they are': [
      '[{I, node(P) =:= Ts, T, M} || {I, P, T, M} <- Kids()] ++ supervisor:count_children(Sup).',
      '[{isolated,true,worker,[worker]},{pool,true,worker,[worker]},{here,true,worker,[worker]},{specs,3},{active,3},{supervisors,0},{workers,3}]',
    ],
    'three OS processes': ['length(lists:usort([Where(I) || I <- [here, pool, isolated]])).', '3'],
    'each that crashes starts again, alone and anew': [
      'lists:map(fun(Id) -> Before = Kids(), {Change(Id, Crash), Same(Before), gen_server:call(Who(Id), get)} end, [here, pool, isolated]).',
      `[{${crashed},[{here,false},{pool,true},{isolated,true}],mild},{${crashed},[{here,true},{pool,false},{isolated,true}],mild},{${crashed},[{here,true},{pool,true},{isolated,false}],mild}]`,
    ],
    'an isolated one that computes for ever is killed, and starts again under its name': [
      `Old = Where(isolated), gen_server:cast(Who(isolated), loop),
        {Change(isolated, fun(P) -> exit(P, kill) end), Where(isolated) =/= Old, rpc:call(Ts, erlang, whereis, [isolated_worker]) =:= Who(isolated)}.`,
      '{{killed,true},true,true}',
    ],
  }, 'Sup')
  await look(t, beam, node, restForOne, { on: 'main' }, {
    'rest_for_one': [
      'Before = Kids(), Why = Change(pool, Crash), New(last, element(2, lists:keyfind(last, 1, Before))), {Why, Same(Before)}.',
      `{${crashed},[{here,true},{pool,false},{isolated,false},{last,false}]}`,
    ],
  }, 'Sup')
  await look(t, beam, node, oneForAll, { on: 'main' }, {
    'one_for_all': [
      'Before = Kids(), Why = Change(isolated, Crash), {Why, Same(Before)}.',
      `{${crashed},[{here,false},{pool,false},{isolated,false}]}`,
    ],
  }, 'Sup')
} // prettier-ignore

async function above(t: Test, beam: Beam, node: Node): Promise<void> {
  await look(t, beam, node, oneForOne, { on: 'pool' }, {
    'it runs where its own child does': ['[erlang:length(lists:usort([Where(I) || I <- [here, pool, isolated]])) | [Where(I) =:= Where(here) || I <- [pool, isolated]]].', '[2,true,false]'],
    'each that crashes starts again': [
      'lists:map(fun(Id) -> Before = Kids(), {Change(Id, Crash), Same(Before)} end, [here, isolated]).',
      `[{${crashed},[{here,false},{pool,true},{isolated,true}]},{${crashed},[{here,true},{pool,true},{isolated,false}]}]`,
    ],
  }, 'Sup')
} // prettier-ignore

async function unwilling(t: Test, beam: Beam, node: Node): Promise<void> {
  const errors: string[] = []
  const listen = ({ report }: LogEvent): void => {
    const [, id, reason] = /shutdown_error.*\{reason,(\w+)\}.*\{id,(\w+)\}/.exec(format(report)) ?? []
    if (id !== undefined) errors.push(`${id} ${reason}`)
  }
  node.on('logger', listen)
  const end =
    '[{Id, Down(Who(Id), fun(_) -> ok = supervisor:terminate_child(Sup, Id) end), Who(Id)} || Id <- [pool, isolated, brutal, busy]].'
  await look(t, beam, node, stubborn, { on: 'main' }, {
    'time-outs, brutal_kill, and one that computes': [
      `gen_server:cast(Who(busy), loop), ${end}`,
      '[{pool,killed,undefined},{isolated,killed,undefined},{brutal,killed,undefined},{busy,shutdown,undefined}]',
    ],
  }, 'Sup') // prettier-ignore
  node.off('logger', listen)
  t.strictSame(errors, ['killed pool', 'killed isolated'], 'what had no time left is reported')
}

async function scheduler(t: Test, beam: Beam, node: Node): Promise<void> {
  await look(t, beam, node, pool, { on: 'main' }, {
    'both end with it, and both start again': [
      `[Old1, Old2] = [Who(I) || I <- [one, two]], Was = Where(one), Was = Where(two), R = monitor(process, Old2),
        Why = Down(Old1, fun(P) -> gen_server:cast(P, exit) end), Other = receive {'DOWN', R, _, _, W} -> W end,
        New(one, Old1), New(two, Old2), {Why, Other, Where(one) =/= Was, Where(one) =:= Where(two)}.`,
      '{{scheduler_down,{exit_status,3}},{scheduler_down,{exit_status,3}},true,true}',
    ],
  }, 'Sup') // prettier-ignore
}

async function far(t: Test, beam: Beam, node: Node): Promise<void> {
  const sleeper = supervisor({
    intensity: 100,
    children: [
      {
        id: 'far',
        start(this: NodeProcess) {
          return this.spawnAt(beam.name, { module: 'timer', fun: 'sleep', args: [atom('infinity')] })
        },
      },
    ],
  })
  const ref = await node.start(sleeper)
  const pidOf = async (): Promise<Pid> => (await ref.whichChildren())[0]?.pid as Pid
  const before = await pidOf()
  t.equal(before.node.name, beam.name)
  const ended = new Promise<string>(resolve => {
    node.on('logger', ({ report }) => {
      const [why] = /(?<=child_terminated\},\{reason,)\w+/.exec(format(report)) ?? []
      if (why !== undefined) resolve(why)
    })
  })
  node.disconnect(beam.name)
  t.equal(await ended, 'noconnection')
  const after = await pidOf()
  t.equal(after.node.name, beam.name)
  t.not(format(after), format(before))
  t.equal(
    await evaluator(beam, node)('is_process_alive(P).', { P: after }),
    true,
    'it runs on the node, to which there is another connection',
  )
  node.exit(ref.pid, atom('kill'))
}

async function everywhere(t: Test, beam: Beam, node: Node): Promise<void> {
  const evaluate = evaluator(beam, node)
  const strays: Pid[] = []
  const shop = application({
    name: 'shop',
    start() {
      strays.push(
        this.spawn({ module: 'work', fun: 'echo' }, { on: 'pool' }),
        this.spawn({ module: 'work', fun: 'end', args: ['loop'] }, { on: 'isolated' }),
      )
      return this.startLink(oneForOne)
    },
  })
  await node.applications.start(shop)
  const [Pool, Isolated] = strays as [Pid, Pid]
  const told = await evaluate(
    `[rpc:call(Ts, application, get_application, [P]) || P <- [Pool, Isolated | [rpc:call(Ts, erlang, whereis, [W]) || W <- [here_worker, pool_worker, isolated_worker]]]].`,
    { Pool, Isolated },
  )
  t.equal(format(told), '[{ok,shop},{ok,shop},{ok,shop},{ok,shop},{ok,shop}]')
  // The one in the place of its own computes for ever.
  await evaluate('Isolated ! {go, self()}, receive going -> ok end.', { Isolated })
  const ends = evaluate(`[receive {'DOWN', R, _, _, W} -> W end || R <- [monitor(process, P) || P <- [Pool, Isolated]]].`, {
    Pool,
    Isolated,
  })
  await node.applications.stop(shop)
  // Where the monitor came later, there was nobody any more.
  t.match(format(await ends), /^\[(killed|noproc),(killed|noproc)\]$/)
  t.strictSame(await Promise.all(strays.map(pid => node.isAlive(pid))), [false, false])
}

async function statem(t: Test, beam: Beam, node: Node): Promise<void> {
  const seen = 'gen_statem:call(Pid, seen)'
  for (const on of ['main', 'pool', 'isolated'] as const) {
    await look(t, beam, node, door, { on, args: [atom('first')] }, {
      'where it runs': ['gen_statem:call(Pid, where).', on === 'main' ? String(process.pid) : new RegExp(`^(?!${process.pid}$)\\d+$`)],
      'the beginning': [`{${seen}, sys:get_state(Pid)}.`, '{[{enter,locked},first],{locked,[{enter,locked},first]}}'],
      'messages, and a timer that is due': [`Pid ! hello, ok = gen_statem:call(Pid, timer), ${seen}.`, '[{state_timeout,s},{info,hello},{enter,locked},first]'],
      'postponed': [
        `R = gen_statem:send_request(Pid, push), ok = gen_statem:call(Pid, unlock), {gen_statem:receive_response(R, 20000), hd(${seen}), element(1, sys:get_state(Pid))}.`,
        '{{reply,pushed},push,open}',
      ],
      'entered again': [`gen_statem:cast(Pid, lock), hd(${seen}).`, '{enter,open}'],
      'replace_state': ['sys:replace_state(Pid, fun({S, _}) -> {S, [replaced]} end), gen_statem:call(Pid, seen).', '[replaced]'],
      'the end': ['M = monitor(process, Pid), catch gen_statem:call(Pid, crash), receive {_, M, _, _, W} -> W end.', 'crashed'],
    }) // prettier-ignore
    await t.rejects(node.start(door, { on, args: [atom('bad')] }), { code: 'ERR_EXIT', reason: atom('bad') })
  }
}

async function manager(t: Test, beam: Beam, node: Node): Promise<void> {
  const seen = (handler: string): string => `gen_event:call(Pid, ${handler}, seen)`
  for (const on of ['main', 'pool', 'isolated'] as const) {
    await look(t, beam, node, events, { on }, {
      'handlers': ['ok = gen_event:add_handler(Pid, tally, a), ok = gen_event:add_handler(Pid, {tally, 2}, b), gen_event:which_handlers(Pid).', '[{tally,2},tally]'],
      'where it runs': ['gen_event:call(Pid, tally, where).', on === 'main' ? String(process.pid) : new RegExp(`^(?!${process.pid}$)\\d+$`)],
      'events and messages': [`gen_event:notify(Pid, one), ok = gen_event:sync_notify(Pid, two), Pid ! hello, {${seen('tally')}, ${seen('{tally, 2}')}}.`, '{[{info,hello},two,one,a],[{info,hello},two,one,b]}'],
      'a handler that is deleted': ['{gen_event:delete_handler(Pid, {tally, 2}, why), gen_event:which_handlers(Pid)}.', '{{done,why},[tally]}'],
      'a handler that is supervised, and crashes': [
        'ok = gen_event:add_sup_handler(Pid, {tally, 3}, c), ok = gen_event:delete_handler(Pid, tally, x) =:= x orelse ok, ok = gen_event:sync_notify(Pid, crash), receive {gen_event_EXIT, H, {\'EXIT\', W}} -> {H, W, gen_event:which_handlers(Pid)} end.',
        '{{tally,3},crashed,[]}',
      ],
      'stop': ["M = monitor(process, Pid), ok = gen_event:stop(Pid), receive {_, M, _, _, W} -> W end.", 'normal'],
    }) // prettier-ignore
  }
}
