/** Applications in TypeScript, asked about and watched by Erlang, beside the same application on a BEAM node. */
import t, { type Test } from 'tap'
import type { Node, Pid } from '../src/index.js'
import { atom, ExitError, format, get, type LogEvent, type NodeProcess, type Term, type Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { application, ApplicationError, genServer, reply, supervisor } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, patience, startNode } from './support/pair.js'
import { plainModule } from './support/plain.js'

/** What it does is in its name. */
const erlang = [
  String.raw`
-module(shop).
-behaviour(application).
-export([start/2, start_phase/3, prep_stop/1, stop/1, init/1, apps/0]).
start(Type, []) -> {ok, App} = application:get_application(), start(Type, [], App).
start(_, _, refused) -> {error, no};
start(_, _, odd) -> odd;
start(_, _, crash) -> exit(crashed);
start(_, _, thrown) -> throw(t);
start(_, _, ends) -> exit(normal);
start(_, _, child) -> supervisor:start_link(?MODULE, [#{id => x, start => {erlang, apply, [fun() -> {error, no} end, []]}}]);
start(_, _, App) -> {ok, Pid} = supervisor:start_link(?MODULE, [#{id => counter, start => {counter, start_link, [App]}}]), {ok, Pid, state}.
start_phase(_, _, good) -> ok;
start_phase(_, _, bad) -> {error, e};
start_phase(_, _, odd) -> odd.
prep_stop(State) -> case application:get_application() of {ok, badly} -> exit(prep); _ -> State end.
stop(_) -> ok.
init(Children) -> {ok, {#{}, Children}}.
apps() -> [refused, odd, crash, thrown, ends, child, shop, badly].
`,
  String.raw`
-module(counter).
-behaviour(gen_server).
-export([start_link/1, init/1, handle_call/3, handle_cast/2]).
start_link(shop) -> gen_server:start_link({local, counter}, ?MODULE, 10, []);
start_link(_) -> gen_server:start_link(?MODULE, 10, []).
init(N) -> {ok, N}.
handle_call(get, _, N) -> {reply, N, N}.
handle_cast(_, N) -> {noreply, N}.
`,
  plainModule,
]

const names = ['refused', 'odd', 'crash', 'thrown', 'ends', 'child', 'shop', 'badly', 'phases', 'badphase', 'oddphase'] as const

const description = `[{description, "Sells apples"}, {vsn, "1.2"}, {registered, [counter]}, {applications, [kernel, stdlib]},
  {env, [{port, 8080}, {hosts, [a, b]}]}, {mod, {shop, []}}]`
const loadErlang = `[ok = application:load({application, App, ${description} ++ case App of shop -> [{modules, [shop, counter]}]; phases -> [{start_phases, [{go, good}, {on, good}]}];
  badphase -> [{start_phases, [{go, bad}]}]; oddphase -> [{start_phases, [{go, odd}]}]; _ -> [] end}) || App <- [${names.join(', ')}]], ok.`

const counter = genServer({ module: 'file:///counter.ts', init: (n: number) => n, call: { get: n => reply(n, n) } })

function applications(): ReturnType<typeof application>[] {
  const tree = (name: string) => supervisor({ module: 'file:///shop.ts', children: [{ id: 'counter', start: counter, args: [10], name: name === 'shop' ? 'counter' : undefined }] }) // prettier-ignore
  const starts: Record<string, (this: NodeProcess) => unknown> = {
    refused: () => tuple(atom('error'), atom('no')),
    odd: () => atom('odd'),
    crash() {
      return this.exit(atom('crashed'))
    },
    thrown: () => {
      throw atom('t')
    },
    ends() {
      return this.exit(atom('normal'))
    },
  }
  const phases: Record<string, Record<string, Term>> = {
    phases: { go: atom('good'), on: atom('good') },
    badphase: { go: atom('bad') },
    oddphase: { go: atom('odd') },
  }
  const broken = supervisor({ children: [{ id: 'x', start: () => tuple(atom('error'), atom('no')) }] })
  return names.map(name =>
    application({
      name,
      description: 'Sells apples',
      vsn: '1.2',
      modules: name === 'shop' ? ['shop', 'counter'] : [],
      registered: ['counter'],
      applications: ['kernel', 'stdlib'],
      env: { port: 8080, hosts: [atom('a'), atom('b')] },
      module: 'file:///shop.ts',
      start: name === 'child' ? broken : ((starts[name] as never) ?? async function (this: NodeProcess) {
        return { supervisor: await this.startLink(tree(name)), state: atom('state') }
      }),
      startPhases: phases[name],
      startPhase: (_phase, _type, how) => (how === atom('good') ? atom('ok') : how === atom('bad') ? tuple(atom('error'), atom('e')) : how),
      prepStop() {
        if (name === 'badly') throw new ExitError(atom('prep'))
      },
    }),
  ) // prettier-ignore
}

