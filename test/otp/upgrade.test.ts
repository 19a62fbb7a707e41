/** Servers that move to another version of their module, in every place, all or none. */
import { any, atom, format, match, type Node, type NodeProcess, type Pid, type Sendable, type Term, tuple } from 'beamlet'
import { type GenServer, supervisor } from 'beamlet/otp'
import t, { type Test } from 'tap'
import { type CodeFolder, codeFolder } from '../node/code-folder.js'

/** A machine that does much else at the same time needs it. */
const timeout = 60_000

const places = ['main', 'pool', 'isolated'] as const

/** A server that tells its version and its state; `codeChange` adds what it was given. */
const counter = (version: number, codeChange = 'return [...state, [oldVsn, extra]]'): string => `
import { match } from 'beamlet'
import { genServer, reply } from 'beamlet/otp'
export const vsn = ${version}
export const counter = genServer({
  module: import.meta.url,
  init: first => [first],
  call: {
    get: state => reply([${version}, state], state),
    crash: () => { throw new Error('crash') },
    async wait(state, to) { this.send(to, this.pid); await this.receive(); return reply(${version}, state) },
  },
  codeChange(oldVsn, state, extra) { ${codeChange} },
})
export const version = () => ${version}
`

interface Given extends CodeFolder {
  /** What a server of this folder's file is, as a program imports it */
  definition(url: URL, name?: string): Promise<GenServer<any, any, any, any>>
}

async function given(t: Test): Promise<Given> {
  const made = await codeFolder(t, false)
  made.node.on('crash', () => {})
  return {
    ...made,
    definition: async (url, name = 'counter') => ((await import(url.href)) as Record<string, GenServer<any, any, any, any>>)[name] as never,
  }
}

const get = async (node: Node, to: Pid | string): Promise<string> => format(await node.call(to, atom('get'), { timeout }))

for (const on of places) {
  t.test(`on ${on}: a server moves with its state, and keeps its pid and its name`, async t => {
    const { node, write, definition } = await given(t)
    const url = write(counter(1), 'calc-1.mjs')
    await node.code.load('calc', url)
    const { pid } = await node.start(await definition(url), { args: [7], on, name: 'calc' })
    t.equal(await get(node, 'calc'), '[1,[7]]')
    const { servers, vsn, number } = await node.code.upgrade('calc', write(counter(2), 'calc-2.mjs'), {
      extra: tuple(atom('x'), 1),
      timeout,
    })
    t.strictSame([servers.map(String), vsn, number], [[String(pid)], 2, 2])
    t.equal(await get(node, 'calc'), '[2,[7,[1,{x,1}]]]')
    t.equal(await node.rpc.call(node.name, 'calc', 'version'), 2)
    t.strictSame((await node.code.versions('calc')).map(({ number, definitions }) => [number, definitions]), [[2, 1], [1, 0]]) // prettier-ignore

    await node.code.upgrade('calc', write(counter(3), 'calc-3.mjs'), { timeout })
    t.equal(await get(node, pid), '[3,[7,[1,{x,1}],[2,[]]]]')
    const again = await node.start(await definition(url), { args: [4], on })
    t.equal(await get(node, again.pid), '[3,[4]]', 'who starts what the program has imported starts the newest')
  })
}

t.test('what the program has imported need not be loaded, and a server without codeChange keeps its state', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1))
  const { pid } = await node.start(await definition(url), { args: [7] })
  write(counter(2).replace('codeChange', 'noChange'))
  await node.code.upgrade('calc', url, { timeout })
  t.equal(await get(node, pid), '[2,[7]]')
  t.strictSame((await node.code.versions('calc')).map(({ vsn }) => vsn), [2, 1]) // prettier-ignore
})

