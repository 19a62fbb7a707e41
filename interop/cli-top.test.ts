/** `beamlet top` looks at real nodes, and at one of Beamlet. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { any, match, Node } from '../src/index.js'
import { startEpmd } from '../src/interop/index.js'
import { genServer, reply } from '../src/otp/index.js'
import { Beamlet, type Ended, fails } from '../test/cli/beamlet.js'
import { at, cookie, environment } from './support/command.js'
import { eachOtp } from './support/each-otp.js'

interface Frame {
  readonly node: string
  readonly processes: number
  readonly looked: number
  readonly memory: Readonly<Record<string, number>>
  readonly top: readonly {
    readonly pid: string
    readonly name: string
    readonly reductions: number
    readonly memory: number
    readonly queue: number
    readonly current: string
  }[]
}

const code = String.raw`
-module(busy).
-behaviour(gen_server).
-compile([export_all, nowarn_export_all]).
init(_) -> {ok, 0}.
handle_call(_, _, N) -> {reply, N, N}.
handle_cast(_, N) -> {noreply, N}.
full() -> P = spawn(fun waits/0), register(full, P), [P ! N || N <- lists:seq(1, 1000)], P.
waits() -> receive stop -> ok end.
spins(N) -> spins(N + 1).
`

t.test('top', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await using epmd = await startEpmd({ otp })
    const beam = await start({ epmdPort: epmd.port, cookie, code })
    const run = at(epmd.port)
    const top = (...args: string[]): Promise<Ended> => run('top', beam.name, ...args)
    const frame = async (...args: string[]): Promise<Frame> => JSON.parse((await top('--once', '--json', ...args)).stdout) as Frame
    await beam.eval('busy:full(), {ok, _} = gen_server:start(busy, [], []), ok.')

    await t.test('one look: the first are those that have most of what is asked for', async t => {
      const { node, processes, looked, top: rows, memory } = await frame('--sort', 'queue', '--lines', '3')
      t.match(
        { node, looked, first: rows[0] },
        { node: beam.name, looked: processes, first: { name: 'full', queue: 1000, current: 'busy:waits/0' } },
      )
      t.equal(rows.length, 3)
      t.ok((memory['total'] ?? 0) > 1e6)
      const facts = await beam.eval('{_, M} = process_info(whereis(full), memory), [pid_to_list(whereis(full)), M].')
      t.strictSame(facts, [[...Buffer.from(rows[0]?.pid ?? '')], rows[0]?.memory])
      const all = await frame('--lines', '1000')
      t.ok(
        all.top.some(({ name, current }) => name === 'busy:init/1' && current.startsWith('gen_server:loop')),
        'what proc_lib has started',
      )
      const reductions = all.top.map(row => row.reductions)
      t.strictSame(
        reductions,
        [...reductions].sort((a, b) => b - a),
      )
      const text = await top('--once', '--sort', 'memory', '--lines', '5')
      t.match(
        text.stdout,
        new RegExp(
          `^${beam.name} {2}\\d+ processes {2}run queue \\d+\nmemory [\\d.]+ MB: .*\n\npid +name or initial call +reductions +memory\\* +queue {2}current function\n`,
        ),
      )
      t.equal(text.stdout.trimEnd().split('\n').length, 9)
    })

    await t.test('again and again, until it is told to end: reductions count from the look before', async t => {
      await beam.eval('register(spinner, spawn(busy, spins, [0])), ok.')
      await using looks = new Beamlet(['top', beam.name, '--json', '--interval', '0.1', '--lines', '2'], { env: environment(epmd.port) })
      let said = ''
      const some = async (): Promise<string> => String(...((await once(looks.process.stdout!, 'data')) as [string]))
      const early = looks.ended.then(({ stderr }) => Promise.reject(new Error(`It ended: ${stderr}`)))
      early.catch(() => {}) // Told, when it is waited for.
      while (said.split('\n').length < 5) said += await Promise.race([some(), early])
      looks.signal('SIGTERM')
      const { code: exit } = await looks.ended
      t.equal(exit, 0)
      const frames = said
        .split('\n')
        .slice(0, 4)
        .map(line => JSON.parse(line) as Frame)
      for (const { top: rows } of frames) t.equal(rows[0]?.name, 'spinner')
      const total = Number(await beam.eval('{_, R} = process_info(whereis(spinner), reductions), exit(whereis(spinner), kill), R.'))
      t.ok(frames.reduce((sum, { top: rows }) => sum + (rows[0]?.reductions ?? Infinity), 0) <= total, 'each is counted once')
    })

    await t.test('a node with many processes: no more than asked for are looked at', async t => {
      await beam.eval('[spawn(busy, waits, []) || _ <- lists:seq(1, 20000)], ok.')
      const all = await frame('--lines', '1')
      t.ok(all.processes > 20_000)
      t.equal(all.looked, all.processes)
      const some = await frame('--lines', '30', '--most', '25')
      t.strictSame([some.looked, some.top.length > 20, some.top.length <= 25], [25, true, true])
      t.match((await top('--once', '--most', '25')).stdout, /\d+ processes, 25 of them looked at/)
    })
    await ours(t, epmd.port, run)

    await t.test('what is wrong', async t => {
      fails(t, await top('--interval', '0'), 2, 'CLI_USAGE', /beamlet --help/)
      fails(t, await top('--lines', 'many'), 2, 'CLI_USAGE', /beamlet --help/)
      fails(t, await top('--sort', 'size'), 2, 'CLI_USAGE', /beamlet --help/)
      fails(t, await run('top', 'nobody@127.0.0.1'), 3, 'EPMD_NO_SUCH_NODE', /nobody/)
    })
  })
})

async function ours(t: Test, epmdPort: number, run: (...args: string[]) => Promise<Ended>): Promise<void> {
  await t.test('a node of Beamlet', async t => {
    await using node = await Node.start({ name: `top-${process.pid}@127.0.0.1`, cookie, epmdPort, hidden: true })
    await node.start(genServer({ init: () => 0, call: { get: n => reply(n, n) } }), { name: 'counted' })
    const full = node.spawn(async self => void (await self.receive(match([any, any, any]))), { name: 'full' })
    for (let n = 0; n < 10; n++) node.send(full, n)
    const { stdout } = await run('top', node.name, '--once', '--json', '--sort', 'queue')
    const { top, processes, looked } = JSON.parse(stdout) as Frame
    t.match(top[0], { name: 'full', queue: 10 })
    t.match(
      top.find(({ name }) => name === 'counted'),
      { current: 'gen_server:loop/5' },
    )
    t.equal(looked, processes)
  })
}
