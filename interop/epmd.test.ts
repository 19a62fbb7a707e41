/** EPMD both ways: our client at the real epmd, the real epmd's command and BEAM nodes at our server. */
import { execFile } from 'node:child_process'
import t, { type Test } from 'tap'
import { type Beam, type Epmd, type Release, startEpmd } from '../src/interop/index.js'
import { programOf } from '../src/interop/release.js'
import { dump, kill, lookup, names, stop } from '../src/net/epmd-client.js'
import { register } from '../src/net/epmd-registration.js'
import { EpmdServer } from '../src/net/epmd-server.js'
import { openEpmd } from '../src/net/epmd.js'
import { atom, tuple } from '../src/term/index.js'
import { ManualClock } from '../test/net/epmd-clock.js'
import { conversations, play } from '../test/net/epmd-transcript.js'
import { eachOtp } from './support/each-otp.js'

const host = '127.0.0.1'

/** What the command `epmd` of that release prints, and its exit code. */
function command(otp: Release, port: number, ...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise(resolve => {
    execFile(programOf('epmd', otp), ['-port', String(port), ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr })
    })
  })
}

/** A server, and a promise for the next event about a node of that name. */
class Observed {
  #told: [string, () => void][] = []

  readonly events = {
    registered: ({ name }: { name: string }) => this.#tell(`registered ${name}`),
    unregistered: ({ name }: { name: string }) => this.#tell(`unregistered ${name}`),
  }

  #tell(what: string): void {
    for (const [expected, resolve] of this.#told) if (expected === what) resolve()
  }

  next(what: `${'registered' | 'unregistered'} ${string}`): Promise<void> {
    return new Promise(resolve => this.#told.push([what, resolve]))
  }
}

const alive = (beam: Beam): string => beam.name.split('@')[0] ?? ''
const portOf = (name: string) => `erl_epmd:port_please("${name}", {127,0,0,1}).`

t.test('the real epmd', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await t.test('says what the transcript says', async t => {
      for (const { name, steps } of conversations) {
        await using epmd = await startEpmd({ otp })
        await t.test(name, t => play(steps, epmd.port, (heard, expected, { means }) => t.match(heard, expected, means)))
      }
    })

    await t.test('is understood, and understands', async t => {
      await using epmd = await startEpmd({ otp })
      const at = { epmdPort: epmd.port }
      const beam = await start({ epmdPort: epmd.port })
      await using ts = await register({ name: 'ts', port: 4001, hidden: true, extra: Buffer.from('extra'), ...at })
      t.ok(ts.creation > 3)
      t.match(await lookup('ts', host, at), { name: 'ts', port: 4001, hidden: true, highest: 6, lowest: 6, extra: Buffer.from('extra') })
      t.match(await lookup(alive(beam), host, at), { name: alive(beam), hidden: false, highest: 6 })
      t.same((await names(host, at)).map(({ name }) => name), ['ts', alive(beam)]) // prettier-ignore
      t.strictSame(await beam.eval(portOf('ts')), tuple(atom('port'), 4001, 6))
      t.match((await dump(host, at)).active, [{ name: 'ts', port: 4001 }, { name: alive(beam) }])
      await t.rejects(register({ name: 'ts', port: 4002, ...at }), { code: 'EPMD_NAME_TAKEN' })
      await t.rejects(lookup('nobody', host, at), { code: 'EPMD_NO_SUCH_NODE' })
      t.equal(await kill(host, at), false)
      await t.rejects(stop('ts', host, at), { code: 'EPMD_REFUSED' })
      await ts.close()
      await using again = await register({ name: 'ts', port: 4001, ...at })
      t.equal(again.creation, ts.creation + 1)
    })

    await t.test('is the one that auto uses', async t => {
      await using epmd = await startEpmd({ otp })
      await using ours = await openEpmd('auto', { port: epmd.port })
      await ours.register({ name: 'ts', port: 4001 })
      t.equal(ours.server, null)
      t.same(await ours.names(host), [{ name: 'ts', port: 4001 }])
      await t.rejects(openEpmd('embedded', { port: epmd.port }), { code: 'EPMD_PORT_IN_USE' })
    })

    await t.test('is killed and stopped when it is relaxed', async t => {
      const epmd = await startEpmd({ otp, relaxed: true })
      const at = { epmdPort: epmd.port }
      const clock = new ManualClock()
      await using _ts = await register({ name: 'ts', port: 4001, clock, ...at })
      t.equal(await stop('nobody', host, at), false)
      t.equal(await stop('ts', host, at), true)
      await using _other = await register({ name: 'other', port: 4002, clock, ...at })
      t.equal(await kill(host, at), true)
      t.match(await epmd.exited, { code: 0 })
    })

    await t.test('may hang, and may die: the node registers again', async t => {
      await lives(t, await startEpmd({ otp }), port => startEpmd({ otp, port }))
    })
  })
})