const questions: readonly string[] = [
  'hd(rpc:call(N, application, which_applications, []))',
  '[lists:keymember(A, 1, rpc:call(N, application, which_applications, [])) || A <- [kernel, stdlib, shop, odd]]',
  'hd(rpc:call(N, application, which_applications, [1000]))',
  'hd(rpc:call(N, application, which_applications, [infinity]))',
  'rpc:call(N, application, which_applications, [-1])',
  'rpc:call(N, application, which_applications, [x])',
  'lists:keyfind(odd, 1, rpc:call(N, application, loaded_applications, []))',
  '[lists:keymember(A, 1, rpc:call(N, application, loaded_applications, [])) || A <- [kernel, stdlib, shop, odd, nobody]]',
  'rpc:call(N, application, get_env, [shop, port])',
  'rpc:call(N, application, get_env, [shop, nothing])',
  'rpc:call(N, application, get_env, [nobody, port])',
  'rpc:call(N, application, get_env, ["shop", 5])',
  'rpc:call(N, application, get_env, [port])',
  'rpc:call(N, application, get_env, [shop, nothing, default])',
  'rpc:call(N, application, get_env, [shop, port, default])',
  'rpc:call(N, application, get_env, [kernel, net_ticktime])',
  'lists:sort(rpc:call(N, application, get_all_env, [shop]))',
  'rpc:call(N, application, get_all_env, [nobody])',
  'rpc:call(N, application, get_all_env, [])',
  '[rpc:call(N, application, get_key, [shop, K]) || K <- [description, id, vsn, modules, maxP, maxT, registered, included_applications, applications, mod, start_phases, nothing]]',
  'rpc:call(N, application, get_key, [phases, start_phases])',
  'rpc:call(N, application, get_key, [nobody, vsn])',
  'rpc:call(N, application, get_key, [vsn])',
  'rpc:call(N, application, get_all_key, [])',
  'rpc:call(N, application, get_all_key, [nobody])',
  '{ok, Keys} = rpc:call(N, application, get_all_key, [shop]), [K || {K, _} <- Keys]',
  'rpc:call(N, application, get_application, [])',
  'rpc:call(N, application, get_application, [rpc:call(N, erlang, whereis, [counter])])',
  'rpc:call(N, application, get_application, [counter])',
  'rpc:call(N, application, get_application, [pg])',
  'rpc:call(N, application, get_application, [nobody])',
  'rpc:call(N, application, get_application, [self()])',
  'rpc:call(N, application, get_application, ["shop"])',
  'rpc:call(N, application, start_type, [])',
  'rpc:call(N, application, strange, [])',
  '{element(2, process_info_of(group_leader)) =:= rpc:call(N, application_controller, get_master, [shop])}',
  'rpc:call(N, application_controller, get_master, [nobody])',
  'rpc:call(N, application_controller, get_application, [rpc:call(N, application_controller, get_master, [shop])])',
  'rpc:call(N, application_controller, get_key, [shop, vsn])',
  '{Sup, shop} = rpc:call(N, application_master, get_child, [rpc:call(N, application_controller, get_master, [shop])]), [{I, T, M} || {I, _, T, M} <- supervisor:which_children(Sup)]',
  'hd(gen_server:call({application_controller, N}, which_applications))',
  'gen_server:call({application_controller, N}, {start_type, shop})',
  'Info = gen_server:call({application_controller, N}, info), {[K || {K, _} <- Info], hd(proplists:get_value(started, Info)), hd(proplists:get_value(running, Info)), proplists:get_value(starting, Info)}',
]

t.test('application', async t => {
  await eachOtp(t, async (t, { start, otp }) => {
    const beam = await start({ code: erlang })
    const other = await start({ code: erlang, cookie: beam.cookie })
    other.expectLog(/application|APPLICATION|supervisor|CRASH|counter|crash|exit|shop|PROGRESS|Error/)
    await using node = await startNode(beam)
    await node.connect(beam.name)
    await t.test('its life is told in the reports of OTP', t => reports(t, other, node))
    await t.test('a node tells of its applications what a BEAM node tells', t => answers(t, beam, other, node, otp))
    await t.test('nobody starts, stops or sets anything from elsewhere', t => refused(t, beam, node))
    await t.test('distributed applications are refused as a node does that has none, and a BEAM node has its own', async t => {
      const distributing = await start({ code: erlang, cookie: beam.cookie, args: ['-kernel', 'start_dist_ac', 'true'] })
      await distributed(t, beam, distributing, node)
    })
    await t.test('the node goes when a permanent application ends', t => down(t, beam))
  })
})

