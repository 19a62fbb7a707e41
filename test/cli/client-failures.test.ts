/** Every way in which a connection can fail: a code and a sentence on stderr, exit code 3, and no stack. */
import t from 'tap'
import { mandatoryFlags } from '../../src/dist/flags.js'
import type { Process } from '../../src/index.js'
import { freePort } from '../net/epmd-fake.js'
import { fails } from './beamlet.js'
import { handshaking, listening, machine, portOf } from './peers.js'

t.test('no connection', async t => {
  const here = await machine(t)
  const ping = (target: string, ...options: string[]) => here.run(['ping', target, ...options])
  const node = await here.node('peer')

  await t.test('no EPMD', async t => {
    const ended = await ping('peer@127.0.0.1', '--epmd-port', String(await freePort()))
    fails(t, ended, 3, 'EPMD_UNREACHABLE', /EPMD at 127\.0\.0\.1:\d+ cannot be reached: the host is there, .* Start the node there/)
    t.equal(ended.stdout, 'pang\n')
  })

  await t.test('an EPMD that says nothing', async t => {
    const silent = await listening(() => {})
    t.teardown(() => silent.close())
    const ended = await ping('peer@127.0.0.1', '--epmd-port', String(portOf(silent)), '--timeout', '100')
    fails(t, ended, 3, 'EPMD_TIMEOUT', /did not answer within 100 ms/)
  })

  await t.test('something else where EPMD should be', async t => {
    const other = await listening(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    t.teardown(() => other.close())
    fails(t, await ping('peer@127.0.0.1', '--epmd-port', String(portOf(other))), 3, 'EPMD_FORMAT', /EPMD/)
  })

  await t.test('no such host', async t => {
    fails(t, await ping('peer@no-such-host.invalid'), 3, 'EPMD_UNKNOWN_HOST', /'no-such-host\.invalid' has no address/)
  })

  await t.test('no such node', async t => {
    fails(t, await ping('nobody@127.0.0.1'), 3, 'EPMD_NO_SUCH_NODE', /knows no node 'nobody'; it knows peer\. Start the node; if it runs/)
  })

  await t.test('another cookie', async t => {
    fails(t, await ping('peer@127.0.0.1', '--cookie', 'other'), 3, 'DIST_BAD_COOKIE', /the cookies differ/)
  })

  await t.test('a short name against a long one', async t => {
    const short = await ping('peer@127.0.0.1', '--name', 'me@thishost')
    fails(t, short, 3, 'NAME_SHORT_LONG', /this node has a short name\. Start it with a full host name/)
    const long = await ping('peer@thathost', '--name', 'me@127.0.0.1')
    fails(t, long, 3, 'NAME_SHORT_LONG', /this node has a long name\. Start it with a short one/)
  })

  await t.test('a node under another name than was dialled', async t => {
    const sentence = /calls itself peer@127\.0\.0\.1, but peer@localhost was dialled\. Use the name it was started with/
    fails(t, await ping('peer@localhost'), 3, 'DIST_NAME_MISMATCH', sentence)
  })

  await t.test('refused: EPMD tells a port at which nobody listens', async t => {
    const name = await here.register('gone', await freePort())
    fails(
      t,
      await ping(name),
      3,
      'NET_REFUSED',
      /Nothing listens at 127\.0\.0\.1:\d+\. EPMD still tells that port\. The node is about to end, or its port/,
    )
  })

  await t.test('a node that lacks mandatory flags', async t => {
    const name = await here.serve('old', handshaking('old@127.0.0.1', mandatoryFlags[25]))
    fails(t, await ping(name), 3, 'DIST_FLAGS', /lacks what the protocol needs since OTP 26: UNLINK_ID, V4_NC/)
  })

  await t.test('a node that allows only others', async t => {
    const name = await here.serve('choosy', handshaking('choosy@127.0.0.1', mandatoryFlags[26], 'not_allowed'))
    fails(t, await ping(name), 3, 'DIST_NOT_ALLOWED', /does not allow beamlet_\d+_[0-9a-f]{8}@127\.0\.0\.1\. Take a name/)
  })

  await t.test('a listener that closes', async t => {
    const name = await here.serve('closes', socket => socket.end())
    fails(t, await ping(name), 3, 'DIST_CLOSED', /closed the connection after the name was sent/)
  })

  await t.test('a listener that speaks another protocol', async t => {
    const name = await here.serve('http', socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const ended = await ping(name)
    fails(t, ended, 3, 'NET_OTHER_PROTOCOL', /What is at 127\.0\.0\.1:\d+ speaks HTTP: it is no Erlang node/)
    t.equal(ended.stdout, 'pang\n')
  })

  await t.test('a listener that says nothing', async t => {
    const name = await here.serve('silent', () => {})
    fails(
      t,
      await ping(name, '--timeout', '100'),
      3,
      'NET_TIMEOUT',
      /The node hangs or is stopped, or what listens there is no Erlang node/,
    )
  })

  await t.test('a connection that breaks before the answer', async t => {
    await node.code.load('peer', {
      leave(this: Process) {
        const [caller] = node.nodes('hidden')
        node.disconnect(caller as string)
        return this.receive()
      },
    })
    fails(t, await here.run(['call', node.name, 'peer', 'leave']), 3, 'ERR_RPC_ERPC', /peer:leave\/0 .* noconnection/)
  })

  await t.test('--json: the same on one line', async t => {
    const { code, stdout, stderr } = await ping('nobody@127.0.0.1', '--json')
    t.equal(code, 3)
    t.same(JSON.parse(stdout), { node: 'nobody@127.0.0.1', answer: 'pang' })
    t.match(JSON.parse(stderr), { error: { code: 'EPMD_NO_SUCH_NODE', message: /knows no node 'nobody'/ } })
    t.match(stderr, /^[^\n]+\n$/)
  })
})
