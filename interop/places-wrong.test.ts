/** What cannot work in another place is told at once, with a code or an exit reason; nothing hangs, and nothing is left behind. */
import t, { type Test } from 'tap'
import { atom, format, Node, type NodeOptions, type Pid } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { genServer } from 'beamlet/otp'
import { eachOtp, type Real } from './support/each-otp.js'
import { evaluator, startNode } from './support/places.js'

const file = (name: string): string => new URL(`./support/placed/${name}`, import.meta.url).href
/** JavaScript that is none */
const syntaxError = 'data:text/javascript,export const = 1'

const places = ['pool', 'isolated'] as const
type SchedulerOptions = NonNullable<NodeOptions['schedulers']>

const options = (schedulers: SchedulerOptions): NodeOptions => ({
  name: `ts-${process.pid}-wrong@127.0.0.1`,
  cookie: 'secret',
  listen: false,
  epmd: false,
  schedulers: { count: 1, execArgv: [], ...schedulers },
})

const lone = (schedulers: SchedulerOptions = {}): Promise<Node> => startNode({ cookie: 'secret' }, options(schedulers))

/** The reason with which it ends */
const reasonOf = (node: Node, pid: Pid): Promise<string> =>
  node.run(async self => {
    self.monitor(pid)
    return format((await self.receive()) as never).replace(/^\{'DOWN',.*?,process,<[\d.]+>,(.*)\}$/, '$1')
  })

t.test('a place that does not start', async t => {
  const bad: readonly (readonly [SchedulerOptions, code: string, RegExp])[] = [
    [{ setup: [file('throws.mjs')] }, 'ERR_PLACE_SETUP', /broken at import/],
    [{ setup: [file('missing.mjs')] }, 'ERR_PLACE_SETUP', /missing\.mjs/],
    [{ setup: [syntaxError] }, 'ERR_PLACE_SETUP', /SyntaxError/],
    [{ execArgv: ['--no-such-option'] }, 'ERR_PLACE_LOST', /no-such-option/],
    [{ execArgv: ['--import', file('throws.mjs')] }, 'ERR_PLACE_LOST', /broken at import/],
  ]
  for (const [schedulers, code, message] of bad) {
    await t.rejects(Node.start(options(schedulers)), { code, message }, `Node.start ${code}`)
    await using node = await lone({ ...schedulers, count: 0 })
    const pid = node.spawn({ module: 'work', fun: 'echo' }, { on: 'isolated' })
    t.match(await reasonOf(node, pid), code === 'ERR_PLACE_SETUP' ? /^\{not_started,'ERR_PLACE_SETUP'\}$/ : /^\{exit_status,\d+\}$/)
    t.equal(node.stats().places, 0)
  }
})

t.test('modules that do not load', async t => {
  await using node = await lone()
  node.on('crash', () => {})
  for (const url of [file('throws.mjs'), file('missing.mjs'), syntaxError]) {
    await t.rejects(node.code.load('bad', url), { code: 'ERR_CODE_MODULE' })
    const server = genServer({ module: url, init: () => 0 })
    for (const on of places) await t.rejects(node.start(server, { on }), { code: 'ERR_EXIT' }, `a server of ${url}`)
  }
  await t.rejects(node.code.load('elsewhere', file('throws-elsewhere.mjs')), { code: 'ERR_CODE_MODULE', message: /broken in a place/ })
})

t.test('functions, arguments and closures that cannot go there', async t => {
  await using node = await lone()
  node.on('crash', () => {})
  for (const on of places) {
    t.equal(await reasonOf(node, node.spawn({ module: 'work', fun: 'nothing', args: [1] }, { on })), '{undef,[{work,nothing,[1],[]}]}')
    t.equal(await reasonOf(node, node.spawn({ module: 'no', fun: 'thing' }, { on })), '{undef,[{no,thing,[],[]}]}')
    const bad = [() => {}, Symbol('x'), undefined, Number.NaN, '\uD800', Promise.resolve()]
    for (const arg of bad) t.throws(() => node.spawn({ module: 'work', fun: 'echo', args: [arg as never] }, { on }), { name: 'EtfError' })
    for (const arg of bad)
      await t.rejects(node.start(genServer({ module: file('counter.mjs'), init: () => 0 }), { on, args: [arg] as never }))
    t.throws(() => node.spawn(() => {}, { on }), { code: 'ERR_NOT_PORTABLE' })
    await t.rejects(node.start(genServer({ init: () => 0 }), { on }), { code: 'ERR_NOT_PORTABLE' })
    await t.rejects(node.code.load('closures', { f: () => 1 }, { on }), { code: 'ERR_NOT_PORTABLE' })
  }
  // All but the scheduler: those that were made in vain end soon.
  while (node.stats().places > 1) await new Promise(resolve => setTimeout(resolve, 10))
})

t.test('asked for by Erlang', async t => {
  await eachOtp<Beam>(
    t,
    async (t: Test, { start }: Real<Beam>) => {
      const beam = await start()
      beam.expectLog(/^Error in process .* exit value:, {undef,/) // what is spawned from there, and is not here
      await using node = await startNode(beam, { schedulers: { count: 1, execArgv: [] } })
      node.on('crash', () => {})
      const evaluate = evaluator(beam, node)
      for (const on of places) {
        await node.code.load('placed', file('work.mjs'), { on })
        const down = 'receive {_, Ref, process, _, Why} -> Why end'
        const undef = await evaluate(`{_, Ref} = spawn_monitor(Ts, placed, nothing, [1]), ${down}.`)
        t.equal(format(undef), '{undef,[{placed,nothing,[1],[]}]}')
        t.equal(format(await evaluate(`{_, Ref} = spawn_monitor(Ts, no, thing, []), ${down}.`)), '{undef,[{no,thing,[],[]}]}')
        t.match(format(await evaluate(`catch erpc:call(Ts, placed, nothing, []).`)), /undef/)
      }
      await using broken = await startNode(beam, { schedulers: { count: 0, execArgv: [], setup: [file('throws.mjs')] } })
      await broken.code.load('placed', file('work.mjs'), { on: 'isolated' })
      const source = '{_, Ref} = spawn_monitor(Broken, placed, echo, []), receive {_, Ref, process, _, Why} -> Why end.'
      const why = await evaluate(source, { Broken: atom(broken.name) })
      t.equal(format(why), "{not_started,'ERR_PLACE_SETUP'}")
    },
    startBeam,
  )
})
