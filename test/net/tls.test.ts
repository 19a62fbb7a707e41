import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import type { Connection } from '../../src/net/connection.js'
import { dial } from '../../src/net/dial.js'
import type { ListenOptions } from '../../src/net/listener.js'
import { Tls } from '../../src/net/tls.js'
import type { TlsOptions } from '../../src/net/tls-options.js'
import { atom } from '../../src/term/index.js'
import { Authority, type CertificateOptions } from './certificates.js'
import { attached, ends, host, message, offered } from './loopback.js'

const authority = new Authority()
const stranger = new Authority('Another authority')

const own = (options?: CertificateOptions): TlsOptions => ({ ...authority.issue(options), ca: authority.cert })
const open = (options: TlsOptions): Promise<Tls> => Tls.open(options, { listens: true })
const good = await open(own())

const listening = async (t: Test, tls: Tls | null, over: Partial<ListenOptions> = {}) => host(t, { tls, ...over })

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`two ends talk over ${version}, with 4-byte lengths from the first byte on`, async t => {
    const tls = await open({ ...own(), minVersion: version, maxVersion: version })
    const { options, accepted } = await listening(t, tls)
    const a = await dial({ ...options, tls })
    const { connection: b } = (await accepted.next()) as { connection: Connection }
    a.send(message('a', atom('before_anybody_listens')))
    const [atA, atB] = [attached(a), attached(b)]
    const large = Buffer.alloc(3_000_000, 'x')
    b.send(message('b', large))
    t.equal(await atB.next(), atom('before_anybody_listens'))
    t.strictSame(await atA.next(), large)
    for (let size = 1; size < 40_000; size = size * 2 + 1) a.send(message('a', Buffer.alloc(size)))
    for (let size = 1; size < 40_000; size = size * 2 + 1) t.strictSame(await atB.next(), Buffer.alloc(size))
    a.send(message('a', large))
    a.close()
    t.equal(await atA.next(), 'disconnect')
    t.strictSame(await atB.next(), large, 'what was accepted before close arrives')
    t.equal(await atB.next(), 'connection_closed')
    t.equal(a.bufferedBytes, 0)
  })
}

t.test('a peer that does not read makes the connection busy, and drain follows', async t => {
  const { options, accepted } = await listening(t, good)
  const a = await dial({ ...options, tls: good, sendBufferLimit: 100_000 })
  const { connection: b } = (await accepted.next()) as { connection: Connection }
  const told: string[] = []
  const drained = new Promise<void>(resolve =>
    a.attach({
      signal() {},
      closed() {},
      busy: () => told.push('busy'),
      drain: () => {
        told.push('drain')
        resolve()
      },
    }),
  )
  const sent = Buffer.alloc(20_000_000)
  t.equal(a.send(message('a', sent)), false)
  t.ok(a.bufferedBytes > 15_000_000, 'what is not read waits here')
  const atB = attached(b)
  t.strictSame(await atB.next(), sent)
  await drained
  t.strictSame(told, ['busy', 'drain'])
  a.close()
})

interface Case {
  readonly title: string
  readonly server: TlsOptions
  readonly client: TlsOptions
  readonly dials: string
  readonly isDialled: string
}

const old = { maxVersion: 'TLSv1.2' } as const
const recent = { minVersion: 'TLSv1.3' } as const
const past = new Date(Date.now() - 3_600_000)
const future = new Date(Date.now() + 3_600_000)

