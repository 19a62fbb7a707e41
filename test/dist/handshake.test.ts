import { createHash } from 'node:crypto'
import t from 'tap'
import type { DistError } from '../../src/dist/errors.js'
import { flags, offeredFlags } from '../../src/dist/flags.js'
import { frame, FrameReader, maxHandshakeFrame } from '../../src/dist/frames.js'
import { accept, type Agreement, type Handshake, initiate, type Step } from '../../src/dist/handshake.js'
import * as message from '../../src/dist/handshake-messages.js'
import type { AcceptStatus, LocalEnd } from '../../src/dist/peer.js'
import { type Atom, atom, atomCount, type NodeError } from '../../src/term/index.js'
import { recorded, startOurs, type Transcript, transcripts } from './handshake-transcript.js'

// ── real handshakes, replayed ────────────────────────────────────────────────

type Cut = (frames: readonly Buffer[]) => Buffer[]

/** What the peer sends, cut into chunks. */
const cuts: Record<string, Cut> = {
  'frame by frame': frames => [...frames],
  'byte by byte': frames => frames.flatMap(bytes => Array.from(bytes, byte => Buffer.from([byte]))),
  joined: frames => [Buffer.concat(frames)],
}

const theirsOf = ({ says }: Pick<Transcript, 'says'>): Buffer[] =>
  says.filter(([who, bytes]) => who === 'peer' && bytes !== 'closes').map(([, bytes]) => Buffer.from(bytes, 'hex'))

/** All that the peer sends, and the tick that follows */
const framesOf = (transcript: Transcript): Buffer[] => [...theirsOf(transcript).map(bytes => frame(bytes, 2)), Buffer.alloc(4)]

/** Plays our half against what the peer said, and gives what we said and what came of it. */
function replay(transcript: Transcript, cut: Cut): { said: string[]; result: Transcript['result']; left: Buffer } {
  const theirs = theirsOf(transcript)
  const chunks = cut(framesOf(transcript))
  const reader = new FrameReader(2, maxHandshakeFrame)
  const said: string[] = []
  const handshake = startOurs(transcript.ours)
  const nextFrame = (): Buffer | null => {
    for (;;) {
      const bytes = reader.next()
      if (bytes !== null) return bytes
      const chunk = chunks.shift()
      if (chunk === undefined) return null
      reader.push(chunk)
    }
  }
  let heard = 0
  const result = ((): Transcript['result'] => {
    try {
      let step = handshake.next(Buffer.alloc(0))
      while (!step.done) {
        if (step.value.do === 'send') {
          said.push(step.value.bytes.toString('hex'))
          step = handshake.next(Buffer.alloc(0))
        } else if (heard++ === theirs.length) {
          return step.value.closed().code
        } else {
          step = handshake.next(nextFrame() as Buffer)
        }
      }
      return recorded(step.value)
    } catch (error) {
      return (error as NodeError).code
    }
  })()
  reader.become(4, 1024)
  return { said, result, left: nextFrame() ?? Buffer.from('nothing') }
}

t.test('real handshakes are replayed', async t => {
  for (const transcript of transcripts()) {
    const said = transcript.says.filter(([who]) => who === 'we').map(([, bytes]) => bytes)
    for (const [how, cut] of Object.entries(cuts)) {
      const again = replay(transcript, cut)
      t.strictSame(again.said, said, `${transcript.name}, ${how}: we say the same`)
      t.strictSame(again.result, transcript.result, `${transcript.name}, ${how}: and agree on the same`)
      if (typeof transcript.result !== 'string') t.equal(again.left.length, 0, `${transcript.name}, ${how}: the tick that follows is kept`)
    }
  }
})

