/** Releases that are installed on several nodes, BEAM and TypeScript, one after the other, all or none. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import {
  any,
  type Atom,
  atom,
  format,
  type Instruction,
  isPid,
  match,
  type Node,
  type NodeError,
  type NodeRelease,
  type Pid,
  ReleaseError,
  type ReleaseProgress,
  type Term,
  type Tuple,
  tuple,
} from 'beamlet'
import { type Beam, type Release, startBeam } from 'beamlet/interop'
import type { GenServer } from 'beamlet/otp'
import { eachOtp } from './support/each-otp.js'
import { startNode } from './support/places.js'

type Refuses = 'up' | 'down' | 'never'

/** A machine that does much else at the same time needs it. */
const timeout = 60_000

/** A node of another release goes with each. */
const beside: Readonly<Record<number, Release>> = { 25: 29, 27: 25, 29: 27 }

/**
 * A server that keeps the last number of each caller, `{Version, Last, Calls}`, with another shape in each version; a number that is not the caller's next
 * ends it.
 */
const stock = (version: number, refuses: Refuses = 'never'): string => String.raw`
-module(stock).
-behaviour(gen_server).
-vsn(${version}).
-export([start_link/1, init/1, handle_call/3, handle_cast/2, code_change/3, version/0, hold/1]).
start_link(Name) -> gen_server:start_link({local, Name}, ?MODULE, [], []).
init([]) -> {ok, {${version}, #{}, 0}}.
handle_call({add, Caller, Number}, _From, {${version}, Last, Calls}) ->
    Number = maps:get(Caller, Last, 0) + 1,
    {reply, {${version}, Number}, {${version}, Last#{Caller => Number}, Calls + 1}};
handle_call({ask, Other}, _From, State) -> {reply, gen_server:call(Other, get, infinity), State};
handle_call(get, _From, {${version}, _, Calls} = State) -> {reply, {${version}, Calls}, State}.
handle_cast(_, State) -> {noreply, State}.
code_change(From, {Shape, Last, Calls}, _Extra) ->
    {Direction, Shape, To} = case From of {down, Vsn} -> {down, ${version}, Vsn}; _ -> {up, From, ${version}} end,
    case ${refuses} of Direction -> {error, no}; _ -> {ok, {To, Last, Calls}} end.
version() -> ${version}.
hold(To) -> To ! self(), receive go -> ok end, ${version}.
`

/** Its supervisor does not say what runs in the event manager: that is asked. */
const shop = (version: number): string => String.raw`
-module(shop).
-vsn(${version}).
-export([start/2, stop/1, init/1]).
start(_, _) -> supervisor:start_link({local, shop_sup}, ?MODULE, []).
stop(_) -> ok.
init([]) ->
    Child = fun(Id) -> #{id => Id, start => {stock, start_link, [Id]}, shutdown => ${version}000} end,
    Events = #{id => events, start => {gen_event, start_link, [{local, events}]}, modules => dynamic},
    Below = #{id => below, type => supervisor, start => {supervisor, start_link, [shop_below, []]}, modules => [shop_below]},
    {ok, {#{intensity => 10}, [Child(stock), Events, Below]}}.
`

const below = String.raw`
-module(shop_below).
-export([init/1]).
init([]) -> {ok, {#{}, [#{id => store, start => {stock, start_link, [store]}, modules => [stock]}]}}.
`

const log = (version: number): string => String.raw`
-module(shop_log).
-vsn(${version}).
-behaviour(gen_event).
-export([init/1, handle_event/2, handle_call/2, code_change/3]).
init([]) -> {ok, ${version}}.
handle_event(_, State) -> {ok, State}.
handle_call(get, State) -> {ok, {${version}, State}, State}.
code_change({down, To}, ${version}, _) -> {ok, To};
code_change(_, _, _) -> {ok, ${version}}.
`

