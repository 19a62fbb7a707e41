/** `beamlet doctor` and real nodes: what it says of each, whole, and what they say of it. */
import t from 'tap'
import { startEpmd } from '../src/interop/index.js'
import { register } from '../src/net/epmd-registration.js'
import type { Atom } from '../src/term/index.js'
import { plain } from '../test/diagnosed.js'
import { freePort } from '../test/net/epmd-fake.js'
import { at, cookie } from './support/command.js'
import { eachOtp } from './support/each-otp.js'

/** The steps that are ok, as they are said of a node; then what failed, and what was not reached. */
function report(name: string, otp: number, last: string): string[] {
  const flags =
    otp < 28
      ? 'ok      flags       26 flags, as OTP 25 to 27 has them: all that must be, and all that Beamlet uses but ALTACT_SIG, NATIVE_RECORDS.'
      : 'ok      flags       28 flags, as OTP 29 or later has them: all that must be, and all that Beamlet uses.'
  const [alive] = name.split('@')
  const all = [
    `ok      name        ${name} has a long name, and so has this node, beamlet_NEW@127.0.0.1.`,
    'ok      host        127.0.0.1 is an address.',
    `ok      epmd        EPMD at 127.0.0.1:PORT knows ${alive}: a normal node at port PORT, of protocol 5 to 6.`,
    'ok      port        127.0.0.1:PORT takes the connection.',
    'ok      tls         The connection is a plain one, without TLS.',
    `ok      handshake   ${name} answers ok; its creation is CREATION.`,
    flags,
    "ok      cookie      The cookies agree; this node's is from BEAMLET_COOKIE.",
    'ok      visibility  The connection is hidden, for this node is: nodes() does not list it, nodes(hidden) does.',
    'ok      ping        A ping is answered: pong.',
  ]
  return all.slice(0, all.findIndex(line => line.slice(8).startsWith(`${last} `)) + 1)
}

const notReached = (...steps: string[]): string[] => steps.map(step => `-       ${step.padEnd(12)}not reached`)
const text = (...lines: string[]): string => `${lines.join('\n')}\n`