/** Beamlet on both sides. `node:tls` refuses a certificate by closing: the other side can only guess. */
const cases: readonly Case[] = [
  {
    title: 'a server of another authority',
    server: { ...stranger.issue(), ca: authority.cert },
    client: own(),
    dials: 'NET_TLS_UNTRUSTED',
    isDialled: 'NET_TLS_CLOSED',
  },
  {
    title: 'a client of another authority',
    server: own(),
    client: { ...stranger.issue(), ca: authority.cert },
    dials: 'NET_TLS_CLOSED',
    isDialled: 'NET_TLS_UNTRUSTED',
  },
  {
    title: 'a server for another host',
    server: own({ hosts: ['elsewhere'] }),
    client: own(),
    dials: 'NET_TLS_HOST_NAME',
    isDialled: 'NET_TLS_CLOSED',
  },
  {
    title: 'a server that has expired',
    server: own({ notAfter: past }),
    client: own(),
    dials: 'NET_TLS_EXPIRED',
    isDialled: 'NET_TLS_CLOSED',
  },
  {
    title: 'a client of tomorrow',
    server: own(),
    client: own({ notBefore: future }),
    dials: 'NET_TLS_CLOSED',
    isDialled: 'NET_TLS_EXPIRED',
  },
  {
    title: 'a server with a certificate for clients',
    server: own({ purpose: 'client' }),
    client: own(),
    dials: 'NET_TLS_PURPOSE',
    isDialled: 'NET_TLS_CLOSED',
  },
  {
    title: 'a client with a certificate for servers',
    server: own(),
    client: own({ purpose: 'server' }),
    dials: 'NET_TLS_CLOSED',
    isDialled: 'NET_TLS_PURPOSE',
  },
  {
    title: 'a client without a certificate, 1.3',
    server: own(),
    client: { ca: authority.cert },
    dials: 'NET_TLS_NO_CERT',
    isDialled: 'NET_TLS_NO_CERT',
  },
  {
    title: 'a client without a certificate, 1.2',
    server: { ...own(), ...old },
    client: { ca: authority.cert },
    dials: 'NET_TLS_REFUSED',
    isDialled: 'NET_TLS_NO_CERT',
  },
  {
    title: 'no version in common',
    server: { ...own(), ...old },
    client: { ...own(), ...recent },
    dials: 'NET_TLS_VERSION',
    isDialled: 'NET_TLS_VERSION',
  },
  {
    title: 'no cipher in common',
    server: { ...own(), ...old, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    client: { ...own(), ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
    dials: 'NET_TLS_REFUSED',
    isDialled: 'NET_TLS_CIPHERS',
  },
  {
    title: 'a server too far from its root',
    server: far(),
    client: { ...own(), depth: 1 },
    dials: 'NET_TLS_UNTRUSTED',
    isDialled: 'NET_TLS_CLOSED',
  },
  {
    title: 'a client too far from its root',
    server: { ...own(), depth: 1 },
    client: far(),
    dials: 'NET_TLS_CLOSED',
    isDialled: 'NET_TLS_UNTRUSTED',
  },
]

/** With two certificates between it and its root */
function far(): TlsOptions {
  return { ...new Authority('The lower', new Authority('The upper', authority)).issue(), ca: authority.cert }
}

t.test('ways in which no connection comes about', async t => {
  for (const { title, server, client, dials, isDialled } of cases) {
    await t.test(title, async t => {
      const { options, failed } = await listening(t, await open(server))
      const tls = await Tls.open(client, { listens: false })
      await t.rejects(dial({ ...options, tls }), { code: dials, remedy: /\.$/ })
      t.match(await failed.next(), [isDialled, null])
    })
  }
})

t.test('what is trusted when it is told so', async t => {
  const trusting: readonly [server: TlsOptions, client: TlsOptions][] = [
    [far(), { ...own(), depth: 2 }],
    [own(), far()],
    [{ ...stranger.issue(), verify: false }, { verify: false }],
    [{ ...own(), server: { requireCert: false } }, { ca: authority.cert }],
    [own({ hosts: ['elsewhere'] }), { ...own(), client: { serverName: 'elsewhere' } }],
    [own({ hosts: ['elsewhere'] }), { ...own(), client: { serverName: false } }],
    [own({ hosts: ['*.0.0.1', '127.0.0.1'] }), { ...own({ passphrase: 'open sesame', rsa: true }), passphrase: 'open sesame' }],
  ]
  for (const [server, client] of trusting) {
    const { options, accepted } = await listening(t, await open({ client: { verify: false }, ...server }))
    const a = await dial({ ...options, tls: await Tls.open(client, { listens: false }) })
    await accepted.next()
    a.close()
  }
  const shown = await listening(t, await open({ ...own(), server: { requireCert: false } }))
  const tls = await Tls.open({ ...stranger.issue(), ca: authority.cert }, { listens: false })
  await t.rejects(dial({ ...shown.options, tls }), { code: 'NET_TLS_CLOSED' })
  t.match(await shown.failed.next(), ['NET_TLS_UNTRUSTED'], 'need not be shown, but must be good')
})

t.test('a certificate is for the host in the name of the node, wherever that is found', async t => {
  const { options } = await listening(t, await open(own({ hosts: ['127.0.0.1'] })))
  await t.rejects(dial({ ...options, tls: good, peer: atom('b@elsewhere') as typeof ends.b.name }), {
    code: 'NET_TLS_HOST_NAME',
    message: /is for .*127\.0\.0\.1, and elsewhere was dialled/,
  })
})

t.test('one of both without TLS', async t => {
  const secured = await listening(t, good)
  await t.rejects(dial(secured.options), { code: 'NET_TLS_NEEDED' })
  t.strictSame(await secured.failed.next(), ['NET_TLS_PLAIN', null])
  const plain = await listening(t, null)
  await t.rejects(dial({ ...plain.options, tls: good }), { code: 'NET_TLS_CLOSED', message: /speaks no TLS/ })
  t.strictSame(await plain.failed.next(), ['NET_TLS_NEEDED', null])
  const http = connect(secured.options.port, '127.0.0.1')
  http.on('error', () => {}) // A reset is one way to be refused.
  http.write('GET / HTTP/1.1\r\n\r\n')
  await once(http.resume(), 'close')
  t.strictSame(await secured.failed.next(), ['NET_TLS_PLAIN', null])
})

t.test('who says nothing, or stops in the middle, is dropped when the time is up, and holds no place longer', async t => {
  const { options, failed } = await listening(t, good, { timeout: 1000, maxHandshakes: 1 })
  const silent = connect(options.port, '127.0.0.1')
  await once(silent, 'close')
  t.strictSame(await failed.next(), ['NET_TLS_SILENT', null])
  // The beginning of a hello, and no more
  const slow = connect(options.port, '127.0.0.1')
  slow.write(Buffer.from('1603010200', 'hex'))
  await once(slow, 'close')
  t.strictSame(await failed.next(), ['NET_TLS_SILENT', null])
  // TLS is up, but no node speaks
  const { cert, key } = authority.issue()
  const idle = connectTls({ port: options.port, host: '127.0.0.1', ca: authority.cert, cert, key })
  await once(idle.resume(), 'close')
  t.strictSame(await failed.next(), ['NET_TIMEOUT', null])

  const server = await serve(t, () => {})
  const dialled = { ...options, port: portOf(server), tls: good, self: { ...ends.a, flags: offered } }
  await t.rejects(dial({ ...dialled, timeout: 1000 }), { code: 'NET_TLS_SILENT', message: /did not finish TLS within 1000 ms/ })
  const controller = new AbortController()
  const given = dial({ ...dialled, signal: controller.signal })
  await once(server, 'connection')
  controller.abort()
  await t.rejects(given, { code: 'NET_ABORTED' })
})

t.test('a peer that closes or breaks off in the middle', async t => {
  const closing = await serve(t, socket => socket.once('data', () => socket.end()))
  const { options, failed } = await listening(t, good)
  await t.rejects(dial({ ...options, port: portOf(closing), tls: good }), { code: 'NET_TLS_CLOSED' })
  const resetting = await serve(t, socket => socket.once('data', () => socket.resetAndDestroy()))
  await t.rejects(dial({ ...options, port: portOf(resetting), tls: good }), { code: 'NET_TLS_CLOSED', cause: { code: 'ECONNRESET' } })
  const gone = connect(options.port, '127.0.0.1')
  await once(gone, 'connect')
  gone.destroy()
  t.strictSame(await failed.next(), ['NET_TLS_CLOSED', null])
  const { cert, key } = authority.issue()
  const leaving = connectTls({ port: options.port, host: '127.0.0.1', ca: authority.cert, cert, key })
  await once(leaving, 'secureConnect')
  leaving.end()
  t.strictSame(await failed.next(), ['NET_TLS_CLOSED', null], 'also right after TLS was set up')
})

t.test('a listener that closes drops what is in the middle of TLS', async t => {
  const { options, listener, failed } = await listening(t, good)
  const half = connect(options.port, '127.0.0.1')
  half.on('error', () => {}) // A reset is one way to be dropped.
  half.write(Buffer.from('1603010200', 'hex'))
  const a = await dial({ ...options, tls: good })
  await listener.close()
  t.strictSame(await failed.next(), ['NET_ABORTED', null])
  await once(half.resume(), 'close')
  const atA = attached(a)
  a.close()
  t.equal(await atA.next(), 'disconnect')
})

async function serve(t: Test, each: (socket: Socket) => void): Promise<Server> {
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    each(socket.on('error', () => {}))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server
}

const portOf = (server: Server): number => (server.address() as { port: number }).port