const callers = String.raw`
-module(callers).
-export([start/3]).
start(Servers, Count, To) -> [spawn_link(fun() -> call(Servers, Servers, Id, 1, To) end) || Id <- lists:seq(1, Count)].
call([], Servers, Id, Number, To) -> call(Servers, Servers, Id, Number + 1, To);
call([Server | More], Servers, Id, Number, To) ->
    receive stop -> exit({done, Number})
    after 0 ->
        {_, Number} = gen_server:call(Server, {add, Id, Number}, infinity),
        Number rem 10 =:= 0 andalso More =:= [] andalso (To ! {goes_on, Id}),
        call(More, Servers, Id, Number, To)
    end.
`

const script = (version: number, refuses: Refuses = 'never'): string => `
import { genServer, reply } from 'beamlet/otp'
import { Tuple, tuple } from 'beamlet'
export const vsn = ${version}
export const stock = genServer({
  module: import.meta.url,
  init: () => [${version}, new Map(), 0],
  call: {
    add([shape, last, calls], caller, number) {
      if (shape !== ${version} || number !== (last.get(caller) ?? 0) + 1) throw new Error('not the next: ' + number + ' of ' + shape)
      return reply(tuple(${version}, number), [shape, new Map(last).set(caller, number), calls + 1])
    },
    get: state => reply(tuple(${version}, state[2]), state),
  },
  codeChange(from, [shape, last, calls]) {
    const down = from instanceof Tuple
    if ('${refuses}' === (down ? 'down' : 'up')) throw new Error('no')
    if (shape !== (down ? ${version} : from)) throw new Error('a shape of ' + shape)
    return [down ? from.elements[1] : ${version}, last, calls]
  },
})
export const version = () => ${version}
export function hold(to) { this.send(to, this.pid); return this.receive() }
`

t.test('releases', async t => {
  await eachOtp<Beam>(
    t,
    async (t, { otp, start }) => {
      const first = await start({ code: callers })
      const second = await startBeam({ otp: beside[otp] as Release, cookie: first.cookie })
      t.teardown(() => second.stop())
      await using node = await startNode(first, { schedulers: { count: 1 } })
      await using other = await startNode(first, { schedulers: { count: 1 } })
      for (const each of [node, other]) {
        each.on('crash', () => {})
        for (const beam of [first, second]) await each.connect(beam.name)
      }
      await node.connect(other.name)
      const all = await cluster(t, { node, other, beams: [first, second] })
      await t.test('every call is answered once, through releases that are installed and one that is refused', t => underLoad(t, all))
      await t.test('what cannot be is refused before anything is changed', t => refused(t, all))
      await t.test('what cannot be taken back is told', t => notUndone(t, all))
      await t.test('modules that are loaded, added and deleted, functions, supervisors and event handlers, and back', t => others(t, all))
      await t.test('processes that call each other are suspended in an order in which they can', t => mutual(t, all))
      await t.test('whoever conducts it is gone: the nodes take it back by themselves', t => gone(t, all))
      await t.test('a node is lost in the middle: the others take it back', t => lost(t, all))
    },
    startBeam,
  )
})

interface Cluster {
  readonly node: Node
  readonly other: Node
  readonly beams: readonly [Beam, Beam]
  readonly names: readonly string[]
  /** The path of code on the disk of a BEAM, compiled there */
  beam(beam: Beam, module: string, source: string): Promise<string>
  /** A file of the TypeScript nodes */
  file(name: string, source: string): URL
  /** What `{stock, Node}` says of itself: version and calls */
  versions(): Promise<number[]>
}

