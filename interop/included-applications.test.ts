/** Applications that include others, and the phases in which they start, in TypeScript and on a BEAM node. */
import t, { type Test } from 'tap'
import { atom, ExitError, format, type Node, type NodeProcess, type Sendable, type Term, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { type Application, application, ApplicationError, supervisor } from '../src/otp/index.js'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/pair.js'
import { plainModule } from './support/plain.js'

type How = 'ok' | 'error' | 'odd' | 'crash'

interface Part {
  readonly includes?: readonly string[]
  readonly starter?: boolean
  readonly library?: boolean
  readonly phases?: Readonly<Record<string, How>>
}

/** Those that others include come first. */
const parts: Readonly<Record<string, Part>> = {
  drawer: { phases: { open: 'ok' } },
  till: { includes: ['drawer'], phases: { open: 'ok' } },
  crate: { phases: { extra: 'ok', init: 'ok', open: 'ok' } },
  stock: { includes: ['crate'], starter: true, phases: { fill: 'ok', init: 'ok' } },
  shop: { includes: ['stock', 'till'], starter: true, phases: { init: 'ok', fill: 'ok', open: 'ok' } },
  alone: { includes: ['stock'], phases: { init: 'ok' } },
  empty: { includes: ['stock'], starter: true, phases: {} },
  refuses: { phases: { init: 'ok', fill: 'error' } },
  refused: { includes: ['refuses', 'crate'], starter: true, phases: { init: 'ok', fill: 'ok', open: 'ok' } },
  oddly: { phases: { init: 'odd' } },
  odd: { includes: ['crate', 'oddly'], starter: true, phases: { init: 'ok' } },
  crashes: { phases: { init: 'crash' } },
  crashed: { includes: ['crashes'], starter: true, phases: { init: 'ok' } },
  phaseless: {},
  lacking: { includes: ['phaseless'], starter: true, phases: { init: 'ok' } },
  books: { library: true },
  reading: { includes: ['books', 'crate'], starter: true, phases: { init: 'ok' } },
}
const names = Object.keys(parts)
const started = names.filter(name => parts[name]?.includes && !['stock', 'till'].includes(name))

const erlang = [
  String.raw`
-module(part).
-behaviour(application).
-export([start/2, start_phase/3, stop/1, init/1, run/1]).
start(Type, []) ->
  {ok, App} = application:get_application(),
  told ! {start, Type, App, application:start_type()},
  supervisor:start_link(?MODULE, App).
start_phase(Phase, Type, {App, How}) ->
  told ! {Phase, Type, App, application:start_type(), application:get_application(), lists:keymember(shop, 1, application:which_applications())},
  case How of error -> {error, e}; crash -> exit(crashed); _ -> How end.
stop(_) -> ok.
init(shop) -> {ok, {#{}, [#{id => stock, start => {supervisor, start_link, [{local, stock_sup}, ?MODULE, stock]}, type => supervisor}]}};
init(_) -> {ok, {#{}, []}}.
run(App) ->
  true = register(told, self()),
  Result = application:start(App),
  unregister(told),
  {App, Result, told()}.
told() -> receive T when is_tuple(T), is_atom(element(1, T)), element(1, T) =/= io_reply -> [T | told()] after 0 -> [] end.
`,
  plainModule,
]

const specOf = (name: string, { includes = [], starter, phases, library }: Part): string => `{application, ${name}, [{description, "A part"}, {vsn, "1.2"},
  {env, [{size, 1}]}, {included_applications, [${includes.join(', ')}]}
  ${library ? '' : `, {mod, ${starter ? '{application_starter, [part, []]}' : '{part, []}'}}`}
  ${phases ? `, {start_phases, [${Object.entries(phases).map(([phase, how]) => `{${phase}, {${name}, ${how}}}`).join(', ')}]}` : ''}]}` // prettier-ignore

function applicationsOf(node: Node, told: Term[]): Map<string, Application> {
  const made = new Map<string, Application>()
  const leaf = supervisor({ children: [] })
  const tree = supervisor({ children: [{ id: 'stock', start: leaf, name: 'stock_sup' }] })
  const outcomes: Record<string, () => unknown> = {
    ok: () => atom('ok'),
    error: () => tuple(atom('error'), atom('e')),
    odd: () => atom('odd'),
    crash: () => {
      throw new ExitError(atom('crashed'))
    },
  }
  for (const [name, { includes = [], starter, phases, library }] of Object.entries(parts)) {
    const { applications } = node
    const startPhases = phases && Object.fromEntries(Object.entries(phases).map(([phase, how]) => [phase, tuple(atom(name), atom(how))]))
    const app = application({
      name,
      description: 'A part',
      vsn: '1.2',
      env: { size: 1 },
      module: 'file:///part.ts',
      includedApplications: includes.map(included => made.get(included) as Application),
      applicationStarter: starter,
      start: library ? undefined : async function (this: NodeProcess, type) {
        const app = await applications.getApplication(this.pid) as string
        told.push(tuple(atom('start'), atom(type), atom(app), atom(applications.startType(app))))
        return this.startLink(name === 'shop' ? tree : leaf)
      },
      startPhases: startPhases as Record<string, Sendable> | undefined,
      async startPhase(phase, type, args) {
        const [of, how] = (args as { elements: readonly Term[] } & Term).elements as unknown as readonly [Term, { name: How }]
        const app = await applications.getApplication(this.pid) as string
        const shop = applications.whichApplications().some(running => running.name === 'shop')
        told.push(tuple(atom(phase), atom(type), of, atom(applications.startType(app)), tuple(atom('ok'), atom(app)), shop))
        return outcomes[how.name]?.()
      },
    }) // prettier-ignore
    made.set(name, app as Application)
  }
  return made
}

const questions: readonly string[] = [
  `[A || {A, _, _} <- rpc:call(N, application, which_applications, []), lists:member(A, [${names.join(', ')}])]`,
  `[lists:keyfind(A, 1, rpc:call(N, application, loaded_applications, [])) || A <- [${names.join(', ')}]]`,
  `[{A, K, rpc:call(N, application, get_key, [A, K])} || A <- [${names.join(', ')}], K <- [included_applications, start_phases, mod, applications]]`,
  'rpc:call(N, application, get_all_key, [shop])',
  'rpc:call(N, application, get_all_key, [stock])',
  'rpc:call(N, application, get_env, [crate, size])',
  'rpc:call(N, application, get_application, [rpc:call(N, erlang, whereis, [stock_sup])])',
  'gen_server:call({application_controller, N}, {start_type, shop})',
  'gen_server:call({application_controller, N}, {start_type, stock})',
  '[rpc:call(N, application_controller, get_master, [A]) || A <- [stock, crate]]',
  '{Sup, part} = rpc:call(N, application_master, get_child, [rpc:call(N, application_controller, get_master, [shop])]), [{I, T, P =:= rpc:call(N, erlang, whereis, [stock_sup])} || {I, P, T, _} <- supervisor:which_children(Sup)]',
]

t.test('included applications', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: erlang })
    const other = await start({ code: erlang, cookie: beam.cookie })
    other.expectLog(/application|supervisor|exit|crash|PROGRESS|Error/)
    await using node = await startNode(beam)
    await node.connect(beam.name)
    const told: Term[] = []
    const apps = applicationsOf(node, told)
    await other.eval(`[ok = application:load(App) || App <- [${Object.entries(parts).map(([name, part]) => specOf(name, part)).join(', ')}]], ok.`) // prettier-ignore
    await t.test('start in the phases of OTP, in its order, and fail as there', t => phases(t, other, node, apps, told))
    await t.test('are what a BEAM node tells of them', t => answers(t, beam, other, node))
    await t.test('go with the one that includes them', t => unloaded(t, other, node))
  })
})

