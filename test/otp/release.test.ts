/** A release on one node: what is taken back there, in every place, and what is left of it. */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { any, type Atom, atom, format, type Instruction, isPid, match, Node, type NodeError, Pid, type Term, type Tuple } from 'beamlet'
import type { GenServer } from 'beamlet/otp'
import t, { type Test } from 'tap'
import { uniqueName } from '../node/support.js'

/** A machine that does much else at the same time needs it. */
const timeout = 60_000

/** All behaviours; each state is a list, to which `codeChange` adds what it was told that it changes from. */
const source = (version: number): string => `
import { eventHandler, genEvent, genServer, genStatem, keep, next, reply, supervisor } from 'beamlet/otp'
export const vsn = ${version}
const tell = state => reply([${version}, state], state)
export const calc = genServer({
  module: import.meta.url,
  init: () => [${version}],
  call: { get: tell },
  codeChange: (from, state, extra) => [...state, from, extra],
})
export const door = genStatem({
  module: import.meta.url,
  init: () => next('closed', [${version}]),
  states: { closed: { call: { get: data => reply([${version}, data], keep(data)) } } },
  codeChange: (from, state, data) => keep([...data, from]),
})
const inner = eventHandler({
  init: () => [${version}],
  handleEvent: (_, state) => state,
  call: { get: tell },
  codeChange: (from, state) => [...state, from],
})
export const events = genEvent({ module: import.meta.url, handlers: { inner } })
const child = (id, start, on) => ({ id, start, name: id, on })
export const tree = supervisor({
  module: import.meta.url,
  children: [child('here', calc), child('pool', calc, 'pool'), child('door', door), child('events', events), ${version === 1 ? '' : `child('more', calc)`}],
})
export const version = () => ${version}
export function hold(to) { this.send(to, this.pid); return this.receive().then(() => ${version}) }
export const fail = () => { throw new Error('no') }
`

interface Given {
  readonly node: Node
  write(version: number): URL
  /** What the servers say of themselves */
  states(): Promise<string[]>
  install(...instructions: Instruction[]): Promise<unknown>
}

async function given(t: Test): Promise<Given> {
  const folder = t.testdir()
  const node = await Node.start({
    name: uniqueName(),
    cookie: 'secret',
    epmd: false,
    listen: false,
    schedulers: { count: 1, execArgv: [], spare: false },
  })
  t.teardown(() => node.close())
  const write = (version: number): URL => {
    writeFileSync(`${folder}/calc-${version}.mjs`, source(version))
    return pathToFileURL(`${folder}/calc-${version}.mjs`)
  }
  const url = write(1)
  await node.code.load('calc', url)
  const { tree } = (await import(url.href)) as { tree: GenServer<[], any, any, any> }
  await node.start(tree, { name: 'sup' })
  await node.eventRef('events').addHandler('inner')
  const states = async (): Promise<string[]> => {
    const asked = ['here', 'pool', 'door'].map(name => node.call(name, atom('get'), { timeout }))
    return (await Promise.all([...asked, node.eventRef('events').request('inner', atom('get'))])).map(term => format(term))
  }
  const install = (...instructions: Instruction[]): Promise<unknown> =>
    node.releaseHandler.installRelease([{ node: node.name, instructions }], { timeout })
  return { node, write, states, install }
}

const failing: Instruction = { apply: ['calc', 'fail', []] }

t.test('states go up and down again, of all behaviours, and who runs the version that comes back goes on in it', async t => {
  const { node, write, states, install } = await given(t)
  t.strictSame(await states(), ['[1,[1]]', '[1,[1]]', '[1,[1]]', '[1,[1]]'])
  await node.run(async self => {
    const held = node.spawn({ module: 'calc', fun: 'hold', args: [self.pid] })
    self.monitor(held)
    await self.receive(isPid)
    await t.rejects(install({ update: 'calc', change: { advanced: 7 }, code: write(2) }, failing), {
      code: 'ERR_RELEASE_APPLY',
      step: 2,
      notUndone: [],
    })
    t.strictSame(await states(), ['[1,[1,1,7,{down,1},7]]', '[1,[1,1,7,{down,1},7]]', '[1,[1,1,{down,1}]]', '[1,[1,1,{down,1}]]'])
    t.equal(await node.rpc.call(node.name, 'calc', 'version'), 1)
    t.ok(await node.isAlive(held), 'it is in no version that is purged')
    self.send(held, atom('go'))
    await self.receive(match([atom('DOWN'), any, any, held, atom('normal')]), { timeout })
    t.strictSame(
      (await node.code.versions('calc')).map(({ number, current, definitions }) => [number, current, definitions]),
      [
        [1, true, 5],
        [2, false, 0],
      ],
    )
    await install({ update: 'calc', change: { advanced: 7 }, code: write(3) })
    t.strictSame(await states(), [
      ...['here', 'pool'].map(() => '[3,[1,1,7,{down,1},7,1,7]]'),
      ...['door', 'inner'].map(() => '[3,[1,1,{down,1},1]]'),
    ])
  })
})