async function cluster(t: Test, { node, other, beams }: Pick<Cluster, 'node' | 'other' | 'beams'>): Promise<Cluster> {
  const folder = t.testdir()
  // Some BEAM nodes have a tree of their own, and share this.
  const disk = mkdtempSync('/tmp/beamlet-release-')
  t.teardown(() => rmSync(disk, { recursive: true, force: true }))
  let count = 0
  const compile: Cluster['beam'] = async (on, module, source) => {
    const path = `${disk}/${++count}`
    mkdirSync(path)
    writeFileSync(`${path}/${module}.erl`, source)
    await on.eval(`{ok, ${module}} = compile:file("${path}/${module}", [{outdir, "${path}"}, return_errors]), ok.`, { timeout })
    return `${path}/${module}.beam`
  }
  const file: Cluster['file'] = (name, source) => {
    writeFileSync(`${folder}/${name}`, source)
    return pathToFileURL(`${folder}/${name}`)
  }
  for (const on of beams) {
    for (const [module, source] of [
      ['stock', stock(1)],
      ['shop', shop(1)],
      ['shop_below', below],
      ['shop_log', log(1)],
    ] as const)
      // prettier-ignore
      await on.eval(`true = code:add_patha("${(await compile(on, module, source)).replace(/\/[^/]+$/, '')}").`)
    await on.eval(`ok = application:load({application, shop, [{vsn, "1"}, {mod, {shop, []}}, {modules, [shop, stock]}, {registered, []},
      {applications, [kernel, stdlib]}]}), ok = application:start(shop), ok = gen_event:add_handler(events, shop_log, []).`)
  }
  for (const [each, name] of [
    [node, 'stock-1.mjs'],
    [other, 'stock.mjs'],
  ] as const) {
    // prettier-ignore
    const url = file(name, script(1))
    await each.code.load('stock', url)
    await each.start(((await import(url.href)) as { stock: GenServer<[], any, any, any> }).stock, { name: 'stock', on: 'pool' })
  }
  const names = [...beams.map(({ name }) => name), node.name, other.name]
  const versions = async (): Promise<number[]> => {
    const answers = names.map(
      async name => ((await node.call({ name: 'stock', node: name }, atom('get'), { timeout })) as Tuple).elements[0],
    )
    return Promise.all(answers) as Promise<number[]>
  }
  return { node, other, beams, names, beam: compile, file, versions }
}

/** The instructions by which all nodes of the cluster move their servers */
async function updates(
  all: Cluster,
  version: number,
  refuses: Refuses = 'never',
  last: Refuses = 'never',
  from = 2,
): Promise<NodeRelease[]> {
  const { node, other, beams, beam, file } = all
  const update = { update: 'stock', change: { advanced: [] } } as const
  const [first, second] = [await beam(beams[0], 'stock', stock(version, refuses)), await beam(beams[1], 'stock', stock(version, last))]
  file('stock.mjs', script(version, refuses))
  return [
    { node: beams[0].name, instructions: [{ ...update, code: first }] },
    { node: node.name, instructions: [{ ...update, code: file(`stock-${version}-${refuses}.mjs`, script(version, refuses)) }] },
    { node: other.name, instructions: [update] },
    {
      node: atom(beams[1].name) as Atom,
      instructions: [{ ...update, code: readFileSync(second), old: await beam(beams[1], 'stock', stock(from)) }],
    },
  ]
}

const failure = async (work: Promise<unknown>): Promise<ReleaseError> => {
  const thrown: unknown = await work.then(
    () => new Error('it was installed'),
    (error: unknown) => error,
  )
  if (thrown instanceof ReleaseError) return thrown
  throw thrown
}

