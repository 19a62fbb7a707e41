/** `{via, Module, Name}`: what OTP's gen does with a module that keeps names, beside one in Erlang. */
import t, { type Test } from 'tap'
import { atom, ExitError, format, get, type LogEvent, type Node, type NodeProcess, type Pid, type Term, type TermMap, Tuple, tuple, type ViaName } from 'beamlet' // prettier-ignore
import { type Beam, startBeam } from 'beamlet/interop'
import { eventHandler, genEvent, genServer, genStatem, ignore, keep, next, reply, stop, supervisor } from 'beamlet/otp'
import { eachOtp } from './support/each-otp.js'
import { counter as placed } from './support/placed/counter.mjs'
import { patience } from './support/pair.js'
import { evaluator, startNode } from './support/places.js'

/** `book` keeps names, and tells `told` what it is asked; `till` is each behaviour in one. */
const erlang = [
  String.raw`
-module(book).
-compile([export_all, nowarn_export_all]).
open() -> Me = self(), spawn(fun() -> ets:new(book, [named_table, public]), Me ! open, receive stop -> ok end end), receive open -> ok end.
tell(T) -> case whereis(told) of undefined -> ok; P -> P ! {asked, T} end.
now(N) -> case ets:lookup(book, N) of [{_, P}] -> case is_process_alive(P) of true -> P; false -> undefined end; [] -> undefined end.
register_name(N, P) -> tell({register_name, N}), case now(N) of undefined -> ets:insert(book, {N, P}), yes; _ -> no end.
unregister_name(N) -> tell({unregister_name, N}), ets:delete(book, N).
whereis_name(N) -> tell({whereis_name, N}), now(N).
send(N, M) -> tell({send, N}), case now(N) of undefined -> exit({badarg, {N, M}}); P -> P ! M, P end.
`,
  String.raw`
-module(till).
-compile([export_all, nowarn_export_all]).
callback_mode() -> handle_event_function.
init({statem, N}) -> {ok, idle, N};
init({sup, Name}) -> {ok, {#{}, [#{id => c, start => {gen_server, start_link, [Name, till, 1, []]}}]}};
init(refused) -> {stop, refused};
init(crash) -> exit(crashed);
init(ignored) -> ignore;
init(N) -> {ok, N}.
handle_call(get, _, N) -> {reply, N, N}.
handle_info(_, N) -> {noreply, N}.
handle_cast(reset, _) -> {noreply, 0};
handle_cast(crash, _) -> exit(crashed).
handle_event(crash, _) -> exit(crashed);
handle_event(_, N) -> {ok, N}.
handle_event({call, F}, get, _, N) -> {keep_state, N, [{reply, F, N}]};
handle_event(cast, crash, _, _) -> exit(crashed).
asked(F) ->
  true = register(told, self()),
  R = (catch F()),
  unregister(told),
  {outcome(R), all()}.
all() -> receive {asked, A} -> [A | all()] after 0 -> [] end.
outcome({ok, P}) when is_pid(P) -> ok;
outcome({error, {already_started, P}}) when is_pid(P) -> taken;
outcome({'EXIT', {Why, {_, call, _}}}) -> {exit, Why};
outcome({'EXIT', Why}) -> {exit, Why};
outcome(R) -> R.
`,
]

/** Also steps that fail take a name away again. */
const steps: readonly (readonly [what: string, erlang: string])[] = [
  ['start', 'gen_server:start({via, book, a}, till, 7, [])'],
  ['start', 'gen_server:start({via, book, a}, till, 7, [])'],
  ['call', 'gen_server:call({via, book, a}, get)'],
  ['cast', 'gen_server:cast({via, book, a}, reset)'],
  ['call', 'gen_server:call({via, book, a}, get)'],
  ['send', 'book:send(a, hello), ok'],
  ['sendNobody', 'book:send(nobody, hello), ok'],
  ['callNobody', 'gen_server:call({via, book, nobody}, get)'],
  ['castNobody', 'gen_server:cast({via, book, nobody}, reset)'],
  ['refused', 'gen_server:start({via, book, b}, till, refused, [])'],
  ['ignored', 'gen_server:start({via, book, b}, till, ignored, [])'],
  ['crash', 'gen_server:start({via, book, b}, till, crash, [])'],
  ['statem', 'gen_statem:start({via, book, s}, till, {statem, 5}, [])'],
  ['callStatem', 'gen_statem:call({via, book, s}, get)'],
  ['events', 'gen_event:start({via, book, e})'],
  ['notify', 'gen_event:notify({via, book, e}, hello)'],
  ['notifyNobody', 'gen_event:notify({via, book, nobody}, hello)'],
  ['syncNotify', 'gen_event:sync_notify({via, book, e}, hello)'],
  ['sup', '{ok, P} = supervisor:start_link({via, book, sup}, till, {sup, {via, book, c}}), unlink(P), {ok, P}'],
  ['children', 'length(supervisor:which_children({via, book, sup}))'],
  ['callChild', 'gen_server:call({via, book, c}, get)'],
]

