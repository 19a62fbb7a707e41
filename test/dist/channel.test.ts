/** Encoder and decoder against each other, and the decoder against hostile frames. */
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { ChannelDecoder } from '../../src/dist/channel-decoder.js'
import { ChannelEncoder } from '../../src/dist/channel-encoder.js'
import { flags, mandatoryFlags, offeredFlags } from '../../src/dist/flags.js'
import { frame, FrameReader, maxChannelFrame } from '../../src/dist/frames.js'
import { fragmentSize } from '../../src/dist/lanes.js'
import type { Signal } from '../../src/dist/signal.js'
import type { EtfError } from '../../src/etf/index.js'
import { Atom, atom, NativeRecord, Pid, type Term, tuple } from '../../src/term/index.js'
import { channelTranscripts, described } from './channel-transcript.js'
import {
  ends,
  otherEnds,
  ourName,
  ourPid,
  ourRef,
  payload,
  peer,
  plain,
  self,
  signalsFromPeer,
  theirName,
  theirPid,
  thirdPid,
} from './signals.js'

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

const taken = ({ encoder }: Pick<Channel, 'encoder'>, fragments = Infinity): Buffer => Buffer.concat(encoder.take(fragments))

const arrived = ({ decoder }: Channel, bytes: Buffer): Signal[] => framesOf(bytes).flatMap(frame => decoder.decode(frame) ?? [])

const send = (term: Term, over = {}): Signal => ({ op: 'send', from: theirPid, to: ourPid, message: payload(term), ...over })

for (const [name, negotiated] of Object.entries({ everything, noCache, noFragments, plainChannel })) {
  t.test(`signals arrive as they were sent: ${name}`, async t => {
    const one = channel(negotiated)
    for (const signal of [...signalsFromPeer, ...signalsFromPeer]) one.encoder.encode(signal)
    const signals = arrived(one, taken(one))
    t.strictSame(signals.map(plain), [...signalsFromPeer, ...signalsFromPeer].map(plain))
    t.equal(one.encoder.length, 0)
  })

  t.test(`large messages arrive whole: ${name}`, async t => {
    const one = channel(negotiated)
    const large = Buffer.alloc(5 * fragmentSize + 1, 'x')
    one.encoder.encode(send([atom('before'), large]))
    one.encoder.encode(send(atom('after')))
    const signals = arrived(one, taken(one))
    t.strictSame(
      signals.map(signal => plain(signal)['message']),
      [[atom('before'), large], atom('after')],
    )
  })
}

t.test('to a peer without the flags nothing of them goes', async t => {
  const one = channel(mandatoryFlags[26])
  one.encoder.encode(send(atom('hello')))
  const [frame] = framesOf(taken(one))
  t.equal(frame?.toString('latin1').slice(0, 2), 'p\x83')
  t.notOk(
    one.encoder.encode({ op: 'monitor', from: theirPid, to: ourPid, ref: signalsFromPeer.find(s => s.op === 'monitor')!.ref }),
    'no monitors',
  )
  t.equal(one.encoder.length, 0)
})

for (const [name, negotiated] of Object.entries({ everything, noCache, noFragments, plainChannel })) {
  t.test(`a native record goes only to a peer that knows them: ${name}`, async t => {
    const record = new NativeRecord(atom('shop'), atom('item'), [[atom('price'), 5]], 1)
    const wanted = { code: 'ETF_RECORD', message: /#shop:item\{\}.*send a map or a tuple/ }
    const old = channel(negotiated & ~flags.NATIVE_RECORDS)
    t.throws(() => old.encoder.encode(send(record)), wanted)
    t.throws(() => old.encoder.encode(send([Buffer.alloc(5 * fragmentSize), new Map([[record, 1]])])), wanted)
    t.throws(() => old.encoder.encode({ op: 'linkExit', from: theirPid, to: ourPid, reason: payload(record) }), wanted)
    t.equal(old.encoder.length, 0, 'nothing of it is sent')
    const token = tuple(0, [record], 1, theirPid, 0)
    old.encoder.encode(send(1, { token }))
    old.encoder.encode(send(2))
    t.strictSame(
      arrived(old, taken(old)).map(plain),
      [send(1), send(2)].map(plain),
      'a trace token is left out, and what follows is as it should be',
    )

    const young = channel(negotiated | flags.NATIVE_RECORDS)
    young.encoder.encode(send(record, { token }))
    t.strictSame(arrived(young, taken(young)).map(plain), [plain(send(record, { token }))])
  })
}

t.test('an atom is spelled once', async t => {
  const one = channel(everything)
  one.encoder.encode(send(atom('an_atom_to_remember')))
  const first = taken(one)
  one.encoder.encode(send(atom('an_atom_to_remember')))
  const second = taken(one)
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
  for (const signal of arrived(one, taken(one))) t.strictSame(plain(signal)['message'], atoms)
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
  t.equal(framesOf(taken(one, 0)).length, 1, 'without fragments there is one frame to go')
  const early = channel(everything)
  for (const signal of [send(Buffer.alloc(4 * fragmentSize)), send(atom('same_sender')), send(atom('other_sender'), { from: other })])
    early.encoder.encode(signal)
  const rest = taken(one)
  t.equal(one.encoder.length, 0)
  const order = [...arrived(one, taken(early, 0)), ...arrived(one, rest)].map(signal => plain(signal)['message'] ?? plain(signal)['reason'])
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
  while (one.encoder.length > 0) frames.push(...framesOf(taken(one, 1)))
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
    const signals = arrived(one, taken(one))
    t.strictSame(
      signals.map(signal => plain(signal)['message']),
      [atom('first'), [atom('new_here'), atom('last')]],
    )
  }
})

