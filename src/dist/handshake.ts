/**
 * The distribution handshake, version 6, as two conversations without I/O: A dials (`initiate`), B accepts (`accept`).
 *
 *     A → B  'N' name        flags, creation, name            (or the old 'n', which B takes and A never sends)
 *     A ← B  's' status      ok | ok_simultaneous | nok | not_allowed | alive | named:…
 *     A → B  's' true|false  only after alive
 *     A ← B  'N' challenge   flags, challenge, creation, name
 *     A → B  'c' complement  high flags, creation              only after an old 'n'
 *     A → B  'r' reply       A's challenge, digest of B's
 *     A ← B  'a' ack         digest of A's
 *
 * A digest is MD5(cookie, challenge in decimal). A wrong cookie is answered by a plain close. Names travel in Latin-1.
 *
 * Each generator yields a Step: bytes to send, or a wait for the next frame, which the driver passes to `next`. It knows nothing of
 * sockets, lengths and time. Source: erl_dist_protocol, "Distribution Handshake"; lib/kernel/src/dist_util.erl.
 */
import { type Atom, atom } from '../term/index.js'
import { DistError } from './errors.js'
import { checkFlags, expandFlags, flags, mandatoryFlags } from './flags.js'
import * as message from './handshake-messages.js'
import type { AcceptStatus, LocalEnd, Peer } from './peer.js'

/** What the driver shall do next. */
export type Step =
  | { readonly do: 'send'; readonly bytes: Buffer }
  /** Pass the next frame to `next`. When the peer closes instead, that means `closed()`. `awaited` says in words what should come. */
  | { readonly do: 'receive'; readonly awaited: string; closed(): DistError }

export type Handshake = Generator<Step, Agreement, Buffer>

export interface Agreement {
  readonly peer: Peer
  /** The name and creation of this end: given by the peer when asked for with NAME_ME, else as they were. */
  readonly self: { readonly name: Atom; readonly creation: number }
}

/** What a handshake needs from the machine it runs on. */
export interface Secrets {
  /** Characters up to U+00FF, as Erlang takes them */
  readonly cookie: string
  md5(bytes: Uint8Array): Uint8Array
  /** An unpredictable integer of 32 bits, unsigned */
  challenge(): number
}

export interface InitiateOptions extends Secrets {
  readonly self: LocalEnd
  /** The node that was dialled: no other may answer. */
  readonly peer: Atom
  /** Shall the handshake go on though the peer still holds an older connection of ours? Default: yes. */
  readonly whenAlive?: (() => boolean) | undefined
  /** Told what the peer says of itself, as it comes. What this throws ends the handshake. */
  readonly learned?: ((fact: HandshakeFact) => void) | undefined
}

/** What is known of a peer before the handshake is over. */
export type HandshakeFact =
  | { readonly of: 'status'; readonly status: message.Status['is'] }
  | { readonly of: 'challenge'; readonly name: string; readonly creation: number; /** All that it has */ readonly flags: bigint }

/**
 * The side that dials.
 *
 * @throws DistError DIST_NOK: the peer keeps its own attempt to connect to us, wait for that. DIST_NOT_ALLOWED. DIST_ALIVE: `whenAlive`
 * said no. DIST_NAME_MISMATCH. DIST_FLAGS. DIST_BAD_COOKIE. DIST_HANDSHAKE_FORMAT. DIST_CLOSED. DIST_NODE_NAME and DIST_COOKIE for our own.
 */