const result = async (work: Promise<unknown>): Promise<Term> =>
  work.then(
    () => atom('ok'),
    (error: unknown) => {
      if (error instanceof ApplicationError) return tuple(atom('error'), error.reason)
      throw error
    },
  )

async function phases(t: Test, other: Beam, node: Node, apps: ReadonlyMap<string, Application>, told: Term[]): Promise<void> {
  t.equal(started.length, 8)
  for (const name of started) {
    const expected = await other.eval(`part:run(${name}).`, { timeout: 60_000 })
    const outcome = await result(node.applications.start(apps.get(name) as Application))
    t.equal(format(tuple(atom(name), outcome, told.splice(0))), format(expected), name)
  }
}

async function answers(t: Test, beam: Beam, other: Beam, node: Node): Promise<void> {
  const answer = async (question: string, name: string): Promise<string> =>
    format(await beam.eval(`plain:ask(fun() -> ${question} end).`, { bindings: { N: atom(name) } }))
  for (const question of questions) t.equal(await answer(question, node.name), await answer(question, other.name), question)
}

async function unloaded(t: Test, other: Beam, node: Node): Promise<void> {
  const { applications } = node
  const load = '{application, nowhere, [{included_applications, [elsewhere]}]}'
  const refused = await other.eval(`application:load(${load}).`)
  const reason = await result((async () => applications.load(application({ name: 'nowhere', includedApplications: ['elsewhere'] })))())
  t.equal(format(reason), format(refused))
  const running = await other.eval('application:unload(shop).')
  t.equal(format(await result((async () => applications.unload('shop'))())), format(running))
  const theirs = `[ok = application:stop(shop), ok = application:unload(shop)], [A || A <- [${names.join(', ')}], lists:keymember(A, 1, application:loaded_applications())].`
  const left = await other.eval(theirs)
  await applications.stop('shop')
  applications.unload('shop')
  t.equal(node.whereis('stock_sup'), undefined)
  const loaded = applications.loadedApplications().map(({ name }) => name)
  t.equal(format(names.filter(name => loaded.includes(name)).map(name => atom(name))), format(left))
}
