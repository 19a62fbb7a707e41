/** Encoder and decoder against each other, and the decoder against hostile frames. */
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { ChannelDecoder } from '../../src/dist/channel-decoder.js'
import { ChannelEncoder } from '../../src/dist/channel-encoder.js'
import { flags, mandatoryFlags, offeredFlags } from '../../src/dist/flags.js'
import { FrameReader, maxChannelFrame } from '../../src/dist/frames.js'
import { fragmentSize } from '../../src/dist/lanes.js'
import type { Signal } from '../../src/dist/signal.js'
import type { EtfError } from '../../src/etf/index.js'
import { Atom, atom, Pid, type Term, tuple } from '../../src/term/index.js'
import { channelTranscripts, described } from './channel-transcript.js'
import { ends, otherEnds, ourName, ourPid, payload, peer, plain, self, signalsFromPeer, theirName, theirPid, thirdPid } from './signals.js'

const everything = offeredFlags({ visible: true })
const noCache = everything & ~flags.DIST_HDR_ATOM_CACHE
const noFragments = everything & ~flags.FRAGMENTS
const plainChannel = noCache & ~flags.FRAGMENTS

interface Channel {
  readonly encoder: ChannelEncoder
  readonly decoder: ChannelDecoder
  readonly faults: EtfError[]
}

/** From `peer` to `self`. */
function channel(negotiated: bigint, decoding = {}): Channel {
  const faults: EtfError[] = []
  const decoder = new ChannelDecoder({ ends, flags: negotiated, decoding, fault: error => faults.push(error) })
  return { encoder: new ChannelEncoder({ ends: otherEnds, flags: negotiated }), decoder, faults }
}

function framesOf(bytes: Buffer): Buffer[] {
  const reader = new FrameReader(4, maxChannelFrame)
  reader.push(bytes)
  const frames: Buffer[] = []
  for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(frame)
  return frames
}

const arrived = ({ decoder }: Channel, bytes: Buffer): Signal[] => framesOf(bytes).flatMap(frame => decoder.decode(frame) ?? [])

const send = (term: Term, over = {}): Signal => ({ op: 'send', from: theirPid, to: ourPid, message: payload(term), ...over })

for (const [name, negotiated] of Object.entries({ everything, noCache, noFragments, plainChannel })) {
  t.test(`signals arrive as they were sent: ${name}`, async t => {
    const one = channel(negotiated)
    for (const signal of [...signalsFromPeer, ...signalsFromPeer]) one.encoder.encode(signal)
    const signals = arrived(one, one.encoder.take(Infinity))
    t.strictSame(signals.map(plain), [...signalsFromPeer, ...signalsFromPeer].map(plain))
    t.equal(one.encoder.length, 0)
  })

  t.test(`large messages arrive whole: ${name}`, async t => {
    const one = channel(negotiated)
    const large = Buffer.alloc(5 * fragmentSize + 1, 'x')
    one.encoder.encode(send([atom('before'), large]))
    one.encoder.encode(send(atom('after')))
    const signals = arrived(one, one.encoder.take(Infinity))
    t.strictSame(
      signals.map(signal => plain(signal)['message']),
      [[atom('before'), large], atom('after')],
    )
  })
}

t.test('to a peer without the flags nothing of them goes', async t => {
  const one = channel(mandatoryFlags[26])
  one.encoder.encode(send(atom('hello')))
  const [frame] = framesOf(one.encoder.take(Infinity))
  t.equal(frame?.toString('latin1').slice(0, 2), 'p\x83')
  t.notOk(
    one.encoder.encode({ op: 'monitor', from: theirPid, to: ourPid, ref: signalsFromPeer.find(s => s.op === 'monitor')!.ref }),
    'no monitors',
  )
  t.equal(one.encoder.length, 0)
})

t.test('an atom is spelled once', async t => {
  const one = channel(everything)
  one.encoder.encode(send(atom('an_atom_to_remember')))
  const first = one.encoder.take(Infinity)
  one.encoder.encode(send(atom('an_atom_to_remember')))
  const second = one.encoder.take(Infinity)
  t.ok(first.includes('an_atom_to_remember') && first.includes('us@host'))
  t.notOk(second.includes('an_atom_to_remember') || second.includes('us@host'))
  t.strictSame(
    arrived(one, Buffer.concat([first, second])).map(s => plain(s)['message']),
    [atom('an_atom_to_remember'), atom('an_atom_to_remember')],
  )
})