t.test('one codeChange that throws: all stay in the old version with their states, and the new one is gone', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1))
  await node.code.load('calc', url)
  const servers = await Promise.all(places.flatMap(on => [0, 1].map(async n => node.start(await definition(url), { args: [n], on }))))
  const before = await Promise.all(servers.map(({ pid }) => get(node, pid)))
  const versions = await node.code.versions('calc')
  for (const on of places) {
    const [, bad] = servers.slice(places.indexOf(on) * 2)
    const refuses = `if (String(this.pid) === '${String(bad?.pid)}') throw new TypeError('not me'); return [...state, 'changed']`
    const failed = node.code.upgrade('calc', write(counter(2, refuses), `calc-${on}.mjs`), { timeout })
    await t.rejects(failed, { code: 'ERR_CODE_CHANGE', server: { id: bad?.pid.id }, message: /'TypeError',<<"not me">>/ }, on)
    t.strictSame(await Promise.all(servers.map(({ pid }) => get(node, pid))), before)
    t.strictSame(await node.code.versions('calc'), versions)
    t.equal(await node.rpc.call(node.name, 'calc', 'version'), 1)
  }
  await node.code.upgrade('calc', write(counter(3), 'calc-3.mjs'), { timeout })
  t.strictSame(
    await Promise.all(servers.map(({ pid }) => get(node, pid))),
    [0, 1, 0, 1, 0, 1].map(n => `[3,[${n},[1,[]]]]`),
  )
})

t.test('a server that does not come to an end of what it handles in time: nothing changes, and it is named', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1))
  await node.start(await definition(url), { args: [0], name: 'free' })
  await node.start(await definition(url), { args: [1], name: 'busy' })
  await node.run(async self => {
    const request = self.sendRequest('busy', tuple(atom('wait'), self.pid))
    const pid = (await self.receive(undefined, { timeout })) as Pid
    const failed = node.code.upgrade('calc', write(counter(2)), { timeout: 300 })
    await t.rejects(failed, { code: 'ERR_CODE_SUSPEND', server: { id: pid.id }, message: /The server 'busy' <.*within 300 ms/ })
    t.equal(await get(node, 'free'), '[1,[0]]')
    self.send(pid, 'go')
    t.equal(await self.receiveResponse(request, { timeout }), 1)
    await node.code.upgrade('calc', write(counter(2)), { timeout })
    t.equal(await get(node, 'busy'), '[2,[1,[1,[]]]]')
  })
})

t.test('messages that come meanwhile wait, and none is lost', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1))
  const waits = (version: number): string =>
    counter(version, `this.send('test', this.pid); await this.receive(match('go')); return state`).replace(
      'codeChange(',
      'async codeChange(',
    )
  const { pid } = await node.start(await definition(url), { args: [7] })
  await node.run(async self => {
    await self.register('test')
    const upgrade = node.code.upgrade('calc', write(waits(2)), { timeout })
    t.equal(String(await self.receive(undefined, { timeout })), String(pid), 'it changes')
    await t.rejects(node.code.upgrade('calc', url), { code: 'ERR_CODE_UPGRADING' })
    await t.rejects(node.code.load('calc', url), { code: 'ERR_CODE_UPGRADING' })
    t.notOk(node.code.delete('calc'))
    const requests = [1, 2, 3].map(() => self.sendRequest(pid, atom('get')))
    const born = node.start(await definition(url), { args: [4] })
    self.send(pid, 'go')
    await upgrade
    for (const request of requests) t.equal(format(await self.receiveResponse(request, { timeout })), '[2,[7]]')
    t.equal(await get(node, (await born).pid), '[2,[4]]', 'who starts meanwhile starts the new version')
  })
})

