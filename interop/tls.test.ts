/** TLS under the distribution, beside BEAM nodes with `-proto_dist inet_tls`. Both sides read the very same optfile. */
import { hostname } from 'node:os'
import t, { type Test } from 'tap'
import { any, atom, match, Node, type NodeDown, type NodeOptions, type Pid, type ProtocolFault, tuple } from '../src/index.js'
import type { Beam, BeamOptions } from '../src/interop/index.js'
import { Authority, type CertificateOptions, type Folder, folder } from '../test/net/certificates.js'
import { eachOtp, type Real } from './support/each-otp.js'
import { actor, down, eachWay, evaluator, next, type Pair, startNode, tell } from './support/pair.js'

const noconnection = atom('noconnection')

/** Seconds */
const netTickTime = 3

const authority = new Authority()
const stranger = new Authority('Another authority')

const versions = ['tlsv1.2', 'tlsv1.3'] as const
type Version = (typeof versions)[number]

/** What an optfile says of a certificate: where it, its key and the authority are. */
function files({ write }: Folder, name: string, options: CertificateOptions = {}): string {
  const { cert, key } = authority.issue(options)
  const password = options.passphrase === undefined ? '' : `, {password, "${options.passphrase}"}`
  return `{certfile, "${write(`${name}.pem`, cert)}"}, {keyfile, "${write(`${name}.key`, key)}"}${password}, {cacertfile, "${write('ca.pem', authority.cert)}"}`
}

const mutual = (own: string, version: string): string => `
  %% Both sides check the other's certificate.
  [{server, [${own}, {verify, verify_peer}, {fail_if_no_peer_cert, true}, {versions, [${version}]}]},
   {client, [${own}, {verify, verify_peer}, {versions, [${version}]}]}].\n`

/** What a BEAM tells of itself: OTP 25 of its listener's end when it stops, OTP 29 at times of the sender of a connection that ends meanwhile. */
const expecting =
  ({ otp, start }: Real): Real['start'] =>
  async options => {
    const beam = await start(options)
    if (otp === 25) {
      beam.expectLog(/unexpected message: \{'EXIT',<[\d.]+>,shutdown\}/)
      // It takes for granted that a peer which has shaken hands is still there a moment later; one that refuses its certificate may not be.
      beam.expectLog(/badmatch,\{error,closed\}\},\[\{inet_tls_dist,do_setup_connect/)
    }
    if (otp === 29) beam.expectLog(/tls_dyn_connection_sup\}.*\bReason: killed\. Offender: id=sender/s)
    return beam
  }

const tlsArguments = (optfile: string): string[] => ['-proto_dist', 'inet_tls', '-ssl_dist_optfile', optfile]

t.test('TLS', async t => {
  const made = folder(t)
  await eachOtp(t, async (t, each) => {
    const real = { ...each, start: expecting(each) }
    const own = files(made, 'node')
    for (const version of versions) {
      await t.test(version, async t => {
        const optfile = made.write(`${version}.conf`, mutual(own, `'${version}'`))
        const secured = (options: Omit<BeamOptions, 'otp'> = {}): Promise<Beam> =>
          real.start({ ...options, code: actor, args: [...tlsArguments(optfile), ...(options.args ?? [])] })
        const beam = await secured()
        await eachWay(t, beam, talk, { tls: { optfile } })
        await eachWay(t, secured, killed, { tls: { optfile } })
        await eachWay(t, () => secured({ args: ['-kernel', 'net_ticktime', String(netTickTime)] }), ticks, {
          netTickTime,
          tls: { optfile },
        })
        await refusals(t, beam, version)
        await plain(t, beam, real, optfile)
      })
    }
    await hostNames(t, real, made)
    await oneSided(t, real, made)
    await defaults(t, real, made)
  })
})