async function underLoad(t: Test, all: Cluster): Promise<void> {
  const { node, beams, names } = all
  const count = 4
  await node.run(async self => {
    self.trapExit = true
    const servers = [...names.map(name => tuple(atom('stock'), atom(name))), ...beams.map(({ name }) => tuple(atom('store'), atom(name)))]
    const bindings = { Servers: servers, Self: self.pid }
    const pids = (await beams[0].eval(`callers:start(Servers, ${count}, Self).`, { bindings })) as Pid[]
    for (const pid of pids) self.link(pid)
    const goesOn = async (): Promise<void> => {
      for (let id = 1; id <= count; id++) {
        const told = await self.receive(match.oneOf(match([atom('goes_on'), id]), match([atom('EXIT'), any, any])), { timeout })
        if (told.tag !== 'goes_on') throw new Error(`A caller has ended: ${format(told as Term)}`)
      }
    }
    await goesOn()
    const told: ReleaseProgress[] = []
    const options = { timeout, progress: (progress: ReleaseProgress) => void told.push(progress) }
    const installed = await node.releaseHandler.installRelease(await updates(all, 2, 'never', 'never', 1), options)
    t.strictSame(installed.map(({ node, servers }) => [node, servers.length]), names.map((_, at) => [[beams[0].name, 2], [node.name, 1], [all.other.name, 1], [beams[1].name, 2]][at])) // prettier-ignore
    const steps = told.map(({ what, step, done, of }) => `${what} ${step ?? 'all'} ${done}/${of}`)
    t.strictSame(steps, [
      ...names.map(() => 'prepared all 0/4'),
      ...names.map((_, at) => `done 1 ${at + 1}/4`),
      ...names.map(() => 'committed all 4/4'),
    ])
    await goesOn()
    t.strictSame(await all.versions(), [2, 2, 2, 2])

    told.length = 0
    const release = await updates(all, 3, 'never', 'up')
    const error = await failure(node.releaseHandler.installRelease(release, options))
    t.strictSame(
      [error.code, error.node, error.step, format(error.reason), error.notUndone],
      ['ERR_RELEASE_CHANGE', beams[1].name, 1, '{error,no}', []],
    )
    t.equal(error.instruction, release[3]?.instructions[0])
    t.match(error.message, /^Instruction 1 for beam-.* is refused by a code_change: <.*, {error,no}\. All is as it was\./)
    t.strictSame(told.map(({ node, what, done }) => [node, what, done]).slice(4), [
      ...[beams[0].name, node.name, all.other.name].map((name, at) => [name, 'done', at + 1]),
      [beams[1].name, 'failed', 3],
      ...[all.other.name, node.name, beams[0].name].map((name, at) => [name, 'undone', 2 - at]),
    ])
    await goesOn()
    t.strictSame(await all.versions(), [2, 2, 2, 2], 'all are in the version before')
    t.equal(await node.rpc.call(all.other.name, 'stock', 'version'), 2, 'which is what is called, too')
    for (const { name } of beams) t.equal(await node.rpc.call(name, 'stock', 'version'), 2)

    for (const pid of pids) self.send(pid, atom('stop'))
    let asked = 0
    for (const pid of pids) {
      const { elements } = await self.receive(match([atom('EXIT'), pid, any]), { timeout })
      const [done, number] = (elements[2] as Tuple<[Term, number]>).elements ?? []
      t.equal(done, atom('done'), 'each answer was the next')
      asked += (number as number) - 1
    }
    const answered = await Promise.all(
      servers.map(async ({ elements: [name, at] }) => {
        const { elements } = (await node.call({ name: name.name, node: at.name }, atom('get'), { timeout })) as Tuple<[number, number]>
        return elements[1]
      }),
    )
    // Each caller was stopped before its next round, or within it.
    for (const calls of answered) t.ok(calls >= asked && calls <= asked + count, `${calls} answers to ${asked} rounds`)
  })
}

