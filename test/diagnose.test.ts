/** Every step of a diagnosis that fails, with peers that are played. All of what is said is compared. */
import type { Socket } from 'node:net'
import t from 'tap'
import { flags, mandatoryFlags } from '../src/dist/flags.js'
import { atom, diagnose, diagnoseHere, type DiagnosisStep, type Node } from '../src/index.js'
import { genServer, reply } from '../src/otp/index.js'
import { handshaking, listening, machine, portOf } from './cli/peers.js'
import { steps, told, verdict } from './diagnosed.js'
import { freePort } from './net/epmd-fake.js'

t.test('a node that answers', async t => {
  const here = await machine(t)
  const node = await here.node('patient', { hidden: false })
  const found = await steps(node.name, { cookie: 'secret', epmdPort: here.epmdPort })
  t.strictSame(found.map(told), [
    'ok name patient@127.0.0.1 has a long name, and so has this node, beamlet_NEW@127.0.0.1.',
    'ok host 127.0.0.1 is an address.',
    'ok epmd EPMD at 127.0.0.1:PORT knows patient: a normal node at port PORT, of protocol 6 to 6.',
    'ok port 127.0.0.1:PORT takes the connection.',
    'ok tls The connection is a plain one, without TLS.',
    'ok handshake patient@127.0.0.1 answers ok; its creation is CREATION.',
    'ok flags 27 flags, as OTP 29 or later has them: all that must be, and all that Beamlet uses.',
    "ok cookie The cookies agree; this node's is from the cookie option.",
    'ok visibility The connection is hidden, for this node is: nodes() does not list it, nodes(hidden) does.',
    'ok ping A ping is answered: pong.',
  ])
  t.match(found[2]?.details, { port: node.port, type: 'normal', epmdPort: here.epmdPort })
  t.match(found[5]?.details, { creation: node.creation, status: 'ok' })
  t.match(found[6]?.details, { missing: [], release: 'OTP 29 or later' })
  t.notMatch(JSON.stringify(found), /secret/, 'the cookie is nowhere')
  for (const { milliseconds } of found) t.ok(milliseconds >= 0 && milliseconds < 10_000)
})

t.test('name and host', async t => {
  const options = { cookie: 'secret', epmdPort: await freePort() }
  t.equal(
    await verdict('patient', options),
    "NAME_FORMAT name 'patient' is no node name: write name@host, with one @ and text on both sides.",
  )
  t.equal(
    await verdict('patient@127.0.0.1', { ...options, name: 'me@here' }),
    "NAME_SHORT_LONG name 'patient@127.0.0.1' is out of reach, for this node has a short name. → " +
      'Start it with a full host name (name@host.domain or an address) to reach long names.',
  )
  t.equal(
    await verdict('patient@no-such-host.invalid', options),
    "NET_UNKNOWN_HOST host The host 'no-such-host.invalid' has no address (ENOTFOUND). → " +
      'Look at its spelling, and at its entry in DNS or /etc/hosts.',
  )
})

t.test('EPMD', async t => {
  const to = 'patient@127.0.0.1'
  const options = { cookie: 'secret', timeout: 200 }
  t.equal(
    await verdict(to, { ...options, epmdPort: await freePort() }),
    'EPMD_UNREACHABLE epmd EPMD at 127.0.0.1:PORT cannot be reached: the host is there, and nobody listens at that port. → ' +
      'Start the node there, which starts EPMD, or `epmd -daemon`. If it runs, look at its port (ERL_EPMD_PORT), its addresses (ERL_EPMD_ADDRESS) and the firewall.',
  )
  const port = "→ Look which program has that port, and which port EPMD has: ERL_EPMD_PORT says it, on the node's side too."
  const others: [string, (socket: Socket) => void, string][] = [
    [
      'HTTP',
      socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'EPMD_FORMAT epmd What listens as EPMD at 127.0.0.1:PORT speaks HTTP: it is no EPMD.',
    ],
    [
      'rubbish',
      socket => socket.end(Buffer.from([1, 2, 3])),
      'EPMD_FORMAT epmd What listens as EPMD at 127.0.0.1:PORT is none: This is no answer to a PORT_PLEASE2 request: it begins with 1, not with 119.',
    ],
    ['silence', () => {}, 'EPMD_TIMEOUT epmd EPMD at 127.0.0.1:PORT is connected, and did not answer within 200 ms.'],
    [
      'an end',
      socket => socket.end(),
      'EPMD_CLOSED epmd EPMD at 127.0.0.1:PORT closed the connection after 0 bytes, before its answer was whole.',
    ],
  ]
  for (const [what, serve, expected] of others) {
    const other = await listening(serve)
    t.equal(await verdict(to, { ...options, epmdPort: portOf(other) }), `${expected} ${port}`, what)
    other.close()
  }
})