t.test('a payload is decoded when it is read, each time anew', async t => {
  const one = channel(everything)
  one.encoder.encode(send([tuple(1, 2)]))
  const [signal] = arrived(one, taken(one))
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
      const came = framesOf(Buffer.concat(encoder.take(Infinity))).flatMap(frame => again.decode(frame) ?? [])
      t.strictSame(came.map(described), signals, `OTP ${peer}, ${name}`)
    }
  }
})

t.test('however what they sent is cut', async t => {
  for (const { peer, self, node, flags, steps } of channelTranscripts()) {
    const realEnds = { self: atom(self) as Atom, peer: atom(node) as Atom }
    const fault = (error: EtfError): void => void t.fail(error)
    const frames = steps.flatMap(step => step.frames.map(hex))
    const stream = Buffer.concat(frames.map(bytes => frame(bytes, 4)))
    const read = (chunks: readonly Buffer[]): Buffer[] => {
      const reader = new FrameReader(4, maxChannelFrame)
      const read: Buffer[] = []
      for (const chunk of chunks) {
        reader.push(chunk)
        for (let bytes = reader.next(); bytes !== null; bytes = reader.next()) read.push(bytes)
      }
      return read
    }
    const ways = { joined: [stream], 'byte by byte': Array.from(stream, byte => Buffer.of(byte)) }
    for (const [how, chunks] of Object.entries(ways)) {
      const decoder = new ChannelDecoder({ ends: realEnds, flags: BigInt(`0x${flags}`), decoding: { floats: 'exact' }, fault })
      const came = read(chunks).flatMap(bytes => decoder.decode(bytes) ?? [])
      t.strictSame(came.map(described), steps.flatMap(({ signals }) => signals), `OTP ${peer}, ${how}`) // prettier-ignore
    }
    const wrong: number[] = []
    for (let at = 1; at < stream.length; at++) {
      const cut = read([stream.subarray(0, at), stream.subarray(at)])
      if (cut.length !== frames.length || !cut.every((bytes, i) => bytes.equals(frames[i] as Buffer))) wrong.push(at)
    }
    t.strictSame(wrong, [], `OTP ${peer}, cut in two at each of ${stream.length} places`)
  }
})

t.test('between the places of a node', async t => {
  const relay = (): Channel => {
    const faults: EtfError[] = []
    const options = { ends: { self, peer: self }, flags: everything, relay: true }
    return { encoder: new ChannelEncoder(options), decoder: new ChannelDecoder({ ...options, fault: error => faults.push(error) }), faults }
  }
  const record = new NativeRecord(atom('shop'), atom('item'), [[atom('price'), 5]], 1)
  const terms = [
    atom('small'),
    [true, false, null, atom('a'), atom('a')],
    [Buffer.alloc(3 * fragmentSize, 'x'), atom('large')],
    Array.from({ length: 300 }, (_, index) => atom(`atom_${index}`)),
    record,
  ]

  await t.test('a payload that came as bytes goes on as bytes, with its atoms', async t => {
    const [far, near, out] = [channel(everything), relay(), channel(everything)]
    for (const term of terms) {
      far.encoder.encode(send(term))
      const [came] = arrived(far, taken(far)) as [Signal]
      t.notOk('term' in (came as { message: object }).message, 'nobody has read it')
      near.encoder.encode(came)
      const [passed] = arrived(near, taken(near)) as [Signal]
      out.encoder.encode(passed)
      t.strictSame(arrived(out, taken(out)).map(plain), [plain(send(term))])
    }
    t.strictSame([far.faults, near.faults, out.faults], [[], [], []])
  })

  await t.test('to a peer that does not know every kind of term it is written anew', async t => {
    const near = relay()
    const old = channel(everything & ~flags.NATIVE_RECORDS)
    for (const term of terms) near.encoder.encode(send(term))
    const signals = arrived(near, taken(near))
    for (const signal of signals.slice(0, -1)) old.encoder.encode(signal)
    t.strictSame(
      arrived(old, taken(old)).map(plain),
      terms.slice(0, -1).map(term => plain(send(term))),
    )
    t.throws(() => old.encoder.encode(signals.at(-1) as Signal), { code: 'ETF_RECORD' })
  })

  await t.test('the start of a process goes in one piece, before what waits', async t => {
    const near = relay()
    const start: Signal = {
      op: 'start',
      to: ourPid,
      on: atom('pool') as Atom,
      module: atom('m') as Atom,
      fun: Atom.intern('true'),
      groupLeader: theirPid,
      watcher: theirPid,
      watch: ourRef,
      args: payload([Buffer.alloc(3 * fragmentSize)]),
    }
    for (const signal of [send(Buffer.alloc(3 * fragmentSize)), start, send(1)]) near.encoder.encode(signal)
    const [first, ...rest] = arrived(near, taken(near))
    t.strictSame(plain(first as Signal), plain(start))
    t.strictSame(rest.map(signal => signal.op), ['send', 'send']) // prettier-ignore
  })

  await t.test('a notice goes before what waits, or after all of it', async t => {
    const near = relay()
    const notice = (term: Term, last: boolean): Signal => ({ op: 'notice', to: self, message: payload(term), last })
    near.encoder.encode(send(Buffer.alloc(3 * fragmentSize)))
    near.encoder.encode(notice(1, false))
    near.encoder.encode(notice(2, true))
    near.encoder.encode(send(3))
    t.strictSame(
      arrived(near, taken(near)).map(signal => [signal.op, 'message' in signal && signal.message.read()]),
      [['notice', 1], ['send', Buffer.alloc(3 * fragmentSize)], ['notice', 2], ['send', 3]], // prettier-ignore
    )
  })
})