async function lives(t: Test, first: Epmd, restart: (port: number) => Promise<Epmd>): Promise<void> {
  const at = { epmdPort: first.port }
  const clock = new ManualClock()
  let told: ((what: string) => void) | undefined
  const next = (): Promise<string> => new Promise(resolve => (told = resolve))
  const events = { lost: () => told?.('lost'), restored: () => told?.('restored'), failed: ({ code }: { code: string }) => told?.(code) }
  await using ts = await register({ name: 'ts', port: 4001, events, clock, ...at })
  const { creation } = ts

  first.pause()
  await t.rejects(lookup('ts', host, { ...at, timeout: 50 }), { code: 'EPMD_TIMEOUT' })
  first.resume()
  t.match(await lookup('ts', host, at), { port: 4001 })

  const lost = next()
  await first.close()
  t.equal(await lost, 'lost')
  const failed = next()
  clock.advance(2000)
  t.equal(await failed, 'EPMD_UNREACHABLE')
  await using _second = await restart(first.port)
  const restored = next()
  clock.advance(2000)
  t.equal(await restored, 'restored')
  t.match(await lookup('ts', host, at), { port: 4001 })
  t.equal(ts.creation, creation, 'the creation that came now is ignored')
}

t.test('the embedded server', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await t.test('answers the command epmd', async t => {
      await using server = await EpmdServer.start({ port: 0 })
      await using _ts = await register({ name: 'ts', port: 4001, epmdPort: server.port })
      await using _other = await register({ name: 'other', port: 4002, epmdPort: server.port })
      t.same(await command(otp, server.port, '-names'), {
        code: 0,
        output: `epmd: up and running on port ${server.port} with data:\nname other at port 4002\nname ts at port 4001\n`,
      })
      t.match(await command(otp, server.port, '-dump'), {
        output: /active name {5}<other> at port 4002, fd = \d+\n\0active name {5}<ts> at port 4001, fd = \d+\n\0$/,
      })
      t.match(await command(otp, server.port, '-kill'), { code: 1, output: /living nodes/ })
      t.match(await command(otp, server.port, '-stop', 'ts'), { output: /local epmd responded with <>/ })
      t.match(await lookup('ts', host, { epmdPort: server.port }), { port: 4001 })
      t.match(await command(otp, server.port), { code: 0 }, 'an epmd that finds it there leaves')
    })

    await t.test('obeys the command epmd when it is relaxed', async t => {
      const server = await EpmdServer.start({ port: 0, relaxed: true })
      await using _ts = await register({ name: 'ts', port: 4001, epmdPort: server.port, clock: new ManualClock() })
      t.match(await command(otp, server.port, '-stop', 'nobody'), { output: 'NOEXIST\n' })
      t.match(await command(otp, server.port, '-stop', 'ts'), { output: 'STOPPED\n' })
      t.match(await command(otp, server.port, '-kill'), { code: 0, output: 'Killed\n' })
      t.match(await command(otp, server.port, '-names'), { code: 1, output: /Cannot connect/ })
    })

    await t.test('serves BEAM nodes', async t => {
      const observed = new Observed()
      await using server = await EpmdServer.start({ port: 0, events: observed.events })
      const epmdPort = server.port
      await using _ts = await register({ name: 'ts', port: 4001, hidden: true, epmdPort })
      const one = await start({ epmdPort, cookie: 'shared' })
      // This one runs `epmd -daemon` on the port first, as every erl does.
      const two = await start({ env: { ERL_EPMD_PORT: String(epmdPort) }, cookie: 'shared' })
      t.same(server.nodes().map(({ name }) => name), [alive(two), alive(one), 'ts']) // prettier-ignore
      t.equal(await one.eval(`net_adm:ping('${two.name}').`), atom('pong'))
      t.strictSame(await one.eval(portOf('ts')), tuple(atom('port'), 4001, 6))
      t.equal(await one.eval(portOf('nobody')), atom('noport'))
      const listed = 'begin {ok, L} = net_adm:names({127,0,0,1}), [list_to_binary(N) || {N, _} <- lists:reverse(L)] end.'
      t.strictSame(
        await two.eval(listed),
        [alive(two), alive(one), 'ts'].map(name => Buffer.from(name)),
      )
      const creation = await two.eval('erts_internal:get_creation().')
      t.type(creation, 'number')
      t.ok((creation as number) > 3)
      await t.rejects(start({ name: one.name, epmdPort, cookie: 'shared' }), { code: 'ERR_INTEROP_START', message: /seems to be in use/ })
      const gone = observed.next(`unregistered ${alive(two)}`)
      await two.kill()
      await gone
      t.equal(await one.eval(portOf(alive(two))), atom('noport'))
    })

    await t.test('and a BEAM node finds its successor', async t => {
      const epmd = await openEpmd('auto', { port: (await freed()).port })
      const observed = new Observed()
      // The successor: another Beamlet, registered at the first one's server.
      await using heir = await openEpmd('auto', { port: epmd.port, events: observed.events })
      const beam = await start({ epmdPort: epmd.port })
      await heir.register({ name: 'heir', port: 4002 })
      t.equal(heir.server, null)
      // Either may be the first to be registered again.
      const back = Promise.all([observed.next(`registered ${alive(beam)}`), observed.next('registered heir')])
      await epmd.close()
      await back
      t.same(heir.server?.nodes().map(({ name }) => name).toSorted(), [alive(beam), 'heir']) // prettier-ignore
      t.strictSame(await beam.eval(portOf('heir')), tuple(atom('port'), 4002, 6))
    })
  })
})

/** A port that was free just now. */
async function freed(): Promise<{ port: number }> {
  await using server = await EpmdServer.start({ port: 0 })
  return { port: server.port }
}