/** Erlang's part: `[{App, Result, [{Level, Report, MetaKeys}]}]` of starts and stops */
const lives = `
  Me = self(), ok = logger:set_primary_config(level, all),
  {ok, _} = {logger:add_handler(lives, logger_std_h, #{level => info, filters => [{f, {fun(E, _) -> Me ! E, stop end, x}}]}), x},
  Next = fun F() -> receive #{level := L, msg := {report, #{label := Label} = R}, meta := Meta} when element(1, Label) =:= application_controller; element(1, Label) =:= error_logger ->
    [{L, R, lists:sort(maps:keys(Meta) -- [mfa, file, line])} | F()]; #{} -> F() after 0 -> [] end end,
  Run = fun(App) -> R = application:start(App), catch sys:get_state(logger), {App, R, Next()} end,
  Stop = fun(App) -> R = application:stop(App), {App, R, Next()} end,
  Ended = fun(App) -> receive #{msg := {report, #{label := {application_controller, exit}}}} = E -> self() ! E, {App, ended, Next()} end end,
  Started = [Run(App) || App <- [${names.join(', ')}]],
  Kill = fun(App) -> {Pid, _} = application_master:get_child(application_controller:get_master(App)), exit(Pid, kill), Ended(App) end,
  Killed = Kill(phases),
  Stopped = [Stop(App) || App <- [badly, refused]],
  Again = Run(phases),
  logger:remove_handler(lives), ok = logger:set_primary_config(level, notice),
  [Started, Killed, Stopped, Again].`