async function refused(t: Test, all: Cluster): Promise<void> {
  const { node, other, beams, beam, file } = all
  const [first, second] = beams
  const before = await all.versions()
  const good = { update: 'stock', change: { advanced: [] }, code: await beam(first, 'stock', stock(9)) } as const
  const on = async (name: string, ...instructions: Instruction[]): Promise<ReleaseError> =>
    failure(
      node.releaseHandler.installRelease(
        [
          { node: first.name, instructions: [good] },
          { node: name, instructions },
        ],
        { timeout },
      ),
    )
  const told = ({ code, node, step, reason }: ReleaseError): unknown[] => [code, node, step, format(reason)]
  const update = { update: 'stock', change: 'soft', old: await beam(second, 'stock', stock(2)) } as const

  const path = await beam(second, 'shop', shop(9))
  t.strictSame(told(await on(second.name, { ...update, code: path })), ['ERR_RELEASE_CODE', second.name, 1, '{module,shop}'])
  t.strictSame(told(await on(second.name, { ...update, code: '/nowhere/stock.beam' })), ['ERR_RELEASE_CODE', second.name, 1, '{enoent,"/nowhere/stock.beam"}']) // prettier-ignore
  t.equal((await on(second.name, { ...update, code: Buffer.from('no beam') })).code, 'ERR_RELEASE_CODE')
  t.strictSame(told(await on(second.name, { ...update, code: new URL('file:///stock.beam') })), ['ERR_RELEASE_CODE', second.name, 1, 'url'])
  t.strictSame(told(await on(second.name, { loadModule: 'nope' })), ['ERR_RELEASE_OLD_CODE', second.name, 1, 'not_loaded'])
  t.strictSame(told(await on(second.name, { addModule: 'stock' })), ['ERR_RELEASE_INSTRUCTION', second.name, 1, 'already_loaded'])
  t.strictSame(told(await on(second.name, { addModule: 'nope' })), ['ERR_RELEASE_CODE', second.name, 1, 'non_existing'])
  const hidden = await beam(second, 'memory', '-module(memory).\n-export([one/0]).\none() -> 1.')
  await second.eval(`{ok, Bin} = file:read_file("${hidden}"), {module, memory} = code:load_binary(memory, "memory.beam", Bin), ok.`)
  t.strictSame(told(await on(second.name, { loadModule: 'memory', code: hidden })), ['ERR_RELEASE_OLD_CODE', second.name, 1, 'no_object_code']) // prettier-ignore
  const newer = await beam(second, 'memory', '-module(memory).\n-export([one/0]).\none() -> 2.')
  t.strictSame(told(await on(second.name, { loadModule: 'memory', code: newer, old: newer })), ['ERR_RELEASE_OLD_CODE', second.name, 1, 'other_version']) // prettier-ignore
  const undone = await on(second.name, { loadModule: 'memory', code: newer, old: hidden }, { apply: ['erlang', 'error', [atom('no')]] })
  t.strictSame(told(undone), ['ERR_RELEASE_APPLY', second.name, 2, 'no'])
  t.equal(await node.rpc.call(second.name, 'memory', 'one'), 1, 'what was in no file is taken back to what was given')

  const url = file('elsewhere.mjs', script(9))
  t.strictSame(told(await on(other.name, { ...update, code: url })), ['ERR_RELEASE_CODE', other.name, 1, 'not_from_another_node'])
  t.strictSame(told(await on(other.name, { ...update, code: path })), ['ERR_RELEASE_CODE', other.name, 1, 'not_a_url'])
  t.strictSame(told(await on(node.name, { loadModule: 'nope' })), ['ERR_RELEASE_OLD_CODE', node.name, 1, 'not_loaded'])
  t.strictSame(told(await on(node.name, { loadModule: 'erlang' })), ['ERR_RELEASE_INSTRUCTION', node.name, 1, 'reserved'])
  t.strictSame(told(await on(node.name, { addModule: 'stock', code: url })), ['ERR_RELEASE_INSTRUCTION', node.name, 1, 'already_loaded'])
  t.strictSame(told(await on(node.name, { addModule: 'nope' })), ['ERR_RELEASE_CODE', node.name, 1, 'no_url'])
  t.equal((await on('nobody@127.0.0.1', update)).code, 'ERR_RELEASE_NODE_DOWN')

  for (const wrong of [
    { restartNewEmulator: true },
    { restartApplication: 'shop' },
    {},
    null,
    { ...update, change: 'hard' },
    { ...update, update: 7 },
    { apply: ['a', 'b'] },
    { ...update, loadModule: 'x' },
    { loadModule: 'stock', code: 7 },
  ]) {
    const error = await on(second.name, wrong as unknown as Instruction)
    t.strictSame([error.code, error.node, error.step], ['ERR_RELEASE_INSTRUCTION', second.name, 1], error.message)
  }
  t.equal((await on(first.name, update)).code, 'ERR_RELEASE_INSTRUCTION', 'one node twice')
  t.equal((await on(second.name)).code, 'ERR_RELEASE_INSTRUCTION', 'nothing to do')

  await node.run(async self => {
    // They are in the version before the current one.
    for (const [name, code] of [
      [second.name, await beam(second, 'stock', stock(2))],
      [node.name, url],
    ] as const) {
      // prettier-ignore
      if (name === node.name) await node.code.purge('stock')
      else await second.eval('code:purge(stock).')
      const pid = await self.spawnAt(name, { module: 'stock', fun: 'hold', args: [self.pid] })
      await self.receive(match(pid))
      if (name === node.name) await node.code.load('stock', file('stock-2b.mjs', script(2)))
      else await second.eval(`code:load_abs("${String(code).replace(/\.beam$/, '')}").`)
      const again = { loadModule: 'stock', code, old: name === node.name ? undefined : String(code) } as const
      const error = await failure(node.releaseHandler.installRelease([{ node: name, instructions: [again] }], { timeout }))
      t.equal(error.code, 'ERR_RELEASE_IN_USE', error.message)
      self.monitor(pid)
      self.send(pid, atom('go'))
      await self.receive(match([atom('DOWN'), any, any, pid, any]), { timeout })
    }
    // Somebody else installs one there.
    const entered = node.releaseHandler.installRelease(
      [{ node: second.name, instructions: [{ apply: ['stock', 'hold', [self.pid]], undo: null }] }],
      { timeout },
    )
    const pid = await self.receive(isPid, { timeout })
    t.equal((await on(second.name, update)).code, 'ERR_RELEASE_BUSY')
    self.send(pid, atom('go'))
    await entered
  })
  t.strictSame(await all.versions(), before, 'nothing has changed')
}