t.test('a name that is not registered', async t => {
  const here = await machine(t)
  const ask = (name: string) => steps(`${name}@127.0.0.1`, { cookie: 'secret', epmdPort: here.epmdPort })
  const last = (found: DiagnosisStep[]): string => told(found.at(-1)!)
  t.equal(
    last(await ask('shop')),
    "EPMD_NO_SUCH_NODE epmd EPMD at 127.0.0.1:PORT knows no node 'shop', and no other either. → " +
      'Start the node; if it runs, look at its name, and whether it uses another EPMD port (ERL_EPMD_PORT) or none.',
  )
  await here.register('shop2', 4001)
  await here.register('calc', 4002)
  const found = await ask('shop')
  t.equal(last(found), "EPMD_NO_SUCH_NODE epmd EPMD at 127.0.0.1:PORT knows no node 'shop'; it knows calc, shop2. → Did you mean shop2?")
  t.match(found.at(-1)?.details, { registered: [{ name: 'calc', port: 4002 }, { name: 'shop2', port: 4001 }] }) // prettier-ignore
  for (let i = 0; i < 10; i++) await here.register(`n${i}`, 4100 + i)
  t.match(last(await ask('shop')), /it knows calc, n0, n1, n2, n3, n4, n5, n6, n7, n8 and 2 more\. → Did you mean shop2\?$/)
})