t.test('servers that call each other move', async t => {
  const { node, write, definition } = await given(t)
  /** `a` calls `b`, which calls `c`, all the time */
  const chain = (version: number): string => `
    import { genServer, reply } from 'beamlet/otp'
    import { atom, tuple } from 'beamlet'
    export const chain = genServer({
      module: import.meta.url,
      init: next => next,
      call: { get: async function (next) { return reply([${version}, ...(next === false ? [] : await this.call(next.name, atom('get')))], next) } },
    })`
  const url = write(chain(1))
  await node.code.load('calc', url)
  const made = await definition(url, 'chain')
  for (const [name, next, on] of [['a', atom('b'), 'main'], ['b', atom('c'), 'pool'], ['c', false, 'main']] as const)
    await node.start(made, { args: [next], name, on }) // prettier-ignore
  const over = new AbortController()
  const answers: string[] = []
  const calls = [0, 1, 2, 3].map(async () => {
    while (!over.signal.aborted) answers.push(await get(node, 'a'))
  })
  for (const version of [2, 3, 4]) await node.code.upgrade('calc', write(chain(version), `calc-${version}.mjs`), { timeout })
  over.abort()
  await Promise.all(calls)
  t.equal(await get(node, 'a'), '[4,4,4]')
  t.strictSame(
    [...new Set(answers)].filter(answer => !/^\[(\d),\1,\1\]$/.test(answer)),
    [],
    'no call met two versions',
  )
})

t.test('a place that starts meanwhile moves when it is there', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1), 'calc-1.mjs')
  await node.code.load('calc', url)
  const made = await definition(url)
  const starting = node.start(made, { args: [4], on: 'isolated', name: 'late' })
  for (const version of [2, 3, 4, 5]) await node.code.upgrade('calc', write(counter(version), `calc-${version}.mjs`), { timeout })
  await starting
  let told = await get(node, 'late')
  while (!told.startsWith('[5,')) told = await get(node, 'late')
  t.match(told, /^\[5,\[4/)

  const refused = node.start(made, { args: [5], on: 'isolated', name: 'refused' })
  const refuses = write(counter(6, 'if (state[0] === 5) throw new Error("no"); return state'), 'calc-6.mjs')
  const outcome = await node.code.upgrade('calc', refuses, { timeout }).then(
    () => 'moved',
    (error: { code: string }) => error.code,
  )
  await refused.catch(() => {})
  if (outcome === 'ERR_CODE_CHANGE') {
    // It was there in time to refuse for all.
    t.strictSame([await get(node, 'late'), await get(node, 'refused')], [told, '[5,[5]]'])
  } else {
    t.equal(outcome, 'moved')
    t.equal(await get(node, 'late'), told.replace('[5,', '[6,'))
    let why = '[5,'
    while (why.startsWith('[5,')) why = await get(node, 'refused').catch(String)
    t.match(why, /^\[6,\[5\]\]$|code_change|noproc/, 'it began in the new version, or has ended')
  }
})

t.test('a server that the new version does not define', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1))
  const { pid } = await node.start(await definition(url), { args: [7], name: 'calc' })
  const failed = node.code.upgrade('calc', write(counter(2).replaceAll('counter', 'other')), { timeout })
  await t.rejects(failed, { code: 'ERR_CODE_SERVER', message: /'calc' <.*> is a gen_server counter, which/ })
  t.equal(await get(node, pid), '[1,[7]]')
})

t.test('servers are found by the names of their exports, wherever they stand', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1))
  const { pid } = await node.start(await definition(url), { args: [7] })
  const before = `export const first = genServer({ module: import.meta.url, init: () => 0, call: { get: () => reply('wrong', 0) } })\n`
  await node.code.upgrade('calc', write(counter(2).replace('export const counter', `${before}export const counter`)), { timeout })
  t.equal(await get(node, pid), '[2,[7,[1,[]]]]')
})

t.test('a file that does not load changes nothing', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1))
  const { pid } = await node.start(await definition(url), { args: [7], on: 'pool' })
  for (const broken of ['export const = 1', 'throw new Error("no")', 'export const none = 1', `if (process.env['BEAMLET_NO']) throw 1`])
    await t.rejects(node.code.upgrade('calc', write(broken), { timeout }), { code: 'ERR_CODE_MODULE' })
  t.strictSame(await node.code.versions('calc'), [])
  // Only in the pool
  const elsewhere = `import process from 'node:process'\nif (process.argv[1]?.includes('place')) throw new Error('not there')\n${counter(2)}`
  await t.rejects(node.code.upgrade('calc', write(elsewhere), { timeout }), { code: 'ERR_CODE_MODULE' })
  t.equal(await get(node, pid), '[1,[7]]')
  await node.code.upgrade('calc', write(counter(3)), { timeout })
  t.equal(await get(node, pid), '[3,[7,[1,[]]]]')
})