async function talk(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('messages of many sizes, both ways, over a connection that the BEAM knows as TLS', async t => {
    t.equal(await evaluate('{ok, Address} = net_kernel:node_info(Ts, address), element(4, Address).'), atom('tls'))
    const sizes = [0, 1, 1000, 16_383, 16_384, 16_385, 65_535, 65_536, 1_000_000, 5_000_000]
    node.spawn(
      async self => {
        for await (const message of self) {
          const [from, bytes] = match([any, any])(message) ? (message.elements as [Pid, Buffer]) : []
          if (from) self.send(from, bytes ?? null)
        }
      },
      { name: 'echo' },
    )
    const echoed = await evaluate(
      `lists:all(fun(Size) ->
         Bytes = rand:bytes(Size), {echo, Ts} ! {self(), Bytes},
         receive Bytes -> true; Other -> {Size, byte_size(Other)} after 20000 -> false end
       end, Sizes).`,
      { Sizes: sizes },
    )
    t.equal(echoed, true)
    const echo = (await evaluate('spawn(fun F() -> receive {From, Bytes} -> From ! Bytes, F() end end).')) as Pid
    await node.run(async self => {
      for (const size of sizes) {
        const bytes = Buffer.alloc(size, `${size}`)
        self.send(echo, tuple(self.pid, bytes))
        t.strictSame(await next(self), bytes, `${size} bytes`)
      }
      const pid = (await evaluate('actor:start().')) as Pid
      const ref = self.monitor(pid)
      self.send(pid, atom('no_order'))
      t.equal(await tell(self, pid, 'erlang', 'node'), atom(beam.name))
      self.exit(pid, atom('kill'))
      t.strictSame(await next(self), down(ref, pid, atom('killed')))
    })
  })
}

async function killed(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('a BEAM that is killed: links and monitors break, then nodedown', async t => {
    const pid = (await evaluate('actor:start().')) as Pid
    const lost = new Promise<[string, NodeDown]>(resolve => node.once('nodedown', (...told) => resolve(told)))
    await node.run(async self => {
      self.trapExit = true
      self.link(pid)
      const ref = self.monitor(pid)
      t.equal(await tell(self, pid, 'erlang', 'is_process_alive', pid), true)
      await beam.kill()
      const heard = [await next(self), await next(self)]
      t.strictSame(new Set(heard.map(String)), new Set([tuple(atom('EXIT'), pid, noconnection), down(ref, pid, noconnection)].map(String)))
    })
    t.match(await lost, [beam.name, { reason: 'connection_closed' }])
  })
}

async function ticks(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('ticks keep an idle connection, and a BEAM that hangs is noticed', async t => {
    // Both sides look four times in a tick time, and give up after one or a little more. Neither has anything to say but ticks.
    const within = `after ${2.5 * netTickTime * 1000} -> up end.`
    const idle = `ok = net_kernel:monitor_nodes(true, #{node_type => all}), receive {nodedown, Ts, _} -> down ${within}`
    t.equal(await evaluate(idle), atom('up'))
    t.strictSame(node.nodes('connected'), [beam.name])
    const lost = new Promise<[string, NodeDown]>(resolve => node.once('nodedown', (...told) => resolve(told)))
    beam.pause()
    t.match(await lost, [beam.name, { reason: 'net_tick_timeout' }])
    beam.resume()
    await beam.waitForNode(node.name, 'down')
  })
}

const fault = (node: Node): Promise<ProtocolFault> =>
  new Promise(resolve => {
    node.once('protocol', (_, told) => resolve(told))
  })

interface Refusal {
  readonly title: string
  readonly tls: NodeOptions['tls']
  /** The codes of `connect`, and of the event when the BEAM dials; null: a connection comes about */
  readonly dials: string | null
  readonly isDialled: string | null
}

