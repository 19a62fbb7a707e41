import t from 'tap'
import { decodeRelay, encodeRelay } from '../../src/dist/relay.js'
import { decode, encode } from '../../src/etf/index.js'
import { Atom, atom, type Term, Tuple, tuple } from '../../src/term/index.js'
import { ourPid, ourRef, signalsFromPeer, theirName, theirPid, thirdPid } from './signals.js'

const overTheWire = (term: Term): Term => decode(encode(term))

t.test('every signal comes out as it went in', async t => {
  for (const signal of signalsFromPeer) {
    const { control, payload } = encodeRelay(signal)
    const read = decodeRelay(overTheWire(control))
    if (read.payload) read.signal[read.payload] = payload
    t.strictSame(read.signal, signal, signal.op)
  }
})

t.test('either end may be of any node', async t => {
  const { control } = encodeRelay({ op: 'link', from: thirdPid, to: theirPid })
  t.strictSame(decodeRelay(control).signal, { op: 'link', from: thirdPid, to: theirPid })
  const named = encodeRelay({ op: 'demonitor', from: ourPid, to: { ...theirName, name: Atom.intern('true') }, ref: ourRef })
  t.strictSame(decodeRelay(overTheWire(named.control)).signal.to, { name: Atom.intern('true'), node: theirName.node })
})

t.test('what no place sends has a coded error', async t => {
  const { control } = encodeRelay({ op: 'link', from: ourPid, to: theirPid })
  const [code] = control.elements
  const wrong = [atom('x'), tuple(), tuple(99), tuple(atom('x')), tuple(code), tuple(code, ourPid), tuple(code, ourPid, 5), new Tuple([-1])]
  for (const term of wrong) t.throws(() => decodeRelay(term as Term), { code: 'DIST_PROTOCOL_CONTROL' }, String(term))
})
