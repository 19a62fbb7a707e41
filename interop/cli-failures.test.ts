/** The command `beamlet` where there is no connection: each cause is a real one. (A node that lacks flags is played in test/cli.) */
import t, { type Test } from 'tap'
import { type Beam, type Epmd, startEpmd } from '../src/interop/index.js'
import { register } from '../src/net/epmd-registration.js'
import { fails } from '../test/cli/beamlet.js'
import { freePort } from '../test/net/epmd-fake.js'
import { at, cookie } from './support/command.js'
import { eachOtp } from './support/each-otp.js'

t.test('no connection', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await using epmd = await startEpmd({ otp })
    const run = at(epmd.port)
    const beam = await start({ epmdPort: epmd.port, cookie })
    const short = await start({ name: `cli-alone-${otp}`, epmdPort: epmd.port, cookie })
    await network(t, epmd, beam)

    await t.test('another cookie', async t => {
      beam.expectLog(/rejected\. Invalid challenge reply/)
      fails(t, await run('ping', beam.name, '--cookie', 'other'), 3, 'DIST_BAD_COOKIE', /the cookies differ/)
    })

    await t.test('a short name against a long one', async t => {
      fails(t, await run('ping', beam.name, '--name', 'me@here'), 3, 'NAME_SHORT_LONG', /Start it with a full host name/)
      fails(t, await run('ping', short.name, '--name', 'me@127.0.0.1'), 3, 'NAME_SHORT_LONG', /Start it with a short one/)
      const [alive] = short.name.split('@')
      const long = await run('ping', `${alive}@127.0.0.1`)
      fails(t, long, 3, 'DIST_NAME_MISMATCH', new RegExp(`calls itself ${short.name}, but ${alive}@127\\.0\\.0\\.1 was dialled`))
    })

    await t.test('a node that allows only others', async t => {
      short.expectLog(/Connection attempt from disallowed node beamlet_/)
      await short.eval("net_kernel:allow(['friend@here']).")
      fails(t, await run('ping', short.name), 3, 'DIST_NOT_ALLOWED', /Take a name that its net_kernel:allow\/1 list has/)
      t.match(await run('ping', short.name, '--name', 'friend@here'), { code: 0, stdout: 'pong\n' })
    })

    await t.test('a node that is stopped', async t => {
      beam.pause()
      fails(
        t,
        await run('ping', beam.name, '--timeout', '300'),
        3,
        'NET_TIMEOUT',
        /did not come within 300 ms\. The node hangs or is stopped/,
      )
      beam.resume()
      t.match(await run('ping', beam.name), { code: 0 })
    })

    await t.test('a node that ends before it answers', async t => {
      fails(t, await run('call', beam.name, 'erlang', 'halt'), 3, 'ERR_RPC_ERPC', /erlang:halt\/0 .* noconnection/)
      await beam.exited
      fails(t, await run('ping', beam.name), 3, 'EPMD_NO_SUCH_NODE', /Start the node; if it runs/)
    })
  })
})

/** Faults on the way to the node. */
async function network(t: Test, epmd: Epmd, beam: Beam): Promise<void> {
  const run = at(epmd.port)
  await t.test('no EPMD', async t => {
    fails(t, await at(await freePort())('ping', beam.name), 3, 'EPMD_UNREACHABLE', /EPMD at 127\.0\.0\.1:\d+ cannot be reached/)
  })
  await t.test('an EPMD that is stopped', async t => {
    epmd.pause()
    fails(t, await run('names', '--timeout', '300'), 3, 'EPMD_TIMEOUT', /did not answer within 300 ms/)
    epmd.resume()
  })
  await t.test('no such node', async t => {
    fails(
      t,
      await run('ping', 'nobody@127.0.0.1'),
      3,
      'EPMD_NO_SUCH_NODE',
      /EPMD at 127\.0\.0\.1:\d+ knows no node 'nobody'; it knows [-\w]+, [-\w]+\./,
    )
  })
  await t.test('refused: EPMD still tells a port at which nobody listens any more', async t => {
    await using _gone = await register({ name: 'gone', port: await freePort(), epmdPort: epmd.port })
    fails(t, await run('ping', 'gone@127.0.0.1'), 3, 'NET_REFUSED', /Nothing listens at 127\.0\.0\.1:\d+/)
  })
}