t.test('wherever they are cut in two', async t => {
  for (const transcript of transcripts()) {
    const said = transcript.says.filter(([who]) => who === 'we').map(([, bytes]) => bytes)
    const length = cuts['byte by byte']!(framesOf(transcript)).length
    const wrong: number[] = []
    for (let at = 1; at < length; at++) {
      const again = replay(transcript, frames => {
        const all = Buffer.concat(frames)
        return [all.subarray(0, at), all.subarray(at)]
      })
      const same = JSON.stringify([again.said, again.result]) === JSON.stringify([said, transcript.result])
      if (!same || (typeof transcript.result !== 'string' && again.left.length > 0)) wrong.push(at)
    }
    t.strictSame(wrong, [], `${transcript.name}: ${length} places`)
  }
})

t.test('a transcript that is damaged is noticed', async t => {
  for (const transcript of transcripts().filter(({ result }) => typeof result !== 'string')) {
    const { says, result } = transcript
    const last = says.findLastIndex(([who]) => who === 'peer')
    const shorter = says.map(([who, bytes], i) => [who, i === last ? bytes.slice(0, -2) : bytes] as const)
    const again = replay({ ...transcript, says: shorter }, frames => [...frames])
    t.not(JSON.stringify(again.result), JSON.stringify(result), `${transcript.name}, without the last byte`)
  }
})

t.test('the transcripts hold every status, from every release', async t => {
  const text = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1')
  for (const release of [25, 27, 29]) {
    for (const side of ['initiate', 'accept'] as const) {
      const statuses = transcripts()
        .filter(({ peer, ours }) => peer === release && ours.side === side)
        .map(({ says }) => text(says[1]?.[1] ?? '').replace(/:[^]*/, ':'))
      t.strictSame(
        new Set(statuses),
        new Set(['sok', 'sok_simultaneous', 'snok', 'snot_allowed', 'salive', 'snamed:']),
        `OTP ${release} ${side === 'initiate' ? 'said' : 'heard'} each`,
      )
    }
  }
})

// ── both of our halves, against each other ───────────────────────────────────

const md5 = (bytes: Uint8Array): Uint8Array => createHash('md5').update(bytes).digest()
const name = (text: string): Atom => atom(text) as Atom
const alice: LocalEnd = { name: name('alice@h'), creation: 11, flags: offeredFlags({ visible: true }) }
const bob: LocalEnd = { name: name('bob@h'), creation: 12, flags: offeredFlags({ visible: true }) }

interface Both {
  readonly dialled: Agreement | string | undefined
  readonly accepted: Agreement | string | undefined
}

class End {
  readonly handshake: Handshake
  readonly inbox: Buffer[] = []
  step: IteratorResult<Step, Agreement> | null = null
  result: Agreement | string | undefined

  constructor(handshake: Handshake) {
    this.handshake = handshake
  }
}

/** Runs two halves until both are done. `meddle` may change what is on its way. */
function run(a: Handshake, b: Handshake, meddle: (bytes: Buffer) => Buffer = bytes => bytes): Both {
  const ends: readonly [End, End] = [new End(a), new End(b)]
  const advance = (end: End, other: End): boolean => {
    if (end.result !== undefined) return false
    try {
      end.step ??= end.handshake.next(Buffer.alloc(0))
      if (end.step.done) end.result = end.step.value
      else if (end.step.value.do === 'send') {
        other.inbox.push(meddle(end.step.value.bytes))
        end.step = end.handshake.next(Buffer.alloc(0))
      } else {
        const bytes = end.inbox.shift()
        if (bytes !== undefined) end.step = end.handshake.next(bytes)
        else if (typeof other.result === 'string') end.result = end.step.value.closed().code
        else return false
      }
    } catch (error) {
      end.result = (error as NodeError).code
    }
    return true
  }
  for (let moved = true; moved;) moved = [advance(ends[0], ends[1]), advance(ends[1], ends[0])].includes(true)
  return { dialled: ends[0].result, accepted: ends[1].result }
}

const dials = (over: Partial<Parameters<typeof initiate>[0]> = {}): Handshake =>
  initiate({ self: alice, peer: bob.name, cookie: 'c', md5, challenge: () => 4_294_967_295, ...over })