const server = genServer({
  init: (what: number | Term) => {
    if (what === atom('refused')) return stop(atom('refused'))
    if (what === atom('ignored')) return ignore
    if (what === atom('crash')) throw new ExitError(atom('crashed'))
    return what as number
  },
  call: { get: n => reply(n, n) },
  info: n => n,
  cast: {
    reset: () => 0,
    crash: () => {
      throw new ExitError(atom('crashed'))
    },
  },
})
const statem = genStatem({
  init: (n: number) => next('idle', n),
  states: {
    idle: {
      call: { get: n => reply(n, keep(n)) },
      cast: {
        crash: () => {
          throw new ExitError(atom('crashed'))
        },
      },
    },
  },
})
const handlers = {
  till: eventHandler({
    init: () => 1,
    handleEvent: (event, n: number) => {
      if (event === atom('crash')) throw new ExitError(atom('crashed'))
      return n
    },
  }),
}
const via = (name: string): ViaName => ({ via: ['book', atom(name)] })

type Step = () => unknown

function ours(node: Node): Readonly<Record<string, Step>> {
  const start = (name: string, what: unknown) => node.start(server, { args: [what] as never, name: via(name) })
  const sup = supervisor({ children: [{ id: 'c', start: server, args: [1] as [number], name: via('c') }] })
  return {
    start: () => start('a', 7),
    call: () => node.call(via('a'), atom('get')),
    cast: () => node.cast(via('a'), atom('reset')),
    send: () => node.send(via('a'), atom('hello')),
    sendNobody: () => node.run(async self => self.send(via('nobody'), atom('hello'))),
    callNobody: () => node.call(via('nobody'), atom('get')),
    castNobody: () => node.cast(via('nobody'), atom('reset')),
    refused: () => start('b', atom('refused')),
    ignored: () => start('b', atom('ignored')),
    crash: () => start('b', atom('crash')),
    statem: () => node.start(statem, { args: [5], name: via('s') }),
    callStatem: () => node.ref(via('s')).call('get' as never),
    events: () => node.start(genEvent({ handlers }), { name: via('e') } as never),
    notify: () => node.eventRef(via('e')).notify(atom('hello')),
    notifyNobody: () => node.eventRef(via('nobody')).notify(atom('hello')),
    syncNotify: () => node.eventRef(via('e')).syncNotify(atom('hello')),
    sup: () => node.start(sup, { name: via('sup') }),
    children: async () => (await node.supervisorRef(via('sup')).whichChildren()).length,
    callChild: () => node.ref<typeof server>(via('c')).call('get'),
  }
}

/** As `outcome` in Erlang has it */
async function outcome(step: Step): Promise<Term> {
  try {
    const value = await step()
    return value === undefined || value === true || value instanceof Object ? atom('ok') : (value as Term)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'ERR_NAME_TAKEN') return atom('taken')
    if (code === 'ERR_IGNORE') return atom('ignore')
    if (!(error instanceof ExitError)) throw error
    const exits = error.reason === atom('noproc') || (error.reason instanceof Tuple && error.reason.tag === 'badarg')
    return tuple(atom(exits ? 'exit' : 'error'), error.reason)
  }
}

