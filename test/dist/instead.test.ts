import t from 'tap'
import { flags, offeredFlags } from '../../src/dist/flags.js'
import { instead } from '../../src/dist/instead.js'
import type { Peer } from '../../src/dist/peer.js'
import type { Signal } from '../../src/dist/signal.js'
import { atom, Pid } from '../../src/term/index.js'
import { ourPid, ourRef, payload, peer as name, theirPid } from './signals.js'

const all = offeredFlags({ visible: true })
const peer: Peer = { name, creation: theirPid.creation, flags: all, theirFlags: all, visible: true }
const earlier = new Pid(name, 7, 1, theirPid.creation - 1)

const request: Signal = {
  ...{
    op: 'spawnRequest',
    ref: ourRef,
    from: ourPid,
    to: name,
    groupLeader: ourPid,
    module: atom('m'),
    fun: atom('f'),
    arity: 0,
    options: [],
  },
  args: payload([]),
}

t.test('a node that cannot spawn answers notsup', async t => {
  t.equal(instead(request, peer), null)
  const reply = { op: 'spawnReply', ref: ourRef, to: ourPid, link: false, monitor: false, result: atom('notsup') }
  t.strictSame(instead(request, { ...peer, flags: all & ~flags.SPAWN }), { answer: reply })
})

t.test('what a node closes the connection for, about a pid of an earlier creation, is not sent', async t => {
  const table: [Signal, Signal | null][] = [
    [
      { op: 'unlink', id: 5n, from: ourPid, to: earlier },
      { op: 'unlinkAck', id: 5n, from: earlier, to: ourPid },
    ],
    [{ op: 'unlinkAck', id: 5n, from: ourPid, to: earlier }, null],
    [{ op: 'linkExit', from: ourPid, to: earlier, reason: payload(1) }, null],
  ]
  for (const [signal, answer] of table) {
    t.strictSame(instead(signal, peer), { answer }, signal.op)
    t.equal(instead({ ...signal, to: theirPid } as Signal, peer), null, `${signal.op} to a pid of today`)
  }
})

t.test('the rest it answers itself', async t => {
  const others: Signal[] = [
    { op: 'send', from: ourPid, to: earlier, message: payload(1) },
    { op: 'link', from: ourPid, to: earlier },
    { op: 'monitor', from: ourPid, to: earlier, ref: ourRef },
    { op: 'exit', from: ourPid, to: earlier, reason: payload(1) },
  ]
  for (const signal of others) t.equal(instead(signal, peer), null, signal.op)
})