const accepts = (status: AcceptStatus = 'ok', over: Partial<Parameters<typeof accept>[0]> = {}): Handshake =>
  accept({ self: bob, cookieFor: () => 'c', status: () => status, md5, challenge: () => 0, ...over })

t.test('two of us agree', async t => {
  const { dialled, accepted } = run(dials(), accepts())
  t.match(dialled, { peer: { name: bob.name, creation: 12, visible: true }, self: { name: alice.name, creation: 11 } })
  t.match(accepted, { peer: { name: alice.name, creation: 11, visible: true }, self: { name: bob.name, creation: 12 } })
  t.equal((dialled as Agreement).peer.flags, alice.flags)
})

t.test('the connection is visible when both say so', async t => {
  const shy = { ...alice, flags: offeredFlags({ visible: false }) }
  const { dialled, accepted } = run(dials({ self: shy }), accepts())
  t.match(dialled, { peer: { visible: false } })
  t.match(accepted, { peer: { visible: false } })
})

t.test('each status has its outcome on both sides', async t => {
  t.strictSame(run(dials(), accepts('nok')), { dialled: 'DIST_NOK', accepted: 'DIST_NOK' })
  t.strictSame(run(dials(), accepts('not_allowed')), { dialled: 'DIST_NOT_ALLOWED', accepted: 'DIST_NOT_ALLOWED' })
  t.strictSame(run(dials({ whenAlive: () => false }), accepts('alive')), { dialled: 'DIST_ALIVE', accepted: 'DIST_ALIVE' })
  t.match(run(dials(), accepts('alive')), { dialled: { peer: { name: bob.name } }, accepted: { peer: { name: alice.name } } })
  t.match(run(dials(), accepts('ok_simultaneous')), { dialled: { peer: { name: bob.name } }, accepted: { peer: { name: alice.name } } })
})

t.test('a node without a name is given one', async t => {
  const nameless = { name: name('h'), creation: 0, flags: offeredFlags({ visible: true }) | flags.NAME_ME }
  const given = { named: 'guest@h', creation: 99 }
  const { dialled, accepted } = run(dials({ self: nameless }), accepts(given))
  t.match(dialled, { self: { name: name(given.named), creation: 99 }, peer: { visible: false } })
  t.match(accepted, { peer: { name: name(given.named), creation: 99, visible: false } })
  t.strictSame(run(dials({ self: nameless }), accepts('ok')), { dialled: 'DIST_NOT_ALLOWED', accepted: 'DIST_NOT_ALLOWED' }, 'or refused')
  t.match(run(dials(), accepts(given)), { dialled: 'DIST_HANDSHAKE_FORMAT' }, 'nobody else is')
  const foreign = { named: 'guest@elsewhere', creation: 99 }
  t.match(run(dials({ self: nameless }), accepts(foreign)), { dialled: 'DIST_HANDSHAKE_FORMAT' }, 'and its host is its own')
})

t.test('the acceptor hears of the peer before it decides, and asks for that peer’s cookie', async t => {
  const asked: unknown[] = []
  const bobs = accepts('ok', {
    status: peer => (asked.push(peer), 'ok'),
    cookieFor: peer => (asked.push(peer), 'c'),
  })
  run(dials(), bobs)
  t.strictSame(asked, [{ name: 'alice@h', flags: alice.flags, creation: 11 }, 'alice@h'])
})

t.test('a wrong cookie ends the handshake on both sides, and the sentence says so', async t => {
  t.strictSame(run(dials({ cookie: 'wrong' }), accepts()), { dialled: 'DIST_BAD_COOKIE', accepted: 'DIST_BAD_COOKIE' })
  const handshake = dials()
  handshake.next(Buffer.alloc(0))
  handshake.next(Buffer.alloc(0))
  handshake.next(message.encodeStatus('ok'))
  handshake.next(message.encodeChallenge({ flags: bob.flags, challenge: 0, creation: 12, name: 'bob@h' }))
  const waits = handshake.next(Buffer.alloc(0))
  t.match((waits.value as Extract<Step, { do: 'receive' }>).closed().message, /cookies differ/)
  t.throws(() => handshake.next(message.encodeAck(Buffer.alloc(16))), { code: 'DIST_BAD_COOKIE' }, 'a wrong digest is no better')
})