t.test('what listens at the port', async t => {
  const here = await machine(t)
  const ask = (name: string) => verdict(name, { cookie: 'secret', epmdPort: here.epmdPort, timeout: 200 })

  t.equal(
    await ask(await here.register('gone', await freePort())),
    'NET_REFUSED port Nothing listens at 127.0.0.1:PORT. EPMD still tells that port. → ' +
      "The node is about to end, or its port is not open from here: a container that publishes EPMD's port only, or a firewall. " +
      'Open it; on the BEAM, inet_dist_listen_min and inet_dist_listen_max of kernel make it a port that is known beforehand.',
  )
  t.equal(
    await ask(await here.serve('web', socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
    'NET_OTHER_PROTOCOL handshake What is at 127.0.0.1:PORT speaks HTTP: it is no Erlang node. → ' +
      'Look which program has that port, and which port the node has.',
  )
  t.match(await ask(await here.serve('tls', socket => socket.end(Buffer.from('1503030002020a', 'hex')))), /^NET_TLS_NEEDED tls /)
  t.equal(
    await ask(await here.serve('closes', socket => socket.end())),
    'DIST_CLOSED handshake The peer closed the connection after the name was sent. → ' +
      'Its log says why, if it is a node that ends or starts just now. Others that do so are port mappers and proxies with nobody behind them.',
  )
  t.equal(
    await ask(await here.serve('silent', () => {})),
    'NET_TIMEOUT handshake Connected with 127.0.0.1:PORT, but the status did not come within 200 ms. → ' +
      'The node hangs or is stopped, or what listens there is no Erlang node, or one that speaks TLS only.',
  )
})

t.test('the handshake', async t => {
  const here = await machine(t)
  const { epmdPort } = here
  const ask = (name: string, options: { cookie?: string; name?: string } = {}) => verdict(name, { cookie: 'secret', epmdPort, ...options })

  t.equal(
    await ask(await here.serve('choosy', handshaking('choosy@127.0.0.1', mandatoryFlags[26], 'not_allowed'))),
    'DIST_NOT_ALLOWED handshake The node choosy@127.0.0.1 does not allow beamlet_NEW@127.0.0.1. → ' +
      'Take a name that its net_kernel:allow/1 list has, or put this one there. Its log tells of other reasons, such as missing flags.',
  )
  t.equal(
    await ask(await here.serve('alias', handshaking('real@127.0.0.1', mandatoryFlags[26]))),
    'DIST_NAME_MISMATCH handshake The node that answered calls itself real@127.0.0.1, but alias@127.0.0.1 was dialled. → ' +
      'Use the name it was started with: it is what node() says there.',
  )
  t.equal(
    await ask(await here.serve('old', handshaking('old@127.0.0.1', mandatoryFlags[25]))),
    'DIST_FLAGS flags The node old@127.0.0.1 lacks what the protocol needs since OTP 26: UNLINK_ID, V4_NC. → ' +
      'Run OTP 25 or later there, or a client library that offers these flags.',
  )
  const poor = await steps(await here.serve('poor', handshaking('poor@127.0.0.1', mandatoryFlags[26] | flags.DIST_MONITOR)), {
    cookie: 'other',
    epmdPort,
  })
  t.match(
    poor[6]?.says,
    /^14 flags, as OTP 24 or before has them: all that must be, and all that Beamlet uses but DIST_MONITOR_NAME, UNICODE_IO, DIST_HDR_/,
  )

  const node = await here.node('patient')
  t.equal(
    await ask(node.name, { cookie: 'other' }),
    'DIST_BAD_COOKIE cookie The node patient@127.0.0.1 closed when it saw our digest: the cookies differ. → ' +
      "This node's is from the cookie option. Give both nodes the same one: option cookie, --cookie, or ~/.erlang.cookie.",
  )

  const friend = await here.node('friend')
  await friend.connect(node.name)
  const lost: string[] = []
  node.on('nodedown', name => lost.push(name))
  t.equal(
    await ask(node.name, { name: friend.name }),
    'DIST_ALIVE handshake The node patient@127.0.0.1 holds a connection to a node friend@127.0.0.1 already. → ' +
      'If that is another program, take another name; if it is an older connection of this one, that one is to be used.',
  )
  t.strictSame([node.nodes('hidden'), lost], [[friend.name], []], 'that connection lives on')
})

t.test('connected, and no ping', async t => {
  const here = await machine(t)
  const node = await here.node('patient')
  const ask = () => verdict(node.name, { cookie: 'secret', epmdPort: here.epmdPort, timeout: 300 })
  await node.unregister('net_kernel')
  t.match(await ask(), /^ERR_EXIT ping .*noproc/)
  await node.start(genServer({ init: () => 0, handleCall: (_request, _from, n) => reply(atom('no'), n) }), { name: 'net_kernel' })
  t.equal(
    await ask(),
    "ERR_PANG ping The node patient@127.0.0.1 is connected, but answers a ping with no. → Its net_kernel is not OTP's: look what runs there.",
  )
})

t.test('visible, hidden, or both', async t => {
  const here = await machine(t)
  const [seen, unseen] = [await here.node('seen', { hidden: false }), await here.node('unseen')]
  const says = async (node: Node, hidden: boolean) => {
    const found = await steps(node.name, { cookie: 'secret', epmdPort: here.epmdPort, hidden, name: `me${String(hidden)}` })
    return found.find(({ step }) => step === 'visibility')?.says
  }
  t.equal(await says(seen, false), 'The connection is visible: nodes() lists each node at the other.')
  t.match(await says(unseen, true), /^The connection is hidden, for both nodes are:/)
  t.match(await says(unseen, false), /^The connection is hidden, for unseen@127\.0\.0\.1 is:/)
})

t.test('this machine', async t => {
  const here = await machine(t)
  await here.register('shop', 4001)
  const found: DiagnosisStep[] = []
  for await (const step of diagnoseHere({ cookie: 'secret', epmdPort: here.epmdPort })) found.push(step)
  t.strictSame(found.map(({ step }) => step), ['host', 'epmd', 'cookie', 'listen']) // prettier-ignore
  t.strictSame(found.slice(1).map(told), [
    'ok epmd EPMD runs at port PORT and knows shop at port PORT.',
    'ok cookie A cookie is there, from the cookie option.',
    'ok listen A port can be had for others to dial.',
  ])
  const other = await listening(socket => socket.end('SSH-2.0-OpenSSH\r\n'))
  t.teardown(() => other.close())
  const ssh: string[] = []
  for await (const step of diagnoseHere({ cookie: 'a\nb', epmdPort: portOf(other) })) ssh.push(told(step))
  t.match(ssh[1], /^EPMD_FORMAT epmd What listens as EPMD at 127\.0\.0\.1:PORT speaks SSH: it is no EPMD\./)
  t.match(ssh[2], /^COOKIE_FORMAT cookie /)
  t.match(ssh[3], /^ok listen/, 'no step hangs on another')
  const alone: string[] = []
  for await (const step of diagnoseHere({ cookie: 'secret', epmdPort: await freePort() })) alone.push(told(step))
  t.equal(alone[1], 'ok epmd No EPMD runs at port PORT: the first node that needs it starts it, erl and Beamlet alike.')
})

t.test('where the node is, the option resolve may tell', async t => {
  const here = await machine(t)
  const node = await here.node('patient')
  const found = await steps('patient@127.0.0.1', {
    epmdPort: await freePort(),
    resolve: node.port as number,
    cookies: { 'patient@127.0.0.1': 'secret' },
  })
  t.strictSame([found[1], found[2], found[7]].map(step => told(step!)), [
    'ok host 127.0.0.1 is left to the option resolve.',
    'ok epmd EPMD is not asked: the option resolve tells 127.0.0.1:PORT.',
    "ok cookie The cookies agree; this node's is from what is set for patient@127.0.0.1.",
  ]) // prettier-ignore
  t.match(found.at(-1), { step: 'ping', ok: true })
  t.equal(
    await verdict('patient@127.0.0.1', { cookie: 'secret', resolve: await freePort() }),
    'NET_REFUSED port Nothing listens at 127.0.0.1:PORT. → The node has ended, or that is not its port: look whether it runs, and where it listens.',
  )
})

t.test('whoever has heard enough leaves, and nothing is left', async t => {
  const here = await machine(t)
  let gone = (): void => {}
  const left = new Promise<void>(resolve => (gone = resolve))
  const name = await here.serve('silent', socket => socket.on('close', gone).resume())
  for await (const { step } of diagnose(name, { cookie: 'secret', epmdPort: here.epmdPort })) if (step === 'port') break
  await left
})