t.test('a supervision tree: init is read anew, children go on, and start again in the new version', async t => {
  const { node, write, definition } = await given(t)
  const tree = (version: number, more = ''): string => `
    import { supervisor } from 'beamlet/otp'
    ${counter(version)}
    export const tree = supervisor(
      (intensity, where) => ({
        intensity,
        children: [
          { id: 'here', start: counter, args: [${version}], name: 'here' },
          { id: 'there', start: counter, args: [${version}], name: 'there', on: where[0].name },
          ${more}
        ],
      }),
      { module: import.meta.url },
    )
    export const many = supervisor({ module: import.meta.url, strategy: 'simpleOneForOne', children: [{ id: 'one', start: counter, args: [${version}] }] })`
  const url = write(tree(1))
  const ref = await node.start((await definition(url, 'tree')) as never, { args: [5, [atom('pool')]] as never, name: 'tree' } as never)
  const sup = ref as unknown as ReturnType<Node['supervisorRef']>
  const many = node.supervisorRef('many')
  await node.start((await definition(url, 'many')) as never, { name: 'many' } as never)
  const one = await many.startChild([])
  // One of another module, whose children are of this one
  const outer = supervisor({ intensity: 3, children: [{ id: 'in', start: await definition(url), args: [1], name: 'in' }] })
  await node.start(outer)
  const before = await sup.whichChildren()

  const { servers } = await node.code.upgrade('calc', write(tree(2, `{ id: 'new', start: counter, args: [2], name: 'new' },`)), { timeout })
  t.equal(servers.length, 6)
  t.strictSame((await sup.whichChildren()).filter(({ pid }) => pid).map(String), before.map(String), 'they go on')
  for (const name of ['here', 'there', 'in']) t.equal(await get(node, name), '[2,[1,[1,[]]]]')
  await sup.restartChild('new')
  t.equal(await get(node, 'new'), '[2,[2]]', 'new ones are there to be started')
  await node.run(async self => {
    for (const name of ['here', 'there', 'in']) {
      const pid = node.whereis(name) as Pid
      self.monitor(pid)
      node.cast(pid, 'crash')
      await self.receive(match([atom('DOWN'), any, any, pid, any]), { timeout })
      while (true) {
        const now = node.whereis(name)
        if (now && String(now) !== String(pid)) break
        // What its supervisor does next comes before it answers.
        await (name === 'in' ? new Promise(resolve => setImmediate(resolve)) : sup.countChildren())
      }
    }
  })
  t.strictSame(
    await Promise.all(['here', 'there', 'in'].map(name => get(node, name))),
    ['[2,[2]]', '[2,[2]]', '[2,[1]]'],
    'with the new init',
  )
  t.equal(await get(node, one as Pid), '[2,[1,[1,[]]]]')
  t.equal(await get(node, (await many.startChild([])) as Pid), '[2,[2]]')

  const wrong = tree(3).replace('intensity,\n', 'intensity: -1,\n')
  await t.rejects(node.code.upgrade('calc', write(wrong), { timeout }), { code: 'ERR_CODE_CHANGE', message: /invalid_intensity/ })
  t.equal(await get(node, 'here'), '[2,[2]]')
  t.strictSame(await sup.countChildren(), { specs: 3, active: 3, supervisors: 0, workers: 3 })
})