t.test('a digest that differs in one bit is refused', async t => {
  for (let bit = 0; bit < 128; bit += 9) {
    const meddle = (bytes: Buffer): Buffer => {
      if (bytes[0] !== 'r'.charCodeAt(0)) return bytes
      const changed = Buffer.from(bytes)
      const at = 5 + (bit >> 3)
      changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7))
      return changed
    }
    t.strictSame(run(dials(), accepts(), meddle).accepted, 'DIST_BAD_COOKIE', `bit ${bit}`)
  }
})

t.test('another node than the one that was dialled is refused by name', async t => {
  const { dialled } = run(dials({ peer: name('carol@h') }), accepts())
  t.equal(dialled, 'DIST_NAME_MISMATCH')
})

t.test('missing flags are named', async t => {
  const poor = { ...alice, flags: alice.flags & ~flags.MANDATORY_25_DIGEST & ~flags.V4_NC & ~flags.MAP_TAG }
  t.strictSame(run(dials({ self: poor }), accepts()), { dialled: 'DIST_NOT_ALLOWED', accepted: 'DIST_FLAGS' })
  const poorBob = { ...bob, flags: poor.flags }
  t.equal(run(dials(), accepts('ok', { self: poorBob })).dialled, 'DIST_FLAGS')
  const handshake = accepts()
  handshake.next(Buffer.alloc(0))
  handshake.next(message.encodeName({ flags: poor.flags, creation: 1, name: 'poor@h' }))
  t.throws(() => handshake.next(Buffer.alloc(0)), /lacks .*: MAP_TAG, V4_NC\./)
})

t.test('names travel in Latin-1, and no others travel', async t => {
  const umlaut = { ...alice, name: name('jörg@h') }
  t.match(run(dials({ self: umlaut }), accepts()).accepted, { peer: { name: umlaut.name } })
  t.equal(
    message
      .encodeName({ ...umlaut, name: 'jörg@h' })
      .toString('latin1')
      .slice(15),
    'jörg@h',
  )
  t.throws(() => dials({ self: { ...alice, name: name('λ@h') } }).next(Buffer.alloc(0)), { code: 'DIST_NODE_NAME' })
  t.equal(run(dials({ cookie: 'λ' }), accepts()).dialled, 'DIST_COOKIE')
})

// ── hostile peers ────────────────────────────────────────────────────────────

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const nameFrame = (text: string): Buffer => message.encodeName({ flags: alice.flags, creation: 1, name: text })

t.test('malformed frames from one who dials', async t => {
  const table: [string, string, ...Buffer[]][] = [
    ['no frame at all', 'DIST_HANDSHAKE_FORMAT', hex('')],
    ['another letter', 'DIST_HANDSHAKE_FORMAT', Buffer.from('GET / HTTP/1.1')],
    ['a name that ends early', 'DIST_HANDSHAKE_FORMAT', nameFrame('alice@h').subarray(0, 14)],
    ['a name shorter than it says', 'DIST_HANDSHAKE_FORMAT', nameFrame('alice@h').subarray(0, 20)],
    ['an old name that ends early', 'DIST_HANDSHAKE_FORMAT', hex('6e 0005 0000')],
    ['a name without @', 'DIST_NODE_NAME', nameFrame('alice')],
    ['a name with two', 'DIST_NODE_NAME', nameFrame('a@b@c')],
    ['a name without a host', 'DIST_NODE_NAME', nameFrame('alice@')],
    ['a name without a name', 'DIST_NODE_NAME', nameFrame('@h')],
    ['a name of 256 characters', 'DIST_NODE_NAME', nameFrame(`${'a'.repeat(254)}@h`)],
    ['a reply of another kind', 'DIST_HANDSHAKE_FORMAT', nameFrame('alice@h'), message.encodeAck(Buffer.alloc(16))],
    ['a reply that ends early', 'DIST_HANDSHAKE_FORMAT', nameFrame('alice@h'), hex('72 00000000 00')],
  ]
  for (const [what, code, ...frames] of table) {
    const handshake = accepts()
    t.throws(() => feed(handshake, frames), { code }, what)
  }
})