function openBook(asked: Term[]): Record<string, (this: NodeProcess, ...args: any[]) => unknown> {
  const book = new Map<string, Pid>()
  const living = (node: Node, name: string): Pid | undefined => {
    const pid = book.get(name)
    return pid && node.processes.table.find(pid) ? pid : undefined
  }
  const tell = (fun: string, name: Term): string => (asked.push(tuple(atom(fun), name)), format(name))
  return {
    registerName(name: Term, pid: Pid) {
      const key = tell('register_name', name)
      return living(this.node, key) ? false : book.set(key, pid) === book
    },
    unregisterName: (name: Term) => void book.delete(tell('unregister_name', name)),
    whereisName(name: Term) {
      return living(this.node, tell('whereis_name', name))
    },
    send(name: Term, message: Term) {
      const pid = living(this.node, tell('send', name))
      if (!pid) throw new ExitError(tuple(atom('badarg'), tuple(name, message)))
      this.send(pid, message)
      return pid
    },
  }
}

t.test('names that a module keeps', async t => {
  const suite = async (t: Test, { start }: { readonly start: (options: object) => Promise<Beam> }): Promise<void> => {
    const beam = await start({ code: erlang })
    const other = await start({ code: erlang, cookie: beam.cookie })
    other.expectLog(/terminat|crash|CRASH|supervisor|SUPERVISOR|PROGRESS|Error|till/)
    await using node = await startNode(beam, { schedulers: { count: 1 } })
    node.on('crash', () => {})
    await node.connect(beam.name)
    const asked: Term[] = []
    await node.code.load('book', openBook(asked))
    await other.eval('ok = book:open().')
    await t.test('the module is asked what OTP asks one, and says what comes of it', async t => {
      const all = ours(node)
      for (const [what, source] of steps) {
        const theirs = await other.eval(`till:asked(fun() -> ${source} end).`)
        const result = await outcome(all[what] as Step)
        // gen_statem looks once more for what it has registered.
        const once = format(theirs).replace('{register_name,s},{whereis_name,s}', '{register_name,s}')
        t.equal(format(tuple(result, asked.splice(0)) as Term), once, source)
      }
    })
    await t.test('Erlang sees the name where it sees that of its own', t => shown(t, beam, other, node))
    await wrong(t, node)
    await elsewhere(t, beam, node)
  }
  await eachOtp<Beam>(t, suite as never, startBeam)
})

/** What `sys` and the reports of a crash call a server */
async function shown(t: Test, beam: Beam, other: Beam, node: Node): Promise<void> {
  const header = '[lists:flatten(H) || {status, _, _, [_, _, _, _, M]} <- [sys:get_status(P)], {header, H} <- M]'
  for (const name of ['a', 's', 'e', 'sup']) {
    const theirs = await other.eval(`P = book:now(${name}), ${header}.`)
    const pid = node.ref(via(name)).pid
    t.equal(format(await beam.eval(`${header}.`, { bindings: { P: pid } })), format(theirs), name)
  }
  const names = `Me = self(), {ok, _} = {logger:add_handler(names, logger_std_h, #{filters => [{f, {fun(E, _) -> Me ! {log, E}, stop end, x}}]}), x},
    gen_event:add_handler({via, book, e}, till, 1), Refs = [monitor(process, book:now(N)) || N <- [a, s, c]],
    gen_server:cast({via, book, a}, crash), gen_statem:cast({via, book, s}, crash), gen_server:cast({via, book, c}, crash), ok = gen_event:sync_notify({via, book, e}, crash),
    [receive {'DOWN', R, _, _, _} -> ok after ${patience} -> exit(late) end || R <- Refs], _ = supervisor:which_children(book:now(sup)), catch sys:get_state(logger), timer:sleep(0),
    All = fun F() -> receive {log, #{msg := {report, R}}} -> [R | F()]; {log, _} -> F() after 0 -> [] end end, Reports = All(), logger:remove_handler(names),
    lists:sort([case R of #{label := L, name := N} -> {L, N}; #{label := L, report := [{supervisor, S} | _]} -> {L, S}; #{label := L, report := [I, _]} when element(1, L) =:= proc_lib -> {L, proplists:get_value(registered_name, I)} end
      || R <- Reports, element(1, maps:get(label, R)) =/= supervisor orelse element(2, maps:get(label, R)) =/= progress]).` // prettier-ignore
  const theirs = await other.eval(names, { timeout: 2 * patience })
  const told: Term[] = []
  const nameIn = (report: TermMap, label: Tuple): Term => {
    const name = get(report, atom('name'))
    if (name !== undefined) return name
    const [first] = get(report, atom('report')) as unknown as readonly Term[]
    if (label.tag === 'proc_lib') return (first as unknown as Tuple[]).find(pair => pair.tag === 'registered_name')?.elements[1] as Term
    return (first as Tuple).elements[1] as Term
  }
  const enough = new Promise<void>(resolve => {
    node.on('logger', ({ report }: LogEvent) => {
      const label = report instanceof Map ? get(report as TermMap, atom('label')) : undefined
      if (!(label instanceof Tuple) || (label.tag === 'supervisor' && label.elements[1] === atom('progress'))) return
      told.push(tuple(label as never, nameIn(report as TermMap, label)))
      if (told.length === (theirs as readonly Term[]).length) resolve()
    })
  })
  await node.eventRef(via('e')).addHandler('till' as never, [] as never)
  for (const name of ['a', 's', 'c']) node.cast(via(name), atom('crash'))
  await node.eventRef(via('e')).syncNotify(atom('crash'))
  await enough
  t.strictSame(told.map(term => format(term)).sort(), (theirs as readonly Term[]).map(term => format(term)).sort())
}