export function* initiate(options: InitiateOptions): Handshake {
  const { self, peer } = options
  const dynamic = (self.flags & flags.NAME_ME) !== 0n
  const offered = dynamic ? self.flags & ~flags.PUBLISHED : self.flags
  yield send(message.encodeName({ flags: offered, creation: self.creation, name: self.name.name }))

  const status = message.parseStatus(yield* receive('the status', () => closedAt('the name was sent')))
  options.learned?.({ of: 'status', status: status.is })
  const identity = yield* obeyStatus(status, options, dynamic)

  const challenge = message.parseChallenge(yield* receive('the challenge', () => closedAt('the status came')))
  if (challenge.name !== peer.name) {
    throw new DistError('DIST_NAME_MISMATCH', `The node that answered calls itself ${challenge.name}, but ${peer.name} was dialled.`, {
      remedy: 'Use the name it was started with: it is what node() says there.',
    })
  }
  const theirs = expandFlags(challenge.flags)
  options.learned?.({ of: 'challenge', name: challenge.name, creation: challenge.creation, flags: theirs })
  checkFlags(peer.name, theirs)

  const own = options.challenge()
  yield send(message.encodeReply({ challenge: own, digest: digest(options, challenge.challenge) }))
  const ack = message.parseAck(
    yield* receive('the acknowledgement', () => badCookie(`The node ${peer.name} closed when it saw our digest`)),
  )
  if (!sameBytes(ack, digest(options, own))) throw badCookie(`The node ${peer.name} sent a wrong digest`)

  return { self: identity, peer: agreed(peer, challenge.creation, offered, theirs) }
}

function* obeyStatus(
  status: message.Status,
  { self, peer, whenAlive }: InitiateOptions,
  dynamic: boolean,
): Generator<Step, Agreement['self'], Buffer> {
  if (status.is === 'not_allowed') {
    throw new DistError('DIST_NOT_ALLOWED', `The node ${peer.name} does not allow ${self.name.name}.`, {
      remedy:
        'Take a name that its net_kernel:allow/1 list has, or put this one there. Its log tells of other reasons, such as missing flags.',
    })
  }
  if (dynamic !== (status.is === 'named')) {
    throw malformed('status', dynamic ? `a name was asked for, but ${status.is} came` : 'a name came that was not asked for')
  }
  switch (status.is) {
    case 'named':
      if (!status.name.endsWith(`@${self.name.name}`)) throw malformed('status', `the name ${status.name} is none of this host`)
      return { name: atom(checkNodeName(status.name)) as Atom, creation: status.creation }
    case 'nok':
      throw new DistError(
        'DIST_NOK',
        `The node ${peer.name} is dialling this node at the same time and keeps its own attempt: wait for that connection.`,
      )
    case 'alive': {
      const goOn = whenAlive?.() ?? true
      yield send(message.encodeAnswer(goOn))
      if (!goOn)
        throw new DistError('DIST_ALIVE', `The node ${peer.name} holds a connection to a node ${self.name.name} already.`, {
          remedy: 'If that is another program, take another name; if it is an older connection of this one, that one is to be used.',
        })
    }
  }
  return { name: self.name, creation: self.creation }
}

/** What a peer says of itself before it has proved anything. So its name is no Atom yet: atoms stay for ever. */
export interface Introduction {
  /** `name@host`, or the host alone when `flags` has NAME_ME */
  readonly name: string
  readonly flags: bigint
  /** Undefined in the old form, which tells it later */
  readonly creation: number | undefined
}

export interface AcceptOptions extends Omit<Secrets, 'cookie'> {
  readonly self: LocalEnd
  /** The connection table's decision, once a peer has introduced itself. */
  status(peer: Introduction): AcceptStatus
  cookieFor(peer: string): string
}

/**
 * The side that is dialled.
 *
 * @throws DistError DIST_FLAGS and DIST_NOT_ALLOWED (the peer was told not_allowed); DIST_NOK (the peer waits for our attempt); DIST_ALIVE:
 * the peer gave up; DIST_BAD_COOKIE; DIST_HANDSHAKE_FORMAT; DIST_NODE_NAME; DIST_CLOSED.
 */