async function notUndone(t: Test, all: Cluster): Promise<void> {
  const { node, other, beams, file } = all
  const [first, second] = beams
  first.expectLog(/code_change/)
  first.expectLog(/supervisor/i)
  const release = await updates(all, 5, 'down', 'up')
  release[2] = { node: other.name, instructions: [{ apply: ['stock', 'version', []] }] }
  const error = await failure(node.releaseHandler.installRelease(release, { timeout }))
  t.strictSame([error.code, error.node], ['ERR_RELEASE_CHANGE', second.name])
  const left = error.notUndone.map(({ node, step, server, reason }) => [node, step, server !== null, format(reason).slice(0, 22)])
  t.strictSame(left, [
    [other.name, 1, false, 'no_undo'],
    [node.name, 1, true, '{{\'Error\',<<"no">>},[{'],
    [first.name, 1, true, '{error,no}'],
    [first.name, 1, true, '{error,no}'],
  ])
  t.match(
    error.message,
    / Not taken back: instruction 1 of ts-.* \(no_undo\); instruction 1 of ts-\S+ \(<\S+, \{'Error',<<"no">>\}\); instruction 1 of beam-\S+ \(<\S+, \{error,no\}\);/,
  )
  // Here it stays in the new version, all of it; there a process that refused is ended, and its supervisor starts the old version.
  const again = `Next = fun F(Name) -> P = whereis(Name), case is_pid(P) andalso not lists:member(P, Ended) of true -> ok; false -> receive after 10 -> F(Name) end end end,
    [Next(Name) || Name <- [stock, store]].`
  await first.eval(again, { bindings: { Ended: error.notUndone.flatMap(({ server }) => server ?? []) }, timeout })
  t.strictSame(await all.versions(), [2, 2, 5, 2])
  t.equal(format(await node.call({ name: 'store', node: first.name }, atom('get'), { timeout })), '{2,0}')
  const back = { update: 'stock', change: { advanced: [] }, code: file('stock-2c.mjs', script(2)) } as const
  await node.releaseHandler.installRelease([{ node: node.name, instructions: [back] }], { timeout })
  t.strictSame(await all.versions(), [2, 2, 2, 2])
}

