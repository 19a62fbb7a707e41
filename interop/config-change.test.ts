/** Who is told of a changed configuration, and what: the same changes on a BEAM node. */
import t, { type Test } from 'tap'
import { atom, ExitError, float, format, type Node, type Sendable, type Term, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import type { ApplicationError } from '../src/otp/index.js'
import { type Application, application, type Env, supervisor } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, startNode } from './support/pair.js'

/** What `config_change` does is what the entry `how` says. */
const erlang = String.raw`
-module(conf).
-behaviour(application).
-export([start/2, stop/1, init/1, config_change/3, change/2]).
start(_, []) -> supervisor:start_link(?MODULE, []).
stop(_) -> ok.
init([]) -> {ok, {#{}, []}}.
config_change(Changed, New, Removed) ->
  All = Changed ++ New,
  told ! {lists:sort(Changed), lists:sort(New), lists:sort(Removed)},
  case proplists:get_value(how, All, ok) of
    error -> {error, e};
    odd -> odd;
    exit -> exit(crashed);
    throw -> throw({error, t});
    How -> How
  end.
change(Specs, Config) ->
  true = register(told, self()),
  Before = application_controller:prep_config_change(),
  ok = application_controller:change_application_data(Specs, Config),
  Result = application_controller:config_change(Before),
  unregister(told),
  {Result, told()}.
told() -> receive {A, _, _} = T when is_list(A) -> [T | told()] after 0 -> [] end.
`

type Change = readonly [apps: Readonly<Record<string, Env>>, config: Readonly<Record<string, Env>>]

const first: Readonly<Record<string, Env>> = {
  one: { a: 1, b: 1.5, c: [atom('x')] },
  two: {},
  idle: { a: 1 },
  part: { a: 1 },
  code: { a: 1 },
}

/** One after the other */
const changes: readonly Change[] = [
  [first, {}],
  [{ one: { a: 2, b: 1.5, d: tuple(atom('t'), 1) } }, {}],
  [{ one: { a: 2 } }, { one: { z: 9 }, two: { z: 9 } }],
  [{ two: {} }, { two: { z: 8 } }],
  [{ two: { how: atom('error') }, one: {} }, {}],
  [{ two: { how: atom('odd') }, one: { how: atom('error') } }, {}],
  [{ two: { how: atom('exit') }, one: { how: atom('throw') } }, {}],
  [{ two: { a: float(1) }, one: { a: 1 } }, {}],
  [{ idle: { a: 2 }, part: { a: 2 } }, {}],
  [{ nobody: { a: 1 }, two: { a: 2 } }, { nobody: { b: 1 } }],
]

const names = Object.keys(first)
const spec = (name: string, env: Env): string =>
  `{application, ${name}, [{vsn, "${Object.keys(env).length}"}, {env, [${envOf(env)}]}${name === 'code' ? '' : ', {mod, {conf, []}}'}${name === 'one' ? ', {included_applications, [part]}' : ''}]}`
const envOf = (env: Env): string =>
  Object.entries(env)
    .map(([key, value]) => `{${key}, ${format(value as Term)}}`)
    .join(', ')
const specs = (apps: Readonly<Record<string, Env>>): string => `[${Object.entries(apps).map(([name, env]) => spec(name, env)).join(', ')}]` // prettier-ignore
const confs = (apps: Readonly<Record<string, Env>>): string => `[${Object.entries(apps).map(([name, env]) => `{${name}, [${envOf(env)}]}`).join(', ')}]` // prettier-ignore

t.test('config_change', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start()
    const other = await start({ code: erlang, cookie: beam.cookie })
    other.expectLog(/application|PROGRESS|exit/)
    await using node = await startNode(beam)
    await node.connect(beam.name)
    await t.test('those that run are told what has changed, and what they say of it is told as OTP does', t => told(t, other, node))
    await t.test('setting an entry tells nobody', t => silent(t, other, node))
    await t.test('nobody changes a configuration from elsewhere', t => refused(t, beam, node))
  })
})

