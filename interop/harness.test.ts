/** The harness itself, on real nodes: what the other suites stand on. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { type Beam, BeamError, InteropError, startBeam, startEpmd } from '../src/interop/index.js'
import { atom, Pid, type Term, type Tuple, tuple } from '../src/term/index.js'
import { eachOtp } from './support/each-otp.js'

const named = (name: string): { bindings: Record<string, Term> } => ({ bindings: { Name: atom(name) } })

/** What an evaluation was rejected with. */
async function thrown(beam: Beam, source: string): Promise<BeamError> {
  const error: unknown = await beam.eval(source).catch((error: unknown) => error)
  if (error instanceof BeamError) return error
  throw new Error(`${source} did not fail on the BEAM`, { cause: error })
}

t.test('evaluating', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const beam = await start()
    t.equal(beam.otp, otp)

    await t.test('values', async t => {
      t.strictSame(await beam.eval('lists:reverse([1,2,3]).'), [3, 2, 1])
      t.equal(await beam.eval('node()'), atom(beam.name), 'the dot may be left out')
      t.equal(await beam.eval('A = 1, B = A + 1. B * 2.'), 4, 'several sentences')
      const bindings = { Term: tuple(atom('ok'), [1, -1]), Text: 'grün' }
      t.strictSame(await beam.eval('{Text, Term}.', { bindings }), tuple(Buffer.from('grün'), tuple(atom('ok'), [1, -1])))
      t.strictSame(await beam.eval('{Zeta, Mu, Alpha}.', { bindings: { Zeta: 1, Mu: 2, Alpha: 3 } }), tuple(1, 2, 3), 'bound in any order')
      t.ok((await beam.eval('self().')) instanceof Pid)
      const large = (await beam.eval('binary:copy(<<7>>, 3000000).')) as Buffer
      t.ok(large.equals(Buffer.alloc(3_000_000, 7)), 'an answer of many chunks')
    })

    await t.test('side by side', async t => {
      const waits = beam.eval('register(waits, self()), logger:notice("waiting"), receive Message -> Message end.')
      await beam.waitForLog('waiting')
      t.equal(await beam.eval('waits ! hello.'), atom('hello'))
      t.equal(await waits, atom('hello'))
    })

    await t.test('an exception arrives with class, reason and stack', async t => {
      await beam.load('-module(fails). -export([now/1]).\nnow(X) ->\n  {ok, 1 + X}.')
      const error = await thrown(beam, 'fails:now(a).')
      t.equal(error.class, 'error')
      t.equal(error.reason, atom('badarith'))
      t.match(error.message, /arithmetic[^]*fails:now\/1/)
      const frames = error.erlangStack as readonly Tuple[]
      t.ok(frames.some(frame => frame.tag === 'fails'))
      t.match(await thrown(beam, 'throw({a, 1}).'), { class: 'throw', reason: tuple(atom('a'), 1) })
      t.match(await thrown(beam, 'exit(gone).'), { class: 'exit', reason: atom('gone') })
      const killed = await thrown(beam, 'exit(self(), kill), receive after infinity -> ok end.')
      t.match(killed, { class: 'exit', reason: atom('killed') })
      t.match(await thrown(beam, '1 +'), { class: 'error', reason: { tag: 'syntax' } })
      t.match(await thrown(beam, '"no end'), { class: 'error', reason: { tag: 'syntax' } })
    })

    await t.test('what takes too long is ended there too', async t => {
      const source = 'register(late, self()), logger:notice("late is there"), receive after infinity -> ok end.'
      const late = beam.eval(source, { timeout: 1000 })
      await beam.waitForLog('late is there')
      const down = beam.eval("Ref = monitor(process, late), receive {'DOWN', Ref, _, _, Reason} -> Reason end.")
      await t.rejects(late, { code: 'ERR_INTEROP_TIMEOUT' })
      t.equal(await down, atom('killed'))
      const signal = AbortSignal.abort(new Error('enough'))
      await t.rejects(beam.eval('receive after infinity -> ok end.', { signal }), /enough/)
    })
  })
})

t.test('modules', async t => {
  await eachOtp(t, async (t, { start }) => {
    const code = ['-module(one). -export([f/0]). f() -> 1.', '-module(two). -export([f/0]). f() -> one:f() + 1.']
    const beam = await start({ code, elixir: true })
    t.equal(await beam.eval('two:f().'), 2)
    t.equal(await beam.load('-module(one). -export([f/0]).\n-define(TEN, 10).\nf() -> ?TEN.'), atom('one'), 'the preprocessor runs')
    t.equal(await beam.eval('two:f().'), 11)
    await t.rejects(beam.load('-module(bad).\n-export([f/0]).\n'), /function f\/0 undefined/)

    t.equal(await beam.elixir('String.to_atom(name)', { bindings: { name: 'joe' } }), atom('joe'))
    await t.rejects(beam.elixir('raise "oops"'), /oops/)
  })
})