async function refusals(t: Test, beam: Beam, version: Version): Promise<void> {
  const ca = authority.cert
  const good = authority.issue()
  const other = version === 'tlsv1.2' ? ({ minVersion: 'TLSv1.3' } as const) : ({ maxVersion: 'TLSv1.2' } as const)
  const hour = 3_600_000
  const cases: readonly Refusal[] = [
    { title: 'another authority signed ours', tls: { ...stranger.issue(), ca }, dials: 'NET_TLS_REFUSED', isDialled: 'NET_TLS_REFUSED' },
    // In TLS 1.3 a BEAM shows no certificate when it has none from the authorities that it is told.
    {
      title: 'another authority signed theirs',
      tls: { ...good, ca: stranger.cert },
      dials: 'NET_TLS_UNTRUSTED',
      isDialled: version === 'tlsv1.3' ? 'NET_TLS_NO_CERT' : 'NET_TLS_UNTRUSTED',
    },
    {
      title: 'ours is for another host',
      tls: { ...authority.issue({ hosts: ['elsewhere'] }), ca },
      dials: null,
      isDialled: 'NET_TLS_REFUSED',
    },
    {
      title: 'theirs is for another host than is asked for',
      tls: { ...good, ca, client: { serverName: 'elsewhere' } },
      dials: 'NET_TLS_HOST_NAME',
      isDialled: null,
    },
    {
      title: 'ours has expired',
      tls: { ...authority.issue({ notAfter: new Date(Date.now() - hour) }), ca },
      dials: 'NET_TLS_REFUSED',
      isDialled: 'NET_TLS_REFUSED',
    },
    {
      title: 'ours is of tomorrow',
      tls: { ...authority.issue({ notBefore: new Date(Date.now() + hour) }), ca },
      dials: 'NET_TLS_REFUSED',
      isDialled: 'NET_TLS_REFUSED',
    },
    {
      title: 'ours is for servers only',
      tls: { ...authority.issue({ purpose: 'server' }), ca },
      dials: 'NET_TLS_REFUSED',
      isDialled: null,
    },
    {
      title: 'we show none',
      tls: { ca, server: good },
      dials: version === 'tlsv1.3' ? 'NET_TLS_NO_CERT' : 'NET_TLS_REFUSED',
      isDialled: null,
    },
    { title: 'no version in common', tls: { ...good, ca, ...other }, dials: 'NET_TLS_VERSION', isDialled: 'NET_TLS_VERSION' },
    ...(version === 'tlsv1.2'
      ? [
          {
            title: 'no cipher in common',
            tls: { ...good, ca, ciphers: 'DHE-RSA-AES256-GCM-SHA384' },
            dials: 'NET_TLS_CIPHERS',
            isDialled: 'NET_TLS_CIPHERS',
          },
        ]
      : []),
  ]
  for (const { title, tls, dials, isDialled } of cases) {
    await t.test(`refused: ${title}`, async t => {
      {
        await using node = await startNode(beam, { tls, listen: false })
        if (dials === null) await t.resolves(node.connect(beam.name))
        else await t.rejects(node.connect(beam.name), { code: dials })
      }
      await using node = await startNode(beam, { tls })
      const told = fault(node)
      t.equal(await evaluator(beam, node)('net_kernel:connect_node(Ts).'), isDialled === null)
      if (isDialled !== null) t.match(await told, { code: isDialled, remoteAddress: /127\.0\.0\.1:\d+$/ })
    })
  }
}

async function plain(t: Test, beam: Beam, real: Real, optfile: string): Promise<void> {
  await t.test('refused: one of both without TLS', async t => {
    await using without = await startNode(beam)
    await t.rejects(without.connect(beam.name), { code: 'NET_TLS_NEEDED', message: /Give both nodes TLS or neither/ })
    const needed = fault(without)
    t.equal(await evaluator(beam, without)('net_kernel:connect_node(Ts).'), false)
    t.match(await needed, { code: 'NET_TLS_NEEDED' })

    const bare = await real.start({ cookie: beam.cookie })
    await using node = await startNode(bare, { tls: { optfile }, netSetupTime: 1000 })
    // It takes the hello for the beginning of a long frame, and waits.
    await t.rejects(node.connect(bare.name), { code: 'NET_TLS_SILENT', message: /started without -proto_dist inet_tls/ })
    const told = fault(node)
    t.equal(await evaluator(bare, node)('net_kernel:connect_node(Ts).'), false)
    t.match(await told, { code: 'NET_TLS_PLAIN', error: { message: /dialled without TLS/ } })
  })
}