const pairs = (env: Record<string, Term>): Sendable => sorted(Object.entries(env).map(([key, value]) => tuple(atom(key), value)))
const sorted = <T extends Sendable>(terms: readonly T[]): T[] => [...terms].sort((a, b) => (format(a as Term) < format(b as Term) ? -1 : 1))

const seen: Term[] = []

function define(name: string, env: Env): Application {
  const outcomes: Record<string, () => unknown> = {
    ok: () => undefined,
    error: () => tuple(atom('error'), atom('e')),
    odd: () => atom('odd'),
    exit: () => {
      throw new ExitError(atom('crashed'))
    },
    throw: () => {
      throw tuple(atom('error'), atom('t'))
    },
  }
  return application({
    name,
    env,
    vsn: String(Object.keys(env).length),
    module: 'file:///conf.ts',
    start: name === 'code' ? undefined : supervisor({ children: [] }),
    includedApplications: name === 'one' ? ['part'] : undefined,
    configChange(changed, added, removed) {
      seen.push(tuple(pairs(changed), pairs(added), sorted(removed.map(key => atom(key)))) as Term)
      const how = changed['how'] ?? added['how']
      return outcomes[how === undefined ? 'ok' : (how as unknown as { name: string }).name]?.()
    },
  }) as Application
}

async function told(t: Test, other: Beam, node: Node): Promise<void> {
  const { applications } = node
  await other.eval(`[ok = application:load(S) || S <- ${specs(Object.fromEntries(['part', 'one', 'two', 'idle', 'code'].map(name => [name, first[name] as Env])))}], [ok = application:start(A) || A <- [one, two, code]].`) // prettier-ignore
  for (const name of ['part', 'one', 'two', 'idle', 'code']) applications.load(define(name, first[name] as Env))
  for (const name of ['one', 'two', 'code']) await applications.start(name)
  for (const [apps, config] of changes) {
    const theirs = await other.eval(`conf:change(${specs(apps)}, ${confs(config)}).`)
    const before = applications.prepConfigChange()
    applications.changeApplicationData(
      Object.entries(apps).map(([name, env]) => define(name, env)),
      config,
    )
    const result = await applications.configChange(before).then(
      () => atom('ok'),
      (error: ApplicationError) => tuple(atom('error'), error.reason),
    )
    const what = `${specs(apps)} ${confs(config)}`
    t.equal(format(tuple(result, seen.splice(0)) as Term), format(theirs), what)
    const env = await other.eval(
      `[{A, lists:sort(application:get_all_env(A)), application:get_key(A, vsn)} || A <- [${names.join(', ')}]].`,
    )
    const ours = names.map(name => tuple(atom(name), pairs(applications.getAllEnv(name)), tuple(atom('ok'), applications.getKey(name, 'vsn') as Term))) // prettier-ignore
    t.equal(format(ours as Term), format(env), what)
  }
}

async function silent(t: Test, other: Beam, node: Node): Promise<void> {
  const { applications } = node
  t.equal(format(await other.eval('register(told, self()), application:set_env(one, a, 100), application:set_env(one, p, 1, [{persistent, true}]), application:unset_env(two, a), receive X -> X after 0 -> nothing end.')), 'nothing') // prettier-ignore
  applications.setEnv('one', 'a', 100)
  applications.setEnv('one', 'p', 1, { persistent: true })
  applications.unsetEnv('two', 'a')
  t.strictSame(seen, [])
  t.equal(format(await other.eval('conf:change([], []).')), '{ok,[]}')
  await applications.configChange(applications.prepConfigChange())
  t.strictSame(seen, [])
}

async function refused(t: Test, beam: Beam, node: Node): Promise<void> {
  const calls = '[prep_config_change, {config_change, []}, {change_application_data, [], []}]'
  const answers = await evaluator(beam, node)(`lists:usort([gen_server:call({application_controller, Ts}, C) || C <- ${calls}]).`)
  t.equal(format(answers), '[{error,not_allowed}]')
}