t.test('a change that is soft asks no codeChange, up or down', async t => {
  const { write, states, install } = await given(t)
  const update = { update: 'calc', change: 'soft' } as const
  await t.rejects(install({ ...update, code: write(2) }, failing), { code: 'ERR_RELEASE_APPLY', notUndone: [] })
  t.strictSame(await states(), ['[1,[1]]', '[1,[1]]', '[1,[1]]', '[1,[1]]'])
  await install({ ...update, code: write(2) })
  t.strictSame(await states(), ['[2,[1]]', '[2,[1]]', '[2,[1]]', '[2,[1]]'])
})

t.test('modules that are loaded, added and deleted come back in every place', async t => {
  const { node, write, install } = await given(t)
  const at = async (on: 'main' | 'pool'): Promise<unknown> =>
    node.run(async self => {
      const [pid] = self.spawnMonitor({ module: 'calc', fun: 'hold', args: [self.pid] }, { on })
      const down = match([atom('DOWN'), any, any, pid, any])
      const first = await self.receive(match.oneOf(pid, down), { timeout })
      if (!(first instanceof Pid)) return format((first as Tuple).elements[4] as Term).slice(0, 6)
      self.send(pid, atom('go'))
      await self.receive(down, { timeout })
      return 'runs'
    })
  const both = async (): Promise<unknown[]> => [await at('main'), await at('pool'), await node.rpc.call(node.name, 'calc', 'version')]
  await t.rejects(install({ loadModule: 'calc', code: write(2) }, failing), { code: 'ERR_RELEASE_APPLY', notUndone: [] })
  t.strictSame(await both(), ['runs', 'runs', 1])
  await t.rejects(install({ deleteModule: 'calc' }, { apply: ['erlang', 'nope', []] }), { code: 'ERR_RELEASE_APPLY', notUndone: [] })
  t.strictSame(await both(), ['runs', 'runs', 1])
  await t.rejects(install({ addModule: 'more', code: write(3) }, failing), { code: 'ERR_RELEASE_APPLY', notUndone: [] })
  t.notOk(node.code.isLoaded(atom('more') as Atom))
})

t.test('a file that does not load, and one of another shape, change nothing', async t => {
  const { node, write, states, install } = await given(t)
  const broken = write(2)
  writeFileSync(broken, 'export const = 1')
  for (const instruction of [
    { update: 'calc', change: { advanced: [] }, code: broken },
    { loadModule: 'calc', code: broken },
    { addModule: 'more', code: broken },
  ] as const)
    await t.rejects(install(instruction), { code: 'ERR_RELEASE_LOAD', step: 1, notUndone: [] })
  const odd = write(3)
  writeFileSync(odd, `export const vsn = 3; export const version = () => 3`)
  await t.rejects(install({ update: 'calc', change: { advanced: [] }, code: odd }), { code: 'ERR_RELEASE_CHANGE', server: Pid })
  t.strictSame(await states(), ['[1,[1]]', '[1,[1]]', '[1,[1]]', '[1,[1]]'])
  t.equal(await node.rpc.call(node.name, 'calc', 'version'), 1)
})

t.test('what installs it is killed: it takes back what it did', async t => {
  const { node, write, states, install } = await given(t)
  await node.run(async self => {
    const told = new Promise<NodeError>(resolve => node.once('error', resolve))
    const installed = install(
      { update: 'calc', change: { advanced: 7 }, code: write(2) },
      { apply: ['calc', 'hold', [self.pid]], undo: null },
    )
    const failed = t.rejects(installed, { code: 'ERR_RELEASE_NODE_DOWN', step: 2, reason: atom('killed'), notUndone: [{ step: null }] })
    await self.receive(isPid, { timeout })
    node.exit(node.whereis('beamlet_release') as Pid, atom('kill'))
    await failed
    t.match((await told).message, /It was taken back\./)
  })
  t.strictSame(await states(), ['[1,[1,1,7,{down,1},7]]', '[1,[1,1,7,{down,1},7]]', '[1,[1,1,{down,1}]]', '[1,[1,1,{down,1}]]'])
})

t.test('a listener of its progress that throws harms nothing', async t => {
  const { node } = await given(t)
  const thrown = new Promise(resolve => process.once('uncaughtException', resolve))
  const instructions = [{ apply: ['calc', 'version', []], undo: null }] as const
  const installed = await node.releaseHandler.installRelease([{ node: node.name, instructions }], {
    progress: ({ what }) => {
      if (what === 'done') throw new Error('not my day')
    },
  })
  t.strictSame(installed, [{ node: node.name, servers: [] }])
  t.match(await thrown, { message: 'not my day' })
})