t.test('more than 255 atoms in a message', async t => {
  const one = channel(everything)
  const atoms = Array.from({ length: 3000 }, (_, i) => atom(`one_of_many_${i}`))
  for (let i = 0; i < 3; i++) one.encoder.encode(send(atoms))
  for (const signal of arrived(one, one.encoder.take(Infinity))) t.strictSame(plain(signal)['message'], atoms)
})

t.test('small messages of others overtake the fragments of a large one, and its sender’s do not', async t => {
  const one = channel(everything)
  const other = new Pid(peer, 8, 0, 40)
  one.encoder.encode(send(Buffer.alloc(4 * fragmentSize)))
  one.encoder.encode(send(atom('same_sender')))
  one.encoder.encode(send(atom('other_sender'), { from: other }))
  one.encoder.encode({
    op: 'down',
    from: theirName,
    to: ourPid,
    ref: signalsFromPeer.find(s => s.op === 'down')!.ref,
    reason: payload(atom('by_name')),
  })
  t.equal(framesOf(one.encoder.take(0)).length, 1, 'without fragments there is one frame to go')
  const early = channel(everything)
  for (const signal of [send(Buffer.alloc(4 * fragmentSize)), send(atom('same_sender')), send(atom('other_sender'), { from: other })])
    early.encoder.encode(signal)
  const rest = one.encoder.take(Infinity)
  t.equal(one.encoder.length, 0)
  const order = [...arrived(one, early.encoder.take(0)), ...arrived(one, rest)].map(
    signal => plain(signal)['message'] ?? plain(signal)['reason'],
  )
  t.strictSame(
    order.map(term => (term instanceof Atom ? term.name : 'large')),
    ['other_sender', 'large', 'same_sender', 'by_name'],
  )
})

t.test('fragments of several senders interleave, with the atoms of their own headers', async t => {
  const one = channel(everything)
  const senders = Array.from({ length: 5 }, (_, i) => new Pid(peer, 10 + i, 0, 40))
  // More atoms than the cache has slots, so that slots change hands while the fragments are on their way
  const terms = senders.map((_, i) => [
    Buffer.alloc(3 * fragmentSize, i),
    ...Array.from({ length: 600 }, (_, j) => atom(`interleaved_${i}_${j}`)),
  ])
  for (const [i, from] of senders.entries()) one.encoder.encode(send(terms[i] as Term, { from }))
  const frames: Buffer[] = []
  while (one.encoder.length > 0) frames.push(...framesOf(one.encoder.take(1)))
  t.strictSame(
    frames.slice(0, 5).map(frame => frame[1]),
    [69, 69, 69, 69, 69],
    'each begins before one has ended',
  )
  const signals = frames.flatMap(frame => one.decoder.decode(frame) ?? [])
  t.strictSame(
    signals.map(signal => plain(signal)['message']),
    terms,
  )
  t.equal(one.decoder.unfinishedBytes, 0)
})

t.test('a term that cannot be sent costs nothing', async t => {
  for (const negotiated of [everything, plainChannel]) {
    const one = channel(negotiated)
    one.encoder.encode(send(atom('first')))
    const before = one.encoder.length
    t.throws(() => one.encoder.encode(send([atom('new_here'), (() => {}) as unknown as Term])), { code: 'ETF_TERM' })
    t.throws(() => one.encoder.encode({ op: 'link', from: thirdPid, to: ourPid }), { code: 'DIST_SIGNAL' })
    t.equal(one.encoder.length, before)
    one.encoder.encode(send([atom('new_here'), atom('last')]))
    const signals = arrived(one, one.encoder.take(Infinity))
    t.strictSame(
      signals.map(signal => plain(signal)['message']),
      [atom('first'), [atom('new_here'), atom('last')]],
    )
  }
})

t.test('a payload is decoded when it is read, each time anew', async t => {
  const one = channel(everything)
  one.encoder.encode(send([tuple(1, 2)]))
  const [signal] = arrived(one, one.encoder.take(Infinity))
  const message = (signal as Extract<Signal, { op: 'send' }>).message
  t.strictSame(message.read(), [tuple(1, 2)])
  t.not(message.read(), message.read(), 'receivers share nothing')
})