t.test('a genStatem, and the handlers of a genEvent', async t => {
  const { node, write, definition } = await given(t)
  const source = (version: number): string => `
    import { eventHandler, genEvent, genStatem, keep, next, reply } from 'beamlet/otp'
    import { tally } from './tally.mjs'
    export const vsn = ${version}
    export const door = genStatem({
      module: import.meta.url,
      init: () => next('closed', [${version}]),
      states: {
        closed: { call: { get: data => reply([${version}, data], keep(data)), open: data => keep(data, { postpone: true }), bang: data => reply(1, next('ajar', data)) } },
        ajar: { call: { get: data => reply([${version}, data], keep(data)), open: data => reply([${version}, 'open'], next('closed', data)) } },
      },
      codeChange: (oldVsn, state, data, extra) => next(extra ?? 'ajar', [...data, oldVsn]),
    })
    const inner = eventHandler({
      init: () => [${version}],
      handleEvent: (_, state) => state,
      call: { get: state => reply([${version}, state], state) },
      codeChange: (oldVsn, state) => [...state, oldVsn],
    })
    export const events = genEvent({ module: import.meta.url, handlers: { inner, tally } })`
  const handler = (version: number): string => `
    import { eventHandler, reply } from 'beamlet/otp'
    export const vsn = ${-version}
    export const tally = eventHandler({
      module: import.meta.url,
      init: () => [${-version}],
      handleEvent: (_, state) => state,
      call: { get: state => reply([${-version}, state], state) },
      codeChange: (oldVsn, state) => [...state, oldVsn],
    })`
  const tally = write(handler(1), 'tally.mjs')
  const url = write(source(1))
  const ask = async (name: string): Promise<string> => format(await node.eventRef('events').request(name, atom('get')))
  await node.start((await definition(url, 'door')) as never, { name: 'door' } as never)
  await node.start((await definition(url, 'events')) as never, { name: 'events' } as never)
  for (const name of ['inner', 'tally']) await node.eventRef('events').addHandler(name)
  await node.run(async self => {
    const postponed = self.sendRequest('door', atom('open'))
    t.equal(await get(node, 'door'), '[1,[1]]')
    const extra = null
    const { servers } = await node.code.upgrade('calc', write(source(2)), { extra, timeout })
    t.equal(servers.length, 2)
    t.equal(await get(node, 'door'), '[2,[1,1]]')
    await node.code.upgrade('calc', write(source(3)), { extra: atom('closed'), timeout })
    t.equal(await get(node, 'door'), '[3,[1,1,2]]')
    await node.call('door', atom('bang'), { timeout })
    t.equal(format(await self.receiveResponse(postponed, { timeout })), '[3,<<"open">>]', 'what was postponed is handled by the new one')
  })
  t.strictSame([await ask('inner'), await ask('tally')], ['[3,[1,1,2]]', '[-1,[-1]]'])
  await node.code.upgrade('tally', (write(handler(2), 'tally.mjs'), tally), { timeout })
  t.strictSame([await ask('inner'), await ask('tally')], ['[3,[1,1,2]]', '[-2,[-1,-1]]'])
  await node.eventRef('events').deleteHandler('tally')
  await node.eventRef('events').addHandler('tally')
  t.equal(await ask('tally'), '[-2,[-2]]')
})

