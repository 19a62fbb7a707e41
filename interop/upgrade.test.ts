/** Live upgrades beside real BEAM nodes, whose processes call all the time. */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { any, atom, format, match, type Node, type NodeProcess, type Pid, type Term, type Tuple, tuple } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import type { GenServer } from 'beamlet/otp'
import { eachOtp } from './support/each-otp.js'
import { evaluator, startNode } from './support/places.js'

/** A machine that does much else at the same time needs it. */
const timeout = 120_000

/**
 * A server that keeps the last number of each caller, and how many calls there were. Its answer is `{Version, Number, Calls}`; a number that is not the
 * caller's next ends it.
 */
const source = (version: number, refuses = 'false'): string => `
import { genServer, reply, supervisor } from 'beamlet/otp'
import { atom, tuple } from 'beamlet'
export const vsn = ${version}
export const calc = genServer({
  module: import.meta.url,
  init: () => ({ last: new Map(), calls: 0, moves: 0 }),
  call: {
    add({ last, calls, moves }, caller, number) {
      if (number !== (last.get(caller) ?? 0) + 1) throw new Error('not the next: ' + number + ' of ' + caller)
      last.set(caller, number)
      return reply(tuple(${version}, number, calls + 1), { last, calls: calls + 1, moves })
    },
    get: state => reply(tuple(${version}, state.calls, state.moves), state),
  },
  async codeChange(oldVsn, { last, calls, moves }, extra) {
    if (${refuses}) throw new Error('no')
    await null
    return { last: new Map(last), calls, moves: moves + 1 }
  },
})
const child = (id, on) => ({ id, start: calc, name: id, on })
export const tree = supervisor({
  module: import.meta.url,
  intensity: 10,
  children: [child('here'), child('pool', 'pool'), child('isolated', 'isolated')${version === 1 ? '' : `, child('more')`}],
})
export const version = () => ${version}
`

/** Callers: each asks the servers one after the other, and tells after every tenth answer that it goes on. The last word is how many answers it had. */
const callers = String.raw`
-module(callers).
-export([start/3]).

start(Servers, Count, To) -> [spawn_link(fun() -> call(Servers, Servers, Id, 1, 0, To) end) || Id <- lists:seq(1, Count)].

call([], Servers, Id, Number, Version, To) -> call(Servers, Servers, Id, Number + 1, Version, To);
call([Server | More], Servers, Id, Number, Version, To) ->
    receive stop -> exit({done, Id, Number, Version})
    after 0 ->
        {Answered, Number, _} = gen_server:call(Server, {add, Id, Number}, infinity),
        true = Answered >= Version andalso Answered < 1000,
        Number rem 10 =:= 0 andalso More =:= [] andalso (To ! {goes_on, Id, Answered}),
        call(More, Servers, Id, Number, Answered, To)
    end.
`

const count = 8

