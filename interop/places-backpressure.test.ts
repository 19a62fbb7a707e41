/** Backpressure reaches whoever sends, in whichever place; what waits is bounded on each part of the way. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { any, atom, format, match, Node, type NodeProcess, type Pid, type Term, type Tuple, tuple } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { startNode, work } from './support/places.js'

const flood = new URL('./support/placed/flood.mjs', import.meta.url)
const MiB = 2 ** 20
const [limit, max] = [MiB, 12 * MiB]
const options = { sendBufferLimit: limit, sendBufferMax: max, schedulers: { count: 1, execArgv: [] } }
const places = ['pool', 'isolated'] as const

/** Bytes that the kernel may hold for one connection: before more than that waits, nobody is busy. */
const kernel = ['wmem', 'rmem'].reduce(
  (sum, file) => sum + Number(readFileSync(`/proc/sys/net/ipv4/tcp_${file}`, 'latin1').split(/\s+/)[2]),
  0,
)

/** Reads what it is asked for. */
const sink = String.raw`
  -module(sink).
  -export([start/0, take/2]).
  start() -> spawn(fun() -> receive {take, From, Count} -> From ! take(1, Count) end end).
  take(Number, Count) when Number > Count -> ok;
  take(Number, Count) -> receive {N, _} when N =:= Number -> take(Number + 1, Count); {N, _} -> {N, in_place_of, Number} end.`

const from = async (self: NodeProcess, pid: Pid): Promise<Term> => (await self.receive(match([pid, any]))).elements[1] as Term

t.test('backpressure in places', async t => {
  const suite = async (t: Test, { start }: { readonly start: (options: object) => Promise<Beam> }): Promise<void> => {
    const beam = await start({ code: sink })
    await using node = await startNode(beam, options)
    await node.code.load('flood', flood)
    await node.connect(beam.name)
    await minded(t, beam, node)
    await unminded(t, beam, node)
  }
  await eachOtp<Beam>(t, suite as never, startBeam as never)
})

async function minded(t: Test, beam: Beam, node: Node): Promise<void> {
  for (const on of places) {
    await t.test(`who sends from the place '${on}' to a node that reads slowly is told to wait, and nothing is lost`, async t => {
      const count = Math.ceil((kernel + 8 * MiB) / (MiB / 4))
      const to = (await beam.eval('sink:start().')) as Pid
      await node.run(async self => {
        beam.pause()
        const busy = new Promise(resolve => node.once('busy', resolve))
        const pid = self.spawn({ module: 'flood', fun: 'pump', args: [self.pid, to, count] }, { on })
        t.equal(await from(self, pid), atom('waiting'))
        await busy
        // What the place sends next comes behind what it has sent.
        await node.isAlive(pid)
        const waits = node.stats().connections[beam.name]?.bufferedBytes ?? 0
        t.ok(waits < 6 * limit, `${waits} bytes wait`)
        beam.resume()
        const [waited, events] = ((await from(self, pid)) as Tuple<[number, Term[]]>).elements
        t.ok(waited > 0)
        t.match(events.map(String).join(' '), /^busy drain( busy drain)*$/)
        self.send(to, tuple(atom('take'), self.pid, count))
        t.equal(await self.receive(), atom('ok'), 'all of it came, in order')
      })
    })
  }
}

async function unminded(t: Test, beam: Beam, node: Node): Promise<void> {
  await t.test('who minds nothing ends the connection, and is told so in its place', async t => {
    await node.run(async self => {
      const to = (await beam.eval('sink:start().')) as Pid
      beam.pause()
      const pid = self.spawn({ module: 'flood', fun: 'flood', args: [self.pid, to] }, { on: 'pool' })
      const told = await from(self, pid)
      beam.resume()
      t.equal(format(told), '{<<"send_buffer_overflow">>,true,noconnection}')
    })
  })
}

t.test('between the places of a node', async t => {
  const name = `ts-${process.pid}-floods@127.0.0.1`
  await using node = await Node.start({ name, cookie: 'secret', listen: false, epmd: false, ...options })
  await node.code.load('flood', flood)
  await node.code.load('work', work)
  const spawn = (self: NodeProcess, fun: string, ...args: Term[]): [Pid, Pid] => {
    const [pid, ref] = self.spawnMonitor({ module: 'flood', fun, args }, { on: 'isolated' })
    return [pid, ref as never]
  }

  await t.test('a place that never reads is ended when too much waits for it', async t => {
    await node.run(async self => {
      const [pid] = spawn(self, 'loop')
      const block = Buffer.alloc(MiB / 4)
      let bytes = 0
      while (self.send(pid, block)) bytes += block.length
      t.ok(bytes < 4 * limit, `false after ${bytes} bytes`)
      const drained = node.drained(pid)
      // It may have taken some before it began to compute.
      for (; bytes < 3 * max; bytes += block.length) {
        self.send(pid, block)
        await new Promise(resolve => setImmediate(resolve))
      }
      await drained
      t.equal(((await self.receive()) as Tuple).elements[4], atom('send_buffer_overflow'))
      t.equal(await node.isAlive(pid), false)
    })
  })

  await t.test('so is one that sends in one turn more than may wait for main', async t => {
    await node.run(async self => {
      spawn(self, 'burst', self.pid, (4 * max) / (MiB / 4))
      const down = (await self.receive(match([atom('DOWN'), any, any, any, any]))) as Tuple
      t.equal(down.elements[4], atom('send_buffer_overflow'))
    })
  })

  await t.test('in the pool it ends alone: its neighbours go on, and what it had sent has come', async t => {
    await node.run(async self => {
      const crashed = new Promise(resolve => node.once('crash', (pid, { error }) => resolve([pid, (error as Error).message])))
      const neighbour = node.spawn({ module: 'work', fun: 'echo' }, { on: 'pool' })
      t.equal(await node.isAlive(neighbour), true)
      const count = (4 * max) / (MiB / 4)
      const [pid, ref] = self.spawnMonitor({ module: 'flood', fun: 'burst', args: [self.pid, count] }, { on: 'pool' })
      let bytes = 0
      for (;;) {
        const message = await self.receive()
        if (message instanceof Buffer) bytes += message.length
        else {
          t.equal(format(message), format(tuple(atom('DOWN'), ref, atom('process'), pid, atom('send_buffer_overflow'))))
          break
        }
      }
      t.ok(bytes >= max && bytes < 2 * max, `${bytes} bytes came`)
      t.match(await crashed, [pid, /NET_SEND_BUFFER/])
      t.equal(await node.isAlive(neighbour), true)
    })
  })

  await t.test('from place to place, who sends is told of a place that does not read', async t => {
    await node.run(async self => {
      const [slow] = spawn(self, 'loop')
      const pid = self.spawn({ module: 'flood', fun: 'pump', args: [self.pid, slow, 40] }, { on: 'pool' })
      t.equal(await from(self, pid), atom('waiting'))
      node.exit(slow, atom('kill'))
      const [waited] = ((await from(self, pid)) as Tuple<[number, Term[]]>).elements
      t.ok(waited > 0)
    })
  })
})