export function* accept(options: AcceptOptions): Handshake {
  const { self } = options
  const name = message.parseName(yield* receive('the name', () => closedAt('it connected')))
  const dynamic = (name.flags & flags.NAME_ME) !== 0n
  const introduction: Introduction = {
    name: dynamic ? checkHost(name.name) : checkNodeName(name.name),
    flags: expandFlags(name.flags),
    creation: name.creation,
  }
  const offered = dynamic ? (self.flags & ~flags.PUBLISHED) | flags.NAME_ME : self.flags

  try {
    // The old form tells its high flags later.
    checkFlags(name.name, introduction.flags, name.creation === undefined ? mandatoryFlags[26] & 0xffffffffn : mandatoryFlags[26])
  } catch (error) {
    yield send(message.encodeStatus('not_allowed'))
    throw error
  }
  const identity = yield* sayStatus(options.status(introduction), introduction, dynamic)

  const own = options.challenge()
  yield send(message.encodeChallenge({ flags: offered, challenge: own, creation: self.creation, name: self.name.name }))

  let theirs = introduction.flags
  let creation = identity.creation
  if (creation === undefined) {
    const complement = message.parseComplement(yield* receive('the complement', () => closedAt('the challenge was sent')))
    theirs |= complement.flags
    creation = complement.creation
    checkFlags(name.name, theirs)
  }

  const secrets: Secrets = { cookie: options.cookieFor(identity.name), md5: options.md5, challenge: options.challenge }
  const reply = message.parseReply(yield* receive('the reply', () => closedAt('the challenge was sent')))
  if (!sameBytes(reply.digest, digest(secrets, own))) throw badCookie(`The node ${identity.name} sent a wrong digest`)
  yield send(message.encodeAck(digest(secrets, reply.challenge)))

  return { self: { name: self.name, creation: self.creation }, peer: agreed(atom(identity.name) as Atom, creation, offered, theirs) }
}

function* sayStatus(
  status: AcceptStatus,
  peer: Introduction,
  dynamic: boolean,
): Generator<Step, { readonly name: string; readonly creation: number | undefined }, Buffer> {
  if (typeof status === 'object') {
    yield send(message.encodeNamed({ name: status.named, creation: status.creation }))
    return { name: status.named, creation: status.creation }
  }
  const answer = dynamic && status !== 'not_allowed' ? 'not_allowed' : status
  yield send(message.encodeStatus(answer))
  switch (answer) {
    case 'not_allowed':
      throw new DistError(
        'DIST_NOT_ALLOWED',
        `The node ${peer.name} was refused: ${dynamic ? 'it asked for a name, and none was given' : 'it is not allowed here'}.`,
      )
    case 'nok':
      throw new DistError('DIST_NOK', `The node ${peer.name} dialled while this node dials it; our own attempt goes on.`)
    case 'alive': {
      const goOn = message.parseAnswer(
        yield* receive('the answer to alive', () => closedAt('it was told that an older connection is alive')),
      )
      if (!goOn) throw new DistError('DIST_ALIVE', `The node ${peer.name} gave up, for its older connection to this node is alive.`)
    }
  }
  return peer
}

const send = (bytes: Buffer): Step => ({ do: 'send', bytes })

function* receive(awaited: string, closed: () => DistError): Generator<Step, Buffer, Buffer> {
  return yield { do: 'receive', awaited, closed }
}

function agreed(name: Atom, creation: number, ours: bigint, theirs: bigint): Peer {
  const both = ours & theirs
  return { name, creation, flags: both, theirFlags: theirs, visible: (both & flags.PUBLISHED) !== 0n }
}

function digest({ cookie, md5 }: Secrets, challenge: number): Uint8Array {
  return md5(Buffer.concat([message.latin1(cookie, 'DIST_COOKIE', 'A cookie'), Buffer.from(String(challenge))]))
}

/** In a time that tells nothing about where they differ. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] ?? 0)
  return difference === 0
}

function checkNodeName(name: string): string {
  if (!/^[^@]+@[^@]+$/.test(name)) throw badName(name, 'must have exactly one @, with a name before and a host after it')
  return shortEnough(name)
}

function checkHost(name: string): string {
  if (name === '' || name.includes('@')) throw badName(name, 'must be a host alone, for it asks for a name')
  return shortEnough(name)
}

function shortEnough(name: string): string {
  if (name.length > 255) throw badName(name, 'has more than 255 characters')
  return name
}

const badName = (name: string, rule: string): DistError =>
  new DistError('DIST_NODE_NAME', `The peer calls itself ${JSON.stringify(name)}, which ${rule}.`)

const malformed = message.malformed

const closedAt = (when: string): DistError =>
  new DistError('DIST_CLOSED', `The peer closed the connection after ${when}.`, {
    remedy:
      'Its log says why, if it is a node that ends or starts just now. Others that do so are port mappers and proxies with nobody behind them.',
  })

const badCookie = (what: string): DistError =>
  new DistError('DIST_BAD_COOKIE', `${what}: the cookies differ.`, {
    remedy: 'Give both nodes the same one (option cookie, or ~/.erlang.cookie).',
  })