async function hostNames(t: Test, { otp, start }: Real, made: Folder): Promise<void> {
  await t.test('the dialler compares the host of the node name with the certificate', async t => {
    const host = hostname()
    const own = files(made, 'named', { hosts: [host] })
    const optfile = made.write('named.conf', mutual(own, "'tlsv1.3', 'tlsv1.2'"))
    const beam = await start({ name: `tls-named-${process.pid}@${host}`, args: tlsArguments(optfile) })
    let named = 0
    const name = (): string => `tls-own-${process.pid}-${otp}-${++named}@${host}`
    await using node = await Node.start({ name: name(), cookie: beam.cookie, tls: { optfile } })
    t.equal(await evaluator(beam, node)('net_kernel:connect_node(Ts).'), true)
    node.disconnect(beam.name)
    await beam.waitForNode(node.name, 'down')
    await node.connect(beam.name)

    const elsewhere = made.write('elsewhere.conf', mutual(files(made, 'elsewhere', { hosts: ['elsewhere'] }), "'tlsv1.3', 'tlsv1.2'"))
    await using wrong = await Node.start({ name: name(), cookie: beam.cookie, tls: { optfile: elsewhere } })
    const told = fault(wrong)
    t.equal(await evaluator(beam, wrong)('net_kernel:connect_node(Ts).'), false)
    t.match(await told, { code: 'NET_TLS_REFUSED' })
    const far = await start({ cookie: beam.cookie, name: `tls-far-${process.pid}@${host}`, args: tlsArguments(elsewhere) })
    await t.rejects(node.connect(far.name), {
      code: 'NET_TLS_HOST_NAME',
      message: new RegExp(`is for DNS:elsewhere, and ${host} was dialled`),
    })

    const any = made.write(
      'any.conf',
      `[{server, [${own}]}, {client, [${own}, {verify, verify_peer}, {server_name_indication, disable}]}].`,
    )
    await using lax = await Node.start({ name: name(), cookie: beam.cookie, tls: { optfile: any }, listen: false })
    await lax.connect(far.name)
    const trusting = await start({ cookie: beam.cookie, name: `tls-any-${process.pid}@${host}`, args: tlsArguments(any) })
    // OTP 25 compares all the same.
    t.equal(await evaluator(trusting, wrong)('net_kernel:connect_node(Ts).'), otp > 25)
  })
}

async function oneSided(t: Test, { start }: Real, made: Folder): Promise<void> {
  await t.test('no client certificates, and nothing checked, where the optfile says so', async t => {
    const own = files(made, 'server', { passphrase: 'open sesame', rsa: true })
    const optfile = made.write('server.conf', `[{server, [${own}, {secure_renegotiate, true}]}, {client, [{verify, verify_none}]}].`)
    const beam = await start({ args: tlsArguments(optfile) })
    await eachWay(t, beam, async (t, { node, beam }) => void t.strictSame(node.nodes('hidden'), [beam.name]), { tls: { optfile } })
  })
}

async function defaults(t: Test, { start }: Real, made: Folder): Promise<void> {
  await t.test('an Elixir node, and an optfile without versions', async t => {
    const own = files(made, 'elixir')
    const optfile = made.write(
      'elixir.conf',
      `[{server, [${own}, {verify, verify_peer}, {fail_if_no_peer_cert, true}]}, {client, [${own}, {verify, verify_peer}]}].`,
    )
    const beam = await start({ elixir: true, args: tlsArguments(optfile) })
    await using node = await startNode(beam, { tls: { optfile } })
    t.equal(await beam.elixir('Node.ping(ts)', { bindings: { ts: atom(node.name) } }), atom('pong'))
    t.equal(await node.rpc.call(beam.name, 'Elixir.Node', 'self', []), atom(beam.name))
  })
}