async function others(t: Test, all: Cluster): Promise<void> {
  const { node, beams, beam, file } = all
  const [first] = beams
  const erlang = (module: string, version: number): string => `-module(${module}).\n-export([version/0]).\nversion() -> ${version}.`
  const typescript = (version: number): string =>
    `export const version = () => ${version}\nexport const fail = () => { throw new Error('no') }`
  for (const module of ['plain', 'leaves']) {
    await first.eval(
      `true = code:add_patha("${(await beam(first, module, erlang(module, 1))).replace(/\/[^/]+$/, '')}"), ${module}:version().`,
    )
    await node.code.load(module, file(`${module}-1.mjs`, typescript(1)))
  }
  const there = `Loaded = fun(M) -> code:is_loaded(M) =/= false end, {ok, Spec} = supervisor:get_childspec(shop_sup, stock),
    {Loaded(comes), plain:version(), Loaded(leaves), maps:get(shutdown, Spec), gen_event:call(events, shop_log, get), application:get_env(shop, key)}.`
  const state = async (): Promise<string[]> => {
    const here = ['comes', 'plain', 'leaves'].map(async module => [
      node.code.isLoaded(atom(module) as Atom),
      (await node.code.versions(module)).map(({ number, current }) => (current ? number : -number)),
    ])
    return [format(await first.eval(there)), format((await Promise.all(here)) as unknown as Term)]
  }
  const advanced = { advanced: [] }
  const common = async (code: (module: string) => Promise<string | URL>): Promise<Instruction[]> => [
    { addModule: 'comes', code: await code('comes') },
    { loadModule: 'plain', code: await code('plain') },
    { deleteModule: 'leaves' },
  ]
  const onBeam = [
    ...(await common(module => beam(first, module, erlang(module, 2)))),
    { update: 'shop', change: 'supervisor', code: await beam(first, 'shop', shop(2)) },
    { update: 'shop_log', change: advanced, code: await beam(first, 'shop_log', log(2)) },
    { apply: ['application', 'set_env', [atom('shop'), atom('key'), 2]], undo: ['application', 'unset_env', [atom('shop'), atom('key')]] },
  ] satisfies Instruction[]
  const here = await common(async module => file(`${module}-2.mjs`, typescript(2)))
  const release = (...more: Instruction[]): NodeRelease[] => [
    { node: first.name, instructions: onBeam },
    { node: node.name, instructions: [...here, ...more] },
  ]
  const before = await state()
  t.strictSame(before, ['{false,1,true,1000,{1,1},undefined}', '[[false,[]],[true,[1]],[true,[1]]]'])
  const fails: Instruction = { apply: ['plain', 'fail', []] }
  const error = await failure(node.releaseHandler.installRelease(release(fails), { timeout }))
  t.strictSame([error.code, error.node, error.step, error.notUndone], ['ERR_RELEASE_APPLY', node.name, 4, []])
  t.match(format(error.reason), /^\{'Error',<<"no">>\}|\{\{'Error'/)
  t.strictSame(
    [(await state())[0], await node.rpc.call(node.name, 'plain', 'version'), await node.rpc.call(node.name, 'leaves', 'version')],
    [before[0], 1, 1],
  )
  t.notOk(node.code.isLoaded(atom('comes') as Atom))
  const aborted = new AbortController()
  const progress = ({ what }: ReleaseProgress): void => {
    if (what === 'done') aborted.abort(new Error('enough'))
  }
  const given = await failure(node.releaseHandler.installRelease(release(), { timeout, progress, signal: aborted.signal }))
  t.strictSame([given.code, given.step, (given.cause as Error).message, given.notUndone], ['ERR_RELEASE_ABORTED', 2, 'enough', []])
  t.equal((await state())[0], before[0])

  await node.releaseHandler.installRelease(release(), { timeout, purge: 'kill' })
  t.strictSame((await state())[0], '{true,2,false,2000,{2,2},{ok,2}}')
  t.strictSame(
    [
      await node.rpc.call(node.name, 'plain', 'version'),
      await node.rpc.call(node.name, 'comes', 'version'),
      node.code.isLoaded(atom('leaves') as Atom),
    ],
    [2, 2, false],
  )
}

async function mutual(t: Test, all: Cluster): Promise<void> {
  const { node, beams, beam } = all
  const [first] = beams
  const calls = `Ask = fun Next(N) -> receive stop -> exit({done, N}) after 0 -> {_, _} = gen_server:call(store, {ask, stock}, infinity), Next(N + 1) end end,
    [spawn_monitor(fun() -> Ask(0) end) || _ <- [1, 2, 3]].`
  const asking = (await first.eval(`{ok, Ts, _} = erl_scan:string(Text), {ok, Es} = erl_parse:parse_exprs(Ts), {value, Pids, _} = erl_eval:exprs(Es, []),
    [Pid || {Pid, _} <- Pids].`, { bindings: { Text: [...Buffer.from(calls)] } })) as Pid[] // prettier-ignore
  await node.run(async self => {
    for (const pid of asking) self.monitor(pid)
    for (const version of [3, 4]) {
      const code = await beam(first, 'stock', stock(version))
      const instructions = [{ update: 'stock', change: { advanced: [] }, code }] as const
      const [installed] = await node.releaseHandler.installRelease([{ node: first.name, instructions }], { timeout })
      t.equal(installed?.servers.length, 2)
    }
    for (const pid of asking) {
      self.send(pid, atom('stop'))
      const { elements } = await self.receive(match([atom('DOWN'), any, any, pid, any]), { timeout })
      t.match(format(elements[4] as Term), /^\{done,\d+\}$/)
    }
  })
  t.equal((await all.versions())[0], 4)
}

async function gone(t: Test, all: Cluster): Promise<void> {
  const { node, other, beams, beam, file } = all
  const [first] = beams
  const before = await all.versions()
  first.expectLog(/beamlet_release/)
  const conductor = await startNode(first)
  try {
    for (const name of [first.name, other.name]) await conductor.connect(name)
    file('stock.mjs', script(7))
    const told = new Promise<NodeError>(resolve => other.once('error', resolve))
    await node.run(async self => {
      const update = { update: 'stock', change: { advanced: [] } } as const
      const installed = conductor.releaseHandler.installRelease(
        [
          { node: other.name, instructions: [update] },
          {
            node: first.name,
            instructions: [
              { ...update, code: await beam(first, 'stock', stock(7)) },
              { apply: ['stock', 'hold', [self.pid]], undo: null },
            ],
          },
        ],
        { timeout },
      )
      // What it waits for ends with it, and so does its process.
      void installed.catch(() => {})
      const holder = await self.receive(isPid, { timeout })
      t.strictSame([(await all.versions())[0], (await all.versions())[3]], [7, 7])
      await conductor.close()
      self.send(holder, atom('go'))
      await first.waitForLog(/beamlet_release/, { timeout })
      const error = await told
      t.equal(error.code, 'ERR_RELEASE_NODE_DOWN')
      t.match(error.message, /is gone, or was ended: (shutdown|noconnection)\. It was taken back\./)
    })
    t.strictSame(await all.versions(), before)
  } finally {
    await conductor.close()
  }
}

async function lost(t: Test, all: Cluster): Promise<void> {
  const { node, beams } = all
  const before = await all.versions()
  const release = await updates(all, 8)
  const halt: Instruction = { apply: ['erlang', 'halt', []] }
  release[3] = { node: beams[1].name, instructions: [...(release[3]?.instructions ?? []), halt] }
  const error = await failure(node.releaseHandler.installRelease(release, { timeout }))
  t.strictSame([error.code, error.node, error.step, format(error.reason)], ['ERR_RELEASE_NODE_DOWN', beams[1].name, 2, 'noconnection'])
  t.strictSame(error.notUndone, [{ node: beams[1].name, step: null, instruction: null, server: null, reason: atom('noconnection') }])
  const names = all.names.filter((_, at) => at !== 1)
  const after = names.map(async name => ((await node.call({ name: 'stock', node: name }, atom('get'), { timeout })) as Tuple).elements[0])
  t.strictSame(
    await Promise.all(after),
    before.filter((_, at) => at !== 1),
  )
}