async function reports(t: Test, other: Beam, node: Node): Promise<void> {
  await other.eval(loadErlang)
  const theirs = (await other.eval(lives, { timeout: 60_000 })) as Term
  const [started, killed, stopped, again] = theirs as unknown as [Tuple[], Tuple, Tuple[], Tuple]
  const expected = [...started, killed, ...stopped, again].map(({ elements }) => elements.map(part => plain(part as Term)))
  const events: LogEvent[] = []
  let told = (): void => {}
  node.on('logger', event => {
    const label = format(get(event.report as Map<Term, Term>, atom('label')) as Term)
    if (!/^\{(application_controller|error_logger),/.test(label)) return
    events.push(event)
    told()
  })
  const meta = (event: LogEvent): string[] =>
    [...(event.meta as unknown as Map<{ name: string }, Term>).keys()].map(({ name }) => name).sort()
  const heard = (): string => `[${events.splice(0).map(event => `{${event.level},${plain(event.report)},[${meta(event).join(',')}]}`).join(',')}]` // prettier-ignore
  const result = async (work: Promise<unknown>): Promise<string> =>
    work.then(() => 'ok', (error: unknown) => (error instanceof ApplicationError ? plain(tuple(atom('error'), error.reason)) : String(error))) // prettier-ignore
  const ours: string[][] = []
  const run = async (name: string, work: Promise<unknown>): Promise<void> => void ours.push([name, await result(work), heard()])
  for (const app of applications()) await run(app.name, node.applications.start(app))
  const ended = new Promise<void>(resolve => (told = resolve))
  const [child] = (
    (await node.rpc.call(node.name, 'application_master', 'get_child', [
      node.applications.controller.master(atom('phases') as never) as Pid,
    ])) as Tuple
  ).elements
  node.exit(child as Pid, atom('kill'))
  await ended
  ours.push(['phases', 'ended', heard()])
  for (const name of ['badly', 'refused']) await run(name, node.applications.stop(name))
  await run('phases', node.applications.start('phases'))
  for (const [index, told] of ours.entries()) t.strictSame(told, expected[index], `${told[0]}: ${told[1]}`)
  t.equal(ours.length, expected.length)
}

/** Without pids, node names and stacks */
const plain = (term: Term): string =>
  format(term)
    .replaceAll(/<\d+\.\d+\.\d+>/g, 'PID')
    .replaceAll(/'[^' ]+@[^' ]+'/g, 'NODE')

async function answers(t: Test, beam: Beam, other: Beam, node: Node, otp: number): Promise<void> {
  await other.eval('[application:stop(App) || App <- [phases, shop]], ok = application:start(shop).')
  await node.applications.stop('phases')
  await node.applications.stop('shop')
  await node.applications.start('shop')
  const more = otp >= 27 ? ['[{I, T} || {I, _, T, _} <- supervisor:which_children(element(2, rpc:call(N, application, get_supervisor, [shop])))]', 'rpc:call(N, application, get_supervisor, [nobody])'] : [] // prettier-ignore
  const answer = async (question: string, name: string): Promise<string> => {
    const source = question.replace('process_info_of(group_leader)', 'rpc:call(N, erlang, process_info, [rpc:call(N, erlang, whereis, [counter]), group_leader])') // prettier-ignore
    return format(await beam.eval(`plain:ask(fun() -> ${source} end).`, { bindings: { N: atom(name) } })).replaceAll(name, 'N')
  }
  for (const question of [...questions, ...more]) t.equal(await answer(question, node.name), await answer(question, other.name), question)
}

async function refused(t: Test, beam: Beam, node: Node): Promise<void> {
  const evaluate = evaluator(beam, node)
  const calls =
    '[{stop_application, shop}, {start_application, odd, permanent}, {load_application, {application, x, []}}, {unload_application, odd}, {set_env, shop, port, 1, []}, {unset_env, shop, port, []}, {permit_application, shop, false}]'
  t.equal(
    format(await evaluate(`lists:usort([gen_server:call({application_controller, Ts}, C) || C <- ${calls}]).`)),
    '[{error,not_allowed}]',
  )
  t.equal(format(await evaluate('gen_server:call({application_controller, Ts}, strange).')), '{error,bad_request}')
  const source =
    '[element(1, element(2, element(2, rpc:call(Ts, application, F, A)))) || {F, A} <- [{stop, [shop]}, {start, [odd]}, {load, [x]}, {set_env, [shop, port, 1]}]].'
  t.equal(format(await evaluate(source)), '[undef,undef,undef,undef]')
  t.equal(node.applications.getEnv('shop', 'port'), 8080)
  t.equal(await node.call('counter', atom('get')), 10)
}

async function distributed(t: Test, beam: Beam, distributing: Beam, hidden: Node): Promise<void> {
  const calls =
    '[{takeover, [shop, permanent]}, {takeover, [nobody, temporary]}, {takeover, [shop, odd]}, {permit, [shop, odd]}, {permit, [nobody, true]}, {permit, [nobody, false]}]'
  const ask = async (name: string): Promise<string> =>
    format(
      await beam.eval(`[rpc:call(N, application, F, A, ${patience}) || {F, A} <- ${calls}].`, {
        bindings: { N: atom(name) },
        timeout: 2 * patience,
      }),
    )
  t.equal(await ask(hidden.name), await ask(distributing.name))
  t.equal(format(await evaluator(beam, hidden)('rpc:call(Ts, application, permit, [shop, false]).')), '{error,not_allowed}')
  t.equal(
    hidden.applications.whichApplications().some(({ name }) => name === 'shop'),
    true,
  )
  t.throws(() => hidden.applications.setEnv('kernel', 'distributed', [tuple(atom('shop'), [atom(hidden.name)])]), {
    code: 'ERR_NOT_DISTRIBUTED',
  })
  t.throws(() => hidden.applications.changeApplicationData([], { kernel: { distributed: [1] } }), { code: 'ERR_NOT_DISTRIBUTED' })
  hidden.applications.setEnv('kernel', 'distributed', [])
  // A BEAM node's own, which names another that has no part in it
  await using visible = await startNode(beam, { hidden: false })
  await visible.connect(distributing.name)
  const life = (name: string): Promise<Term> =>
    distributing.eval(
      `pong = net_adm:ping(N), App = {application, shop, [{vsn, "1"}, {mod, {shop, []}}]}, Runs = fun() -> lists:keymember(shop, 1, application:which_applications()) end,
      Steps = [fun() -> application:load(App, {shop, [node(), N]}) end, fun() -> application:start(shop) end, Runs, fun() -> application:takeover(shop, permanent) end,
        fun() -> application:permit(shop, false) end, Runs, fun() -> application:permit(shop, true) end, Runs, fun() -> application:stop(shop) end, fun() -> application:unload(shop) end],
      [Step() || Step <- Steps].`,
      { bindings: { N: atom(name) }, timeout: 2 * patience },
    )
  const lived = async (name: string): Promise<string> => format(await life(name)).replaceAll(name, 'N')
  t.equal(await lived(visible.name), await lived(beam.name))
}

async function down(t: Test, beam: Beam): Promise<void> {
  await using node = await startNode(beam)
  node.on('error', () => {})
  await node.connect(beam.name)
  const app = application({
    name: 'permanent',
    start(this: NodeProcess) {
      return this.spawnLink(async self => void (await self.receive()), { name: 'top' })
    },
  })
  await node.applications.start(app, 'permanent')
  const source = `monitor_node(Ts, true), {application_controller, Ts} ! x, {top, Ts} ! x, receive {nodedown, Ts} -> down after ${patience} -> up end.`
  t.equal(format(await evaluator(beam, node)(source)), 'down')
}