t.test('a payload that is no term is the fault of who sent it, told when it is read', async t => {
  const one = channel(everything)
  const table: [string, string, string][] = [
    ['an unknown tag', '01', 'ETF_UNKNOWN_TAG'],
    ['a version before the term', '83 61 01', 'ETF_UNKNOWN_TAG'],
    ['a tuple that ends early', '68 02 61 01', 'ETF_TRUNCATED'],
    ['a byte too many', '61 01 00', 'ETF_TRAILING_BYTES'],
    ['compressed', '50 00000001 00', 'ETF_COMPRESSED'],
    ['a reference to an atom that the header does not have', '52 09', 'ETF_ATOM_CACHE'],
  ]
  for (const [what, bytes, code] of table) {
    const signal = one.decoder.decode(sendTo('us@host', bytes)) as Extract<Signal, { op: 'send' }>
    t.throws(() => signal.message.read(), { code }, what)
    t.equal(one.faults.pop()?.code, code, `${what}: told`)
  }
})

/** A frame with SEND_SENDER from a peer's pid to one of that node; its payload is these bytes. */
function sendTo(node: string, bytes: string): Buffer {
  const pid = (name: string): Buffer =>
    Buffer.concat([hex(`58 77 ${name.length.toString(16).padStart(2, '0')}`), Buffer.from(name), hex('00000001 00000000 00000001')])
  return Buffer.concat([hex('83 44 00 68 03 61 16'), pid('them@host'), pid(node), hex(bytes)])
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

t.test('what OTP leaves lying is left lying', async t => {
  const one = channel(everything)
  t.equal(one.decoder.decode(Buffer.alloc(0)), null, 'a tick')
  t.equal(one.decoder.decode(sendTo('third@host', '61 01')), null, 'a message to a third node')
  t.not(one.decoder.decode(sendTo('us@host', '61 01')), null)
})

// ── hostile peers ────────────────────────────────────────────────────────────

function hostile(t: Test, negotiated: bigint, table: readonly (readonly [string, string, ...string[]])[]): void {
  for (const [what, code, ...frames] of table) {
    const { decoder } = channel(negotiated)
    const last = hex(frames.pop() as string)
    for (const frame of frames) decoder.decode(hex(frame))
    t.throws(() => decoder.decode(last), { code }, what)
  }
}

const link = '68 03 61 01 58 77 09 7468656d40686f7374 00000001 00000000 00000001 58 77 07 757340686f7374 00000001 00000000 00000001'
const sequence = (id: string, fragment: string): string => `${id.padStart(16, '0')} ${fragment.padStart(16, '0')}`

t.test('malformed frames', async t => {
  const regSend = '68 04 61 06 58 77 09 7468656d40686f7374 00000001 00000000 00000001 77 00 77 04 6e616d65'
  t.match(
    channel(everything).decoder.decode(hex(`83 44 00 ${regSend} 61 01`)),
    { op: 'send', to: ourName },
    'what these are made of is well formed',
  )
  const themHost = link.replace('7468656d40686f7374', '7468656d40686f7374'.replace('74', '75'))
  hostile(t, everything, [
    ['a frame without a header', 'DIST_PROTOCOL_HEADER', `83 ${link}`],
    ['a frame as of a plain channel', 'DIST_PROTOCOL_HEADER', `70 83 ${link}`],
    ['a control message that ends early', 'ETF_TRUNCATED', '83 44 00 68 03 61'],
    ['no control message', 'ETF_TRUNCATED', '83 44 00'],
    ['a version before the control message', 'ETF_UNKNOWN_TAG', `83 44 00 83 ${link}`],
    ['an integer for a control message', 'DIST_PROTOCOL_CONTROL', '83 44 00 61 01'],
    ['an unknown control message', 'DIST_PROTOCOL_OPCODE', '83 44 00 68 01 61 63'],
    ['LINK from another node', 'DIST_PROTOCOL_FIELD', `83 44 00 ${themHost}`],
    ['bytes after LINK', 'DIST_PROTOCOL_PAYLOAD', `83 44 00 ${link} 61 01`],
    ['REG_SEND without a message', 'DIST_PROTOCOL_PAYLOAD', `83 44 00 ${regSend}`],
    [
      'a fragmented LINK with a payload',
      'DIST_PROTOCOL_PAYLOAD',
      `83 45 ${sequence('1', '2')} 00 ${link}`,
      `83 46 ${sequence('1', '1')} 61 01`,
    ],
    [
      'a fragmented message without a payload',
      'DIST_PROTOCOL_PAYLOAD',
      `83 45 ${sequence('1', '2')} 00 ${regSend}`,
      `83 46 ${sequence('1', '1')}`,
    ],
    ['a control message cut in two', 'ETF_TRUNCATED', `83 45 ${sequence('1', '2')} 00 68 03 61`],
    ['sequence 0', 'DIST_PROTOCOL_FRAGMENT', `83 45 ${sequence('0', '2')} 00 ${regSend} 61`],
    ['fragments out of order', 'DIST_PROTOCOL_FRAGMENT', `83 45 ${sequence('1', '3')} 00 ${regSend} 61`, `83 46 ${sequence('1', '1')} 01`],
    ['a fragment of nothing', 'DIST_PROTOCOL_FRAGMENT', `83 46 ${sequence('1', '1')} 01`],
    ['an empty slot of the cache', 'DIST_PROTOCOL_ATOM_CACHE', '83 44 01 00 05'],
  ])
})

t.test('malformed frames of a plain channel', async t => {
  t.match(channel(plainChannel).decoder.decode(hex(`70 83 ${link}`)), { op: 'link', from: { node: peer }, to: { node: self } })
  const regSend = '68 04 61 06 58 77 09 7468656d40686f7374 00000001 00000000 00000001 77 00 77 04 6e616d65'
  t.match(channel(plainChannel).decoder.decode(hex(`70 83 ${regSend} 83 61 01`)), { op: 'send', to: ourName })
  hostile(t, plainChannel, [
    ['one byte', 'DIST_PROTOCOL_HEADER', '70'],
    ['a header', 'DIST_PROTOCOL_HEADER', `83 44 00 ${link}`],
    ['no version', 'DIST_PROTOCOL_HEADER', `70 ${link}`],
    ['a payload without its version', 'DIST_PROTOCOL_PAYLOAD', `70 83 ${regSend} 61 01`],
    ['a version without its payload', 'DIST_PROTOCOL_PAYLOAD', `70 83 ${regSend} 83`],
    ['no payload', 'DIST_PROTOCOL_PAYLOAD', `70 83 ${regSend}`],
    ['bytes after LINK', 'DIST_PROTOCOL_PAYLOAD', `70 83 ${link} 83 61 01`],
  ])
})

t.test('fragments that were not negotiated', async t => {
  hostile(t, noFragments, [
    ['a first one', 'DIST_PROTOCOL_HEADER', `83 45 ${sequence('1', '2')} 00 ${link}`],
    ['a further one', 'DIST_PROTOCOL_HEADER', `83 46 ${sequence('1', '1')} 00`],
  ])
})

t.test('any frame at all is a signal, nothing, or an error with a code', async t => {
  const starts = fc.constantFrom('', '8344', '834400', `834400${link}`, '8345', '8346', '83440068')
  const property = fc.property(starts, fc.uint8Array({ maxLength: 60 }), (start, rest) => {
    const { decoder } = channel(everything)
    try {
      const signal = decoder.decode(Buffer.concat([hex(start), rest]))
      return signal === null || typeof signal.op === 'string'
    } catch (error) {
      return /^(DIST_PROTOCOL_|ETF_)/.test((error as EtfError).code)
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 3000 }))
})

// ── real nodes ───────────────────────────────────────────────────────────────

t.test('what real nodes sent is replayed', async t => {
  for (const { peer, self, node, flags, steps } of channelTranscripts()) {
    const realEnds = { self: atom(self) as Atom, peer: atom(node) as Atom }
    const fault = (error: EtfError): void => void t.fail(error)
    const decoder = new ChannelDecoder({ ends: realEnds, flags: BigInt(`0x${flags}`), decoding: { floats: 'exact' }, fault })
    for (const { name, frames, signals } of steps) {
      const came = frames.flatMap(frame => decoder.decode(hex(frame)) ?? [])
      t.strictSame(came.map(described), signals, `OTP ${peer}, ${name}`)
    }
  }
})

t.test('and sent on, it says the same', async t => {
  for (const { peer, self, node, flags, steps } of channelTranscripts()) {
    const [us, them] = [atom(self) as Atom, atom(node) as Atom]
    const fault = (error: EtfError): void => void t.fail(error)
    const decoding = { floats: 'exact' } as const
    const theirs = new ChannelDecoder({ ends: { self: us, peer: them }, flags: BigInt(`0x${flags}`), decoding, fault })
    const encoder = new ChannelEncoder({ ends: { self: them, peer: us }, flags: BigInt(`0x${flags}`) })
    const again = new ChannelDecoder({ ends: { self: us, peer: them }, flags: BigInt(`0x${flags}`), decoding, fault })
    for (const { name, frames, signals } of steps) {
      for (const frame of frames) {
        const signal = theirs.decode(hex(frame))
        if (signal) encoder.encode(signal)
      }
      const came = framesOf(encoder.take(Infinity)).flatMap(frame => again.decode(frame) ?? [])
      t.strictSame(came.map(described), signals, `OTP ${peer}, ${name}`)
    }
  }
})