async function wrong(t: Test, node: Node): Promise<void> {
  await t.test('a module that is not loaded here, or does not do what it shall', async t => {
    const absent: ViaName = { via: ['absent', atom('a')] }
    await t.rejects(node.call(absent, atom('get')), { code: 'ERR_VIA', message: /node\.code\.load\('absent'/ })
    t.throws(() => node.cast(absent, atom('get')), { code: 'ERR_VIA' })
    t.throws(() => node.send(absent, atom('get')), { code: 'ERR_VIA' })
    t.throws(() => node.send({ global: 'nobody' }, atom('get')), { code: 'ERR_NOT_REGISTERED' })
    t.throws(() => node.ref(absent).pid, { code: 'ERR_VIA' })
    await t.rejects(node.start(server, { args: [1], name: absent }), { code: 'ERR_VIA' })
    await t.rejects(node.call({ via: ['absent'] } as never, atom('get')), { code: 'ERR_BADARG' })
    await t.rejects(node.call({ via: ['true', 1] }, atom('get')), { code: 'ERR_NAME' })
    const fault = (): never => {
      throw new TypeError('a fault')
    }
    const functions = { whereisName: async () => undefined, registerName: () => true, send: fault, unregisterName: fault }
    await node.code.load('faulty', functions)
    const faulty: ViaName = { via: ['faulty', atom('a')] }
    await t.rejects(node.call(faulty, atom('get')), { code: 'ERR_VIA', message: /at once/ })
    t.throws(() => node.cast(faulty, atom('get')), { message: 'a fault' })
    await node.code.load('faulty', { ...functions, whereisName: () => undefined })
    const reported = new Promise<LogEvent>(resolve => node.once('logger', resolve))
    await t.rejects(node.start(server, { args: [atom('ignored')], name: faulty }), { code: 'ERR_IGNORE' })
    t.match((await reported).message, /unregister_name.*\{via,faulty,a\}[\s\S]*a fault/)
    await node.code.load('refuses', { ...functions, whereisName: () => undefined, registerName: () => atom('no') })
    await t.rejects(node.start(server, { args: [1], name: { via: ['refuses', 1] } }), { code: 'ERR_NAME_TAKEN' })
  })
}

async function elsewhere(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('a server in the pool has such a name, by the module there', async t => {
    await node.code.load('shared', new URL('./support/placed/book.mjs', import.meta.url))
    const name: ViaName = { via: ['shared', tuple(atom('till'), 1)] }
    const ref = await node.start(placed, { args: [3], on: 'pool', name } as never)
    t.equal(await node.call(name, atom('get')), 3)
    t.equal(format(node.ref(name).pid), format((ref as { pid: Pid }).pid))
    await t.rejects(node.start(placed, { args: [3], on: 'pool', name } as never), { code: 'ERR_NAME_TAKEN' })
    const header = '[lists:flatten(H) || {status, _, _, [_, _, _, _, M]} <- [sys:get_status(P)], {header, H} <- M].'
    const bindings = { P: (ref as { pid: Pid }).pid }
    t.equal(format(await evaluator(beam, node)(header, bindings)), '["Status for generic server {till,1}"]')
  })
}
