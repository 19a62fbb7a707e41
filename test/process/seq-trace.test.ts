/** Trace tokens as real nodes were seen to handle them. With real nodes between: interop/seq-trace.test.ts. */
import t from 'tap'
import type { Process, TraceToken } from '../../src/process/index.js'
import { atom, format, match, type Pid, type Term, tuple } from '../../src/term/index.js'
import { fixture, remotePid, there, turn } from './support.js'

/** `Flags, Label, Serial, Last`, and who From is */
function token(self: Process, from: Pid = self.pid): string {
  const got = self.seqTrace.getToken()
  if (Array.isArray(got)) return '[]'
  const [flags, label, serial, sender, last] = got.elements
  return [flags, format(label), serial, last, sender === from ? 'it' : format(sender)].join(' ')
}

t.test('sending counts, and receiving takes over', async t => {
  const { run } = fixture()
  await run(async self => {
    const { seqTrace } = self
    t.equal(token(self), '[]')
    t.strictSame([seqTrace.getToken('label'), seqTrace.getToken('send')], [[], false])
    seqTrace.setToken('label', 17)
    t.equal(token(self), '0 17 0 0 it')
    self.send(self.pid, atom('x'))
    self.send(self.pid, atom('y'))
    t.equal(token(self), '0 17 2 0 it')
    await self.receive()
    t.equal(token(self), '0 17 1 0 it', 'the token of the message')
    self.send(self.pid, atom('z'))
    t.equal(token(self), '0 17 3 1 it', 'the next number, after the greatest seen')
    seqTrace.setToken('send', true)
    seqTrace.setToken('label', ['any', 'term'])
    t.equal(token(self), '1 [<<"any">>,<<"term">>] 3 1 it')
    t.strictSame([seqTrace.getToken('send'), seqTrace.getToken('print')], [true, false])
    seqTrace.setToken([])
    self.send(self.pid, atom('plain'))
    t.equal(await self.receive(match(atom('z'))), atom('z'))
    t.equal(token(self), '0 17 3 1 it')
    await self.receive(match(atom('plain')))
    t.equal(token(self), '[]', 'a message without a token takes it away')
    seqTrace.setToken('send', true)
    t.equal(token(self), '1 0 0 3 it', 'a new token knows what was received last')
  })
})

t.test('a whole token is put back', async t => {
  const { run } = fixture()
  await run(self => {
    self.seqTrace.setToken(tuple(0, atom('l'), 4, remotePid(), 3))
    t.equal(token(self), '0 l 4 3 it')
    self.send(self.pid, 1)
    t.equal(token(self), '0 l 5 3 it')
    for (const wrong of [tuple(1, 2), tuple(0, 0, -1, self.pid, 0), atom('x'), [1]]) {
      t.throws(() => self.seqTrace.setToken(wrong as unknown as TraceToken), { code: 'ERR_BADARG' })
    }
  })
})

t.test('a child goes on with its parent’s token', async t => {
  const { run } = fixture()
  await run(async self => {
    self.seqTrace.setToken('label', atom('l'))
    self.send(self.pid, 1)
    const child = self.spawn(child => child.send(self.pid, 2))
    t.equal(token(self), '0 l 2 0 it')
    await self.receive(match(2))
    t.equal(token(self, child), '0 l 3 2 it')
  })
})

t.test('exits of links carry it; exit/2 does not, nor do timers and DOWN change it', async t => {
  const { clock, run } = fixture()
  await run(async self => {
    self.trapExit = true
    self.seqTrace.setToken('label', atom('l'))
    const child = self.spawnLink(child => child.receive())
    self.seqTrace.setToken([])
    self.send(child, atom('go'))
    await self.receive()
    t.equal(token(self), '[]', 'what it received had none')

    self.seqTrace.setToken('label', atom('l'))
    const other = self.spawnLink(() => {})
    self.seqTrace.setToken([])
    await self.receive()
    t.match(token(self, other), /^0 l \d+ \d+ it$/)

    self.exit(self.pid, atom('note'))
    await self.receive()
    t.equal(token(self), '[]')

    self.seqTrace.setToken('label', atom('m'))
    self.sendAfter(5, self.pid, atom('later'))
    clock.advance(5)
    t.equal(await self.receive(), atom('later'))
    t.match(token(self), /^0 m/)
    self.monitor(self.spawn(() => {}))
    await turn()
    await self.receive()
    t.match(token(self), /^0 m/)
  })
})

t.test('what leaves the node carries it', async t => {
  const { out, run } = fixture()
  await run(self => {
    self.send(remotePid(), 1)
    t.notOk('token' in (out[0] as object))
    self.seqTrace.setToken('label', atom('l'))
    const of = (serial: number): Term => tuple(0, atom('l'), serial, self.pid, 0) as Term
    self.send(remotePid(), 2)
    self.send({ name: 'x', node: there }, 3)
    self.exit(remotePid(), atom('bye'))
    self.spawnRequest({ node: there, module: 'm', fun: 'f' })
    self.link(remotePid())
    t.strictSame(
      out.slice(1).map(signal => ('token' in signal ? signal.token : undefined)),
      [of(1), of(2), undefined, of(4), undefined],
    )
  })
  await turn()
  t.match(out.at(-1), { op: 'linkExit' })
  t.equal(format((out.at(-1) as { token: Term }).token).replace(/<.*>/, 'Pid'), '{0,l,5,Pid,0}')
})

t.test('a token that is none of OTP’s is no token', async t => {
  const { processes, run } = fixture()
  await run(self => {
    self.seqTrace.setToken('label', 1)
    processes.deliver({ op: 'send', from: null, to: self.pid, message: { read: () => 1 }, token: tuple(1, 2) as Term })
    t.equal(self.poll(), 1)
    t.equal(token(self), '[]')
  })
})
