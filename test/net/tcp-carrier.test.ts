import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { NetError } from '../../src/net/errors.js'
import { TcpCarrier } from '../../src/net/tcp-carrier.js'
import { ManualClock } from '../process/support.js'

interface Wire {
  readonly carrier: TcpCarrier
  readonly socket: Socket
  /** The other end */
  readonly far: Socket
  readonly clock: ManualClock
}

async function wire(t: Test): Promise<Wire> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [[far]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown]
  const clock = new ManualClock()
  t.teardown(() => {
    far.destroy()
    socket.destroy()
    server.close()
  })
  return { carrier: new TcpCarrier(socket, clock), socket, far, clock }
}

/** Resolves to what was told, up to and with the end. */
function listen(carrier: TcpCarrier): Promise<{ bytes: string; error: NetError | undefined }> {
  let bytes = ''
  return new Promise(resolve => {
    carrier.read({ data: chunk => (bytes += String(chunk)), ended: error => resolve({ bytes, error }) })
  })
}

t.test('bytes go both ways, and the end comes last', async t => {
  const { carrier, far } = await wire(t)
  const told = listen(carrier)
  await new Promise<void>(resolve => carrier.write(Buffer.from('ping'), resolve))
  t.equal(String((await once(far, 'data'))[0]), 'ping')
  far.end('pong')
  t.match(await told, { bytes: 'pong', error: undefined })
  t.equal(carrier.pendingBytes, 0)
})

t.test('what comes while nobody reads is kept', async t => {
  const { carrier, far } = await wire(t)
  far.write('first')
  const first = await new Promise<string>(resolve => carrier.read({ data: chunk => resolve(String(chunk)), ended() {} }))
  carrier.pause()
  far.end('second')
  await once(far, 'finish')
  t.strictSame([first, (await listen(carrier)).bytes], ['first', 'second'])
})

t.test('a socket that broke while nobody read is told to who comes', async t => {
  const { carrier, socket, far } = await wire(t)
  far.resetAndDestroy()
  await once(far, 'close')
  // Nobody reads, so only a failing write shows it.
  carrier.write(Buffer.alloc(1000))
  await new Promise<void>(resolve => socket.once('close', () => resolve()))
  t.match(await listen(carrier), { bytes: '', error: { code: 'NET_SOCKET' } })
})

t.test('a reset is an error', async t => {
  const { carrier, far } = await wire(t)
  const told = listen(carrier)
  far.resetAndDestroy()
  t.match((await told).error, { code: 'NET_SOCKET', message: /127\.0\.0\.1:\d+ broke/ })
})

t.test('end lets out what was written, destroy does not wait; neither is told', async t => {
  const { carrier, far } = await wire(t)
  carrier.read({ data: () => t.fail('data'), ended: () => t.fail('ended') })
  const chunks: Buffer[] = []
  far.on('data', chunk => chunks.push(chunk))
  carrier.write(Buffer.alloc(2_000_000))
  carrier.end(1000)
  await once(far, 'end')
  t.equal(Buffer.concat(chunks).length, 2_000_000)

  const other = await wire(t)
  other.carrier.read({ data: () => t.fail('data'), ended: () => t.fail('ended') })
  other.carrier.destroy()
  other.carrier.destroy()
  await once(other.far.resume(), 'end')
  t.ok(other.socket.destroyed)
})

t.test('a peer that takes nothing holds the end up only so long', async t => {
  const { carrier, socket, clock } = await wire(t)
  carrier.write(Buffer.alloc(50_000_000))
  carrier.end(1000)
  t.notOk(socket.destroyed)
  const closed = once(socket, 'close')
  clock.advance(1000)
  await closed
  t.ok(socket.destroyed)
  t.equal(clock.pending, 0)
})

t.test('afterReads calls back when what has arrived was told', async t => {
  const { carrier, far } = await wire(t)
  const order: string[] = []
  carrier.read({ data: chunk => order.push(String(chunk)), ended() {} })
  await new Promise<void>(resolve => far.write('arrived', () => resolve()))
  await new Promise<void>(resolve => {
    // A timer that ran late: the bytes are in the kernel, and no socket was read yet.
    setTimeout(() => {
      const until = performance.now() + 20
      while (performance.now() < until);
      carrier.afterReads(() => {
        order.push('after')
        resolve()
      })
    }, 0)
  })
  t.strictSame(order, ['arrived', 'after'])
})