t.test('the log', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start()
    await beam.eval('logger:notice("fyi"), logger:warning("look ~p", [here]), logger:error(#{what => broken}).')
    await beam.waitForLog('broken')
    const unexpected = (): string[] => beam.unexpectedLogs().map(event => `${event.level} ${event.text}`)
    t.strictSame(unexpected(), ['warning look here', 'error what: broken'], 'a notice is collected, not judged')
    t.match(beam.log.find('fyi'), { level: 'notice', report: null })
    t.strictSame(beam.log.find(/broken/)?.report, new Map([[atom('what'), atom('broken')]]))
    beam.expectLog('look here')
    beam.expectLog(event => event.level === 'error' && event.text.includes('what'))
    t.strictSame(unexpected(), [])

    const crash = beam.waitForLog(/crasher/)
    await beam.eval('proc_lib:spawn(fun() -> register(crasher, self()), error(crasher) end).')
    t.equal((await crash).level, 'error', 'crash reports, which another process makes')
    t.equal(unexpected().length, 1)
    beam.expectLog(/crasher/)
    t.strictSame(unexpected(), [])
    await t.rejects(beam.waitForLog('never said', { timeout: 20 }), { code: 'ERR_INTEROP_TIMEOUT' })
  })
})

t.test('faults', async t => {
  await eachOtp(t, async (t, { start }) => {
    const paused = await start()
    paused.pause()
    await t.rejects(paused.eval('ok.', { timeout: 200 }), { code: 'ERR_INTEROP_TIMEOUT' })
    const pending = paused.eval('done.')
    paused.resume()
    t.equal(await pending, atom('done'))
    paused.pause()
    t.strictSame(await paused.stop(), { code: 0, signal: null }, 'a paused node can be stopped')
    t.strictSame(await paused.stop(), { code: 0, signal: null }, 'twice')

    const killed = await start()
    const rejected = t.rejects(killed.eval('receive after infinity -> ok end.'), { code: 'ERR_INTEROP_EXITED' })
    t.strictSame(await killed.kill(), { code: null, signal: 'SIGKILL' })
    await rejected
    await t.rejects(killed.eval('ok.'), { code: 'ERR_INTEROP_EXITED' })
    t.strictSame(await killed.stop(), { code: null, signal: 'SIGKILL' }, 'nothing is left to stop')
  })
})

t.test('nodes see each other', async t => {
  await eachOtp(t, async (t, { start }) => {
    const one = await start()
    const other = await start({ cookie: one.cookie, hidden: true })
    const up = one.waitForNode(other.name, 'up')
    t.equal(await one.eval('net_adm:ping(Name).', named(other.name)), atom('pong'))
    await up
    t.strictSame(await one.eval('nodes(hidden).'), [atom(other.name)])
    const down = one.waitForNode(other.name, 'down')
    await other.stop()
    await down
    t.strictSame(await one.eval('nodes(connected).'), [])
  })
})

t.test('names', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const local = `short-${otp}-${process.pid}`
    const short = await start({ name: local })
    t.match(short.name, new RegExp(`^${local}@[^.]+$`))
    t.equal(await short.eval('net_kernel:longnames().'), false)
    const alone = await start({ name: false })
    t.equal(alone.name, 'nonode@nohost')
    t.equal(await alone.eval('is_alive().'), false)
    await t.rejects(start({ name: short.name }), { code: 'ERR_INTEROP_START' }, 'a name that is taken')
  })
})

t.test('an epmd of its own', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await using epmd = await startEpmd({ otp })
    const beam = await start({ epmdPort: epmd.port, name: 'isolated@127.0.0.1' })
    t.match(await beam.eval('erl_epmd:names().'), tuple(atom('ok'), [tuple([...Buffer.from('isolated')])]))
    await t.rejects(startEpmd({ otp, port: epmd.port }), { code: 'ERR_INTEROP_START' })
    t.equal((await epmd.close()).signal, 'SIGKILL')
    t.strictSame(await beam.eval('erl_epmd:names().'), tuple(atom('error'), atom('address')), 'no daemon was left on that port')
  })
})

t.test('a node does not outlive the process that started it', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const watcher = await start()
    const owner = fork(new URL('./support/abandoned-beam.ts', import.meta.url), [String(otp), watcher.cookie])
    const [name] = (await once(owner, 'message')) as [string]
    const up = watcher.waitForNode(name, 'up')
    await watcher.eval('net_kernel:connect_node(Name).', named(name))
    await up
    const down = watcher.waitForNode(name, 'down')
    owner.kill('SIGKILL')
    await down
    t.equal(await watcher.eval('net_adm:ping(Name).', named(name)), atom('pang'))
  })
})

t.test('a release that is not here', async t => {
  const error: unknown = await startBeam({ otp: 21 }).catch((error: unknown) => error)
  t.ok(error instanceof InteropError)
  t.match(error, { code: 'ERR_INTEROP_NO_OTP', message: /make setup/ })
  process.env['BEAMLET_OTP_22'] = '/nowhere'
  t.teardown(() => delete process.env['BEAMLET_OTP_22'])
  await t.rejects(startBeam({ otp: 22 }), { code: 'ERR_INTEROP_NO_OTP' })
  await t.rejects(startEpmd({ otp: 22 }), { code: 'ERR_INTEROP_NO_OTP' })
})