t.test('doctor', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await using epmd = await startEpmd({ otp })
    const run = at(epmd.port)
    const beam = await start({ epmdPort: epmd.port, cookie })
    const [alive = ''] = beam.name.split('@')
    const doctor = async (...args: string[]): Promise<{ code: number | null; said: string }> => {
      const { code, stdout, stderr } = await run('doctor', ...args)
      t.equal(stderr, '')
      return { code, said: plain(stdout.replaceAll(alive, 'NAME')) }
    }
    const name = 'NAME@127.0.0.1'

    await t.test('a node that answers, and hears of it no more than of a ping', async t => {
      t.strictSame(await doctor(beam.name), { code: 0, said: text(...report(name, otp, 'ping')) })
      const [visitor] = (await beam.eval('[Name || Name <- nodes(known), hd(atom_to_list(Name)) =:= $b, Name =/= node()].')) as [Atom]
      t.match(visitor.name, /^beamlet_\d+_[0-9a-f]{8}@127\.0\.0\.1$/)
      await beam.waitForNode(visitor.name, 'down')
      const seen = await doctor(beam.name, '--no-hidden', '--name', 'doctor')
      t.match(seen, { code: 0, said: /\nok {6}visibility {2}The connection is visible: nodes\(\) lists each node at the other\.\n/ })
      await beam.waitForNode('doctor@127.0.0.1', 'down')
      t.match(await run('ping', beam.name), { code: 0 })
    })

    await t.test('another cookie', async t => {
      beam.expectLog(/rejected\. Invalid challenge reply/)
      t.strictSame(await doctor(beam.name, '--cookie', 'other'), {
        code: 3,
        said: text(
          ...report(name, otp, 'flags'),
          `failed  cookie      The node ${name} closed when it saw our digest: the cookies differ. [DIST_BAD_COOKIE]`,
          "                    This node's is from the cookie option. Give both nodes the same one: option cookie, --cookie, or ~/.erlang.cookie.",
          ...notReached('visibility', 'ping'),
        ),
      })
    })

    await t.test('a node that allows only others', async t => {
      const choosy = await start({ epmdPort: epmd.port, cookie })
      choosy.expectLog(/Connection attempt from disallowed node beamlet_/)
      await choosy.eval("net_kernel:allow(['friend@127.0.0.1']).")
      t.match(
        (await doctor(choosy.name)).said,
        /\nok {6}tls .*\nfailed {2}handshake {3}The node \S+ does not allow beamlet_NEW@127\.0\.0\.1\. \[DIST_NOT_ALLOWED\]\n {20}Take a name that its net_kernel:allow\/1 list has/,
      )
      t.match(await doctor(choosy.name, '--name', 'friend'), { code: 0 })
    })

    await t.test('a name that is not registered', async t => {
      const { code, said } = await doctor(`${alive}x@127.0.0.1`)
      t.equal(code, 3)
      t.match(
        said,
        /\nfailed {2}epmd {8}EPMD at 127\.0\.0\.1:PORT knows no node 'NAMEx'; it knows .*NAME.*\. \[EPMD_NO_SUCH_NODE\]\n {20}Did you mean NAME/,
      )
    })

    await t.test('a node that is stopped', async t => {
      beam.pause()
      t.strictSame(await doctor(beam.name, '--timeout', '1000'), {
        code: 3,
        said: text(
          ...report(name, otp, 'tls'),
          'failed  handshake   Connected with 127.0.0.1:PORT, but the status did not come within 1000 ms. [NET_TIMEOUT]',
          '                    The node hangs or is stopped, or what listens there is no Erlang node, or one that speaks TLS only.',
          ...notReached('flags', 'cookie', 'visibility', 'ping'),
        ),
      })
      beam.resume()
      t.match(await doctor(beam.name), { code: 0 })
    })

    await t.test('short names and long ones', async t => {
      const short = await start({ name: `doctor-short-${process.pid}-${otp}`, epmdPort: epmd.port, cookie })
      t.match(await doctor(short.name), { code: 0, said: /^ok {6}name {8}\S+ has a short name, and so has this node, beamlet_NEW@/ })
      const [alone = ''] = short.name.split('@')
      t.match(
        (await doctor(`${alone}@127.0.0.1`)).said,
        /\nfailed {2}handshake {3}The node that answered calls itself \S+, but \S+@127\.0\.0\.1 was dialled\. \[DIST_NAME_MISMATCH\]\n/,
      )
      t.match(await doctor(short.name, '--name', 'me@127.0.0.1'), {
        code: 3,
        said: /^failed {2}name .*this node has a long name\. \[NAME_SHORT_LONG\]\n/,
      })
    })

    await t.test('a second node of a name that is connected leaves the first alone', async t => {
      const other = await start({ epmdPort: epmd.port, cookie })
      t.equal(await other.eval('net_kernel:connect_node(Name).', { bindings: { Name: (await beam.eval('node().')) as never } }), true)
      await beam.waitForNode(other.name, 'up')
      t.match(
        (await doctor(beam.name, '--name', other.name)).said,
        /\nfailed {2}handshake .* holds a connection to a node \S+ already\. \[DIST_ALIVE\]\n/,
      )
      t.equal(await other.eval('lists:member(Name, nodes()).', { bindings: { Name: (await beam.eval('node().')) as never } }), true)
    })

    await t.test('EPMD tells a port at which nobody listens', async t => {
      await using _gone = await register({ name: 'gone', port: await freePort(), epmdPort: epmd.port })
      t.match(
        (await doctor('gone@127.0.0.1')).said,
        /\nfailed {2}port {8}Nothing listens at 127\.0\.0\.1:PORT\. EPMD still tells that port\. \[NET_REFUSED\]\n/,
      )
    })

    await t.test('no EPMD, and one that is stopped', async t => {
      t.match(
        (await doctor(beam.name, '--epmd-port', String(await freePort()))).said,
        /\nfailed {2}epmd .*nobody listens at that port\. \[EPMD_UNREACHABLE\]\n/,
      )
      epmd.pause()
      t.match(
        (await doctor(beam.name, '--timeout', '500')).said,
        /\nfailed {2}epmd {8}EPMD at 127\.0\.0\.1:PORT is connected, and did not answer within 500 ms\. \[EPMD_TIMEOUT\]\n/,
      )
      epmd.resume()
    })

    await t.test('a node that registered at the usual port', async t => {
      const usual = await start({ cookie })
      const there = / {20}The EPMD at port PORT of that host knows the node: use that one \(ERL_EPMD_PORT=4369\)\.\n/
      const unknown = (await doctor(usual.name)).said
      t.match(unknown, /\nfailed {2}epmd .*knows no node .* \[EPMD_NO_SUCH_NODE\]\n/)
      t.match(unknown, there)
      const refused = (await doctor(usual.name, '--epmd-port', String(await freePort()))).said
      t.match(refused, /\nfailed {2}epmd .* \[EPMD_UNREACHABLE\]\n/)
      t.match(refused, there)
      t.match(await doctor(usual.name, '--epmd-port', '4369'), { code: 0 })
    })

    await t.test('this machine', async t => {
      t.match((await doctor()).said, /\nok {6}epmd {8}EPMD runs at port PORT and knows .*NAME at port PORT.*\n/)
    })
  })
})
