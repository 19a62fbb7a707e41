/** Native records, which OTP 29 has and others do not know: whoever sends one to an older node is told, and the connection lives on. */
import t, { type Test } from 'tap'
import { any, atom, equals, ExitError, match, NativeRecord, type NodeProcess, type Pid, type Term, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, eachWay, heard, next, type Pair, startNode, tell } from './support/pair.js'

const record = new NativeRecord(atom('shop'), atom('item'), [[atom('price'), 5]], 1) as NativeRecord & Term
const large = [Buffer.alloc(300_000, 7), record]
const told = { code: 'ETF_RECORD', message: /#shop:item\{\}.*send a map or a tuple/ }

t.test('native records', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const beam = await start({ code: actor })
    await eachWay(t, beam, otp >= 29 ? taken : refused)
    if (otp < 29) await later(t, beam)
  })
})

const exiting = async (self: NodeProcess): Promise<void> => {
  await self.receive()
  throw new ExitError(record)
}

async function taken(t: Test, { node, evaluate }: Pair): Promise<void> {
  await t.test('OTP 29 takes them, in messages, fragments and exit reasons', async t => {
    const pid = (await evaluate('actor:start_trapping().')) as Pid
    await node.run(async self => {
      for (const message of [record, large] as Term[]) {
        self.send(pid, message)
        t.ok(equals(await heard(self, pid), message))
      }
      const child = self.spawn(exiting)
      await tell(self, pid, 'erlang', 'link', child)
      self.send(child, 'now')
      t.ok(equals(await heard(self, pid), tuple(atom('EXIT'), child, record) as Term))
    })
  })
}

async function refused(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test('before OTP 29 a native record is refused where it is sent, and the connection lives on', async t => {
    const pid = (await evaluate('actor:start_trapping().')) as Pid
    const lost = (): void => void t.fail('the connection is lost')
    node.on('nodedown', lost)
    await node.run(async self => {
      const { bytesOut } = node.stats().connections[beam.name]!
      t.throws(() => self.send(pid, record), told)
      t.throws(() => self.send(pid, { items: [1, record] }), { message: /It stands at/ })
      t.throws(() => self.send(pid, large as Term), told, 'in what would be fragments')
      t.throws(() => self.send({ name: 'nobody', node: beam.name }, record), told)
      t.throws(() => self.exit(pid, record), told)
      t.throws(() => self.spawnRequest({ node: beam.name, module: 'erlang', fun: 'hd', args: [[record]] }), told)
      await t.rejects(node.rpc.call(beam.name, 'erlang', 'hd', [[record]]), told)
      await new Promise(resolve => setImmediate(resolve))
      t.equal(node.stats().connections[beam.name]!.bytesOut, bytesOut, 'nothing of it was sent')

      self.send(self.pid, record)
      t.ok(equals(await next(self), record), 'on this node it arrives')

      const child = self.spawn(exiting)
      const ref = await tell(self, pid, 'erlang', 'monitor', atom('process'), child)
      self.send(child, 'now')
      const reason = match([atom('DOWN'), ref, atom('process'), child, any])
      const exit = (await heard(self, pid)) as unknown as { elements: Term[] }
      t.ok(reason(exit as unknown as Term), 'an exit reason is told')
      t.match(String(exit.elements[4]), /shop:item/, 'as text')

      self.seqTrace.setToken('label', record)
      self.seqTrace.setToken('send', true)
      self.send(pid, atom('hello'))
      self.seqTrace.setToken([])
      t.equal(await heard(self, pid), atom('hello'), 'a trace token with one as label is left out')
    })
    node.off('nodedown', lost)
  })
}

async function later(t: Test, beam: Beam): Promise<void> {
  await t.test('what was sent before the connection was up, or by a timer, is told later', async t => {
    await using node = await startNode(beam)
    const errors: unknown[] = []
    let heardOne = (): void => {}
    node.on('error', error => {
      errors.push(error)
      heardOne()
    })
    const [pid, linked, exited] = (await beam.eval('[actor:start_trapping() || _ <- [1, 2, 3]].')) as Pid[]
    await node.run(async self => {
      self.send(pid!, record)
      self.send(pid!, atom('after'))
      const ref = self.spawnRequest({ node: beam.name, module: 'erlang', fun: 'hd', args: [[record]] })
      self.exit(exited!, record)
      const child = self.spawn(async self => {
        self.link(linked!)
        throw new ExitError(record)
      })
      t.strictSame(await next(self), tuple(atom('spawn_reply'), ref, atom('error'), atom('notsup')))
      t.match(errors, [told, told], 'the message, and the spawn request')
      t.equal(await heard(self, pid!), atom('after'))
      t.match(
        String(((await heard(self, exited!)) as unknown as { elements: Term[] }).elements[2]),
        /shop:item/,
        'an exit signal has it as text',
      )
      const exit = (await heard(self, linked!)) as unknown as { elements: Term[] }
      t.strictSame(exit.elements.slice(0, 2), [atom('EXIT'), child])
      t.match(String(exit.elements[2]), /shop:item/)

      const third = new Promise<void>(resolve => (heardOne = resolve))
      self.sendAfter(1, pid!, record)
      await third
      t.match(errors[2], told, 'the timer')
      t.equal(await tell(self, pid!, 'erlang', 'node'), atom(beam.name))
    })
    t.strictSame(node.nodes('connected'), [beam.name])
    t.equal(errors.length, 3)
  })
}