t.test('live upgrades', async t => {
  const suite = async (t: Test, { start }: { readonly start: (options: { code: string }) => Promise<Beam> }): Promise<void> => {
    // Places that start read what was loaded last, so it stays until the node is closed.
    const folder = t.testdir()
    const beam = await start({ code: callers })
    await using node = await startNode(beam, { schedulers: { count: 1 } })
    node.on('crash', () => {})
    await node.connect(beam.name)
    const evaluate = evaluator(beam, node)
    await t.test('every call is answered once, in order, by a version that was there', t => underLoad(t, beam, node, folder))
    await t.test('sys:change_code after c:l', t => byErlang(t, node, evaluate, folder))
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

interface Versions {
  file(version: number, refuses?: string): URL
  readonly tree: GenServer<[], any, any, any>
}

async function versionsIn(folder: string): Promise<Versions> {
  const file = (version: number, refuses?: string): URL => {
    const path = `${folder}/calc-${version}.mjs`
    writeFileSync(path, source(version, refuses))
    return pathToFileURL(path)
  }
  return { file, tree: ((await import(file(1).href)) as { tree: GenServer<[], any, any, any> }).tree }
}

async function underLoad(t: Test, beam: Beam, node: Node, folder: string): Promise<void> {
  const { file, tree } = await versionsIn(folder)
  await node.code.load('calc', file(1))
  const sup = await node.start(tree, { name: 'calc_sup' })
  const ids = ['here', 'pool', 'isolated']
  const before = await pidsOf(node, ids)
  await node.run(async self => {
    self.trapExit = true
    const servers = ids.map(id => tuple(atom(id), atom(node.name)))
    const bindings = { Servers: servers, Self: self.pid }
    const pids = (await beam.eval(`Pids = callers:start(Servers, ${count}, Self), Pids.`, { bindings })) as Pid[]
    for (const pid of pids) self.link(pid)
    for (let id = 1; id <= count; id++) await toldBy(self, id, 1)
    for (let version = 2; version <= 51; version++) {
      const { servers } = await node.code.upgrade('calc', file(version), { timeout })
      if (servers.length !== ids.length + 1) t.fail(`${servers.length} servers moved to version ${version}`)
      if (version % 5 === 0) {
        const which = ids[(version / 5) % ids.length] as string
        const refuses = `String(this.node.whereis('${which}')) === String(this.pid)`
        await t.rejects(node.code.upgrade('calc', file(1000 + version, refuses), { timeout }), {
          code: 'ERR_CODE_CHANGE',
          message: new RegExp(`'${which}' <.*{'Error',<<"no">>}`),
        })
      }
      for (let id = 1; id <= count; id++) await toldBy(self, id, version)
    }
    for (const pid of pids) self.send(pid, atom('stop'))
    let asked = 0
    for (const pid of pids) {
      const { elements: exit } = await self.receive(match([atom('EXIT'), pid, any]), { timeout })
      const [done, , number, version] = (exit[2] as Tuple<[Term, Term, number, number]>).elements ?? []
      t.strictSame([done, version], [atom('done'), 51], 'each answer was the next, and of no older version than the one before')
      asked += number as number
    }
    t.strictSame(await pidsOf(node, ids), before, 'nobody ended')
    const states = await Promise.all(ids.map(id => node.call(id, atom('get'), { timeout }) as Promise<Tuple<[number, number, number]>>))
    for (const { elements: [version, , moves] } of states) t.strictSame([version, moves], [51, 50]) // prettier-ignore
    // Each caller was stopped before its next round, or within it.
    const answered = states.reduce((sum, { elements: [, calls] }) => sum + calls, 0)
    t.ok(answered >= (asked - count) * ids.length && answered <= asked * ids.length, `${answered} answers to ${asked} rounds`)
  })
  await beam.eval('gen_server:stop(Sup, shutdown, infinity).', { bindings: { Sup: sup.pid }, timeout })
}

/** That caller has been answered by that version. */
async function toldBy(self: NodeProcess, id: number, by: number): Promise<void> {
  for (;;) {
    const told = await self.receive(match.oneOf(match([atom('goes_on'), id, any]), match([atom('EXIT'), any, any])), { timeout })
    const [tag, , version] = told.elements as readonly Term[]
    if (tag !== atom('goes_on')) throw new Error(`A caller has ended: ${format(told as Term)}`)
    if (version === by) return
  }
}

const pidsOf = async (node: Node, names: readonly string[]): Promise<string[]> => names.map(name => String(node.whereis(name)))

/** What Erlang does to one server after the other, as a release handler does, and to their supervisor. */
async function byErlang(t: Test, node: Node, evaluate: (source: string) => Promise<Term>, folder: string): Promise<void> {
  const path = `${folder}/calc.mjs`
  const write = (version: number, refuses?: string): void => writeFileSync(path, source(version, refuses))
  write(1)
  const url = pathToFileURL(path)
  await node.code.load('calc', url)
  const { tree } = (await import(url.href)) as { tree: GenServer<[], any, any, any> }
  await node.start(tree, { name: 'calc_sup' })
  const tools = `Get = fun(Id) -> gen_server:call({Id, Ts}, get, 60000) end, Ids = [here, pool, isolated], All = fun() -> [Get(Id) || Id <- Ids] end,
    Sup = {calc_sup, Ts}, Pid = fun(Id) -> element(2, lists:keyfind(Id, 1, supervisor:which_children(Sup))) end,
    Change = fun(Name) -> ok = sys:suspend(Name, 60000), A = sys:change_code(Name, calc, 1, [], 60000), ok = sys:resume(Name, 60000), A end,`
  const ask = async (program: string): Promise<string> => format(await evaluate(`${tools} ${program}`))

  t.equal(await ask('All().'), '[{1,0,0},{1,0,0},{1,0,0}]')
  write(2)
  t.equal(await ask('rpc:call(Ts, c, l, [calc]).'), '{module,calc}')
  t.equal(await ask('All().'), '[{1,0,0},{1,0,0},{1,0,0}]', 'they stay until they are told')
  const late = `ok = sys:suspend({Id, Ts}), Me = self(), spawn(fun() -> Me ! Get(Id) end), receive _ -> early after 0 -> ok end,
    ok = sys:change_code({Id, Ts}, calc, 1, []), ok = sys:resume({Id, Ts}), receive A -> A end`
  t.equal(await ask(`[begin ${late} end || Id <- Ids].`), '[{2,0,1},{2,0,1},{2,0,1}]', 'a call that came while it was suspended')
  t.equal(
    await ask('{Change(Sup), lists:sort([Id || {Id, _, _, _} <- supervisor:which_children(Sup)])}.'),
    '{ok,[here,isolated,more,pool]}',
  )
  t.match(await ask('{ok, _} = supervisor:restart_child(Sup, more), Get(more).'), '{2,0,0}')

  write(3, `String(this.node.whereis('pool')) === String(this.pid)`)
  t.equal(await ask('rpc:call(Ts, code, load_file, [calc]).'), '{module,calc}')
  t.match(await ask('[Change({Id, Ts}) || Id <- Ids].'), /^\[ok,\{error,\{'EXIT',\{\{'Error',<<"no">>\},.*\}\}\},ok\]$/)
  t.equal(await ask('All().'), '[{3,0,2},{2,0,1},{3,0,2}]', 'that one stays as it was')
  const again = `Old = Pid(Id), exit(Old, kill), (fun F() -> case Pid(Id) of P when is_pid(P), P =/= Old -> ok; _ -> receive after 10 -> F() end end end)()`
  t.equal(await ask(`[begin ${again} end || Id <- Ids], All().`), '[{3,0,0},{3,0,0},{3,0,0}]', 'a supervisor starts the newest')
  await evaluate('gen_server:stop({calc_sup, Ts}, shutdown, infinity).')
}