t.test('sys:change_code moves one server to what was loaded meanwhile, or leaves it as it is', async t => {
  const { node, write, definition } = await given(t)
  const url = write(counter(1))
  await node.code.load('calc', url)
  const { pid } = await node.start(await definition(url), { args: [7], on: 'pool' })
  const system = (self: NodeProcess, request: Sendable): Promise<Term> => {
    const ref = self.makeRef()
    self.send(pid, tuple(atom('system'), tuple(self.pid, ref), request))
    return self.receive(match([ref, any]), { timeout }) as Promise<Term>
  }
  const change = tuple(atom('change_code'), atom('calc'), atom('old'), atom('extra'))
  await node.run(async self => {
    await node.code.load('calc', write(counter(2, `throw new Error('no')`)))
    t.equal(await get(node, pid), '[1,[7]]', 'it stays where it is until then')
    await system(self, atom('suspend'))
    t.match(format(await system(self, change)), /\{error,\{'EXIT',\{\{'Error',<<"no">>\}/)
    await node.code.load('calc', write(counter(3)))
    t.match(format(await system(self, change)), /,ok\}$/)
    await node.code.upgrade('calc', write(counter(4)), { timeout })
    const request = self.sendRequest(pid, atom('get'))
    t.match(format(await system(self, atom('get_state'))), /\[7,\[old,extra\],\[3,\[\]\]\]/, 'an upgrade leaves it suspended')
    await system(self, atom('resume'))
    t.equal(format(await self.receiveResponse(request, { timeout })), '[4,[7,[old,extra],[3,[]]]]')
  })
})

/** An application whose server tells what configuration it was moved in, and which tells `told` of its changes. */
const shop = (version: number, env: string, { codeChange = '', configChange = '' } = {}): string => `
import { atom, tuple } from 'beamlet'
import { application, genServer, reply } from 'beamlet/otp'
export const vsn = ${version}
export const counter = genServer({
  module: import.meta.url,
  init: () => [],
  call: { get: state => reply(state, state) },
  codeChange(oldVsn, state) { ${codeChange} return [...state, this.node.applications.getEnv('shop', 'port')] },
})
export const shop = application({
  name: 'shop', vsn: '${version}', module: import.meta.url, env: ${env},
  start() { return this.startLink(counter, { name: 'counter' }) },
  configChange(changed, added, removed) { this.send('told', JSON.stringify([${version}, changed, added, removed])); ${configChange} },
  stop() { this.send('told', 'stopped ${version}') },
})
export const books = application({ name: 'books', vsn: '${version}', module: import.meta.url })
`

t.test('an application moves with its servers, and is told how its configuration has changed', async t => {
  const { node, write, definition } = await given(t)
  const { applications } = node
  await node.run(async self => {
    await self.register('told')
    const told = async (): Promise<string> => String(await self.receive(undefined, { timeout }))
    const url = write(shop(1, '{ port: 1, old: 1 }'))
    const [app, books] = [(await definition(url, 'shop')) as never, (await definition(url, 'books')) as never]
    await applications.start(books)
    await applications.start(app)
    await node.code.upgrade('shop', write(shop(2, '{ port: 2, host: 5 }')), { timeout })
    t.equal(await told(), JSON.stringify([2, { port: 2 }, { host: 5 }, ['old']]))
    t.equal(format(await node.call('counter', atom('get'))), '[2]', 'servers move in the new configuration')
    const versions = applications.whichApplications().map(({ name, vsn }) => `${name} ${vsn}`)
    t.strictSame(versions.slice(0, 2), ['shop 2', 'books 2'])

    const fails = write(shop(3, '{ port: 3 }', { codeChange: 'throw new Error("no");' }))
    await t.rejects(node.code.upgrade('shop', fails, { timeout }), { code: 'ERR_CODE_CHANGE' })
    t.strictSame(applications.getAllEnv('shop'), { port: 2, host: 5 }, 'as it was')
    t.equal(format(applications.getKey('shop', 'vsn') as Term), '"2"')

    const error = new Promise<Error>(resolve => node.once('error', resolve))
    const refuses = write(shop(4, '{ port: 4 }', { configChange: 'return tuple(atom("error"), atom("no"))' }))
    await node.code.upgrade('shop', refuses, { timeout })
    t.equal(await told(), JSON.stringify([4, { port: 4 }, {}, ['host']]))
    t.match(await error, { code: 'ERR_APPLICATION', message: /\[no\]/ })
    t.equal(format(await node.call('counter', atom('get'))), '[2,4]')
    await applications.stop('shop')
    t.equal(await told(), 'stopped 4', 'the new definition ends it')
  })
})

t.test('a module that only defines an application is upgraded', async t => {
  const { node, write, definition } = await given(t)
  const text = (version: number): string => `
import { application } from 'beamlet/otp'
export const only = application({ name: 'only', vsn: '${version}', module: import.meta.url, env: { v: ${version} } })
`
  const url = write(text(1))
  node.applications.load((await definition(url, 'only')) as never)
  await node.code.upgrade('only', write(text(2)), { timeout })
  t.strictSame([node.applications.getEnv('only', 'v'), format(node.applications.getKey('only', 'vsn') as Term)], [2, '"2"'])
})