t.test('malformed frames from one who was dialled', async t => {
  const ok = message.encodeStatus('ok')
  const challenge = message.encodeChallenge({ flags: bob.flags, challenge: 1, creation: 1, name: 'bob@h' })
  const table: [string, string, ...Buffer[]][] = [
    ['no status at all', 'DIST_HANDSHAKE_FORMAT', hex('')],
    ['a status that does not exist', 'DIST_HANDSHAKE_FORMAT', Buffer.from('smaybe')],
    ['named: that ends early', 'DIST_HANDSHAKE_FORMAT', Buffer.from('snamed:')],
    ['named: shorter than it says', 'DIST_HANDSHAKE_FORMAT', Buffer.concat([Buffer.from('snamed:'), hex('0009'), Buffer.from('a@b')])],
    ['a challenge of another kind', 'DIST_HANDSHAKE_FORMAT', ok, ok],
    ['a challenge that ends early', 'DIST_HANDSHAKE_FORMAT', ok, challenge.subarray(0, 18)],
    ['a name shorter than it says', 'DIST_HANDSHAKE_FORMAT', ok, challenge.subarray(0, 20)],
    ['an acknowledgement that ends early', 'DIST_HANDSHAKE_FORMAT', ok, challenge, hex('61 00')],
  ]
  for (const [what, code, ...frames] of table) {
    const handshake = dials()
    t.throws(() => feed(handshake, frames), { code }, what)
  }
})

t.test('bytes after a known form are ignored', async t => {
  const meddle = (bytes: Buffer): Buffer => (bytes[0] === 'N'.charCodeAt(0) ? Buffer.concat([bytes, hex('0102')]) : bytes)
  t.match(run(dials(), accepts(), meddle), { dialled: { peer: { name: bob.name } }, accepted: { peer: { name: alice.name } } })
})

t.test('an answer to alive that is neither true nor false', async t => {
  const handshake = accepts('alive')
  t.throws(() => feed(handshake, [nameFrame('alice@h'), Buffer.from('sperhaps')]), { code: 'DIST_HANDSHAKE_FORMAT' })
})

t.test('a peer that proves nothing leaves no atom behind', async t => {
  const before = atomCount()
  for (let i = 0; i < 100; i++) {
    const frames = [nameFrame(`nobody${i}@nowhere`), message.encodeReply({ challenge: 1, digest: Buffer.alloc(16) })]
    t.throws(() => feed(accepts(), frames), { code: 'DIST_BAD_COOKIE' })
  }
  t.equal(atomCount(), before)
})

t.test('a close means something at each step', async t => {
  const codes: string[] = []
  const handshake = accepts()
  let step = handshake.next(Buffer.alloc(0))
  const frames = [nameFrame('alice@h'), message.encodeReply({ challenge: 1, digest: md5(Buffer.from('c0')) as Buffer })]
  while (!step.done) {
    if (step.value.do === 'send') {
      step = handshake.next(Buffer.alloc(0))
      continue
    }
    const error: DistError = step.value.closed()
    t.ok(step.value.awaited.startsWith('the '), step.value.awaited)
    codes.push(error.code)
    step = handshake.next(frames.shift() as Buffer)
  }
  t.strictSame(codes, ['DIST_CLOSED', 'DIST_CLOSED'])
})

/** Gives a handshake these frames, one after the other. */
function feed(handshake: Handshake, frames: readonly Buffer[]): void {
  let step = handshake.next(Buffer.alloc(0))
  const rest = [...frames]
  while (!step.done) {
    if (step.value.do === 'send') step = handshake.next(Buffer.alloc(0))
    else if (rest.length === 0) return
    else step = handshake.next(rest.shift() as Buffer)
  }
}
