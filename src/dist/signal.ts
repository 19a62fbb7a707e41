/**
 * A Signal is the one word that joins the local half of a node to the wire: a local `send` makes one, a decoded control message is
 * one, and the router looks at `to` alone. Names and rules are those of the BEAM's signals (erl_dist_protocol, "Protocol between
 * connected nodes"). A payload may still be bytes: it is decoded where the receiver lives, once.
 */
import type { Atom, Pid, Reference, Term } from '../term/index.js'

/** A term on its way: either one already, or bytes that `read` decodes. Each receiver reads once. */
export interface Payload {
  /** @throws EtfError when the bytes are no term: the fault of the peer that sent them. */
  read(): Term
}

/** A registered name on a node. */
export interface RegisteredName {
  readonly name: Atom
  readonly node: Atom
}

/** Where a message may go: a process, a process alias, or a registered name. */
export type Address = Pid | Reference | RegisteredName

/** A trace token travels with the signal it came with; it is carried, never read, by the layers below user code. */
interface Traced {
  readonly token?: Term
}

export interface SendSignal extends Traced {
  readonly op: 'send'
  /** null where the wire does not say (SEND, tag 2) */
  readonly from: Pid | null
  readonly to: Address
  readonly message: Payload
  /** OTP 28's priority messages */
  readonly priority?: boolean
  /** Of a timer, not of a process: the receiver keeps the trace token that it has. */
  readonly timer?: boolean
}

export interface LinkSignal {
  readonly op: 'link'
  readonly from: Pid
  readonly to: Pid
}

/** `id` is 1..2^64-1, chosen by the sender; the receiver answers `unlinkAck` with the same, dead or alive. */
export interface UnlinkSignal {
  readonly op: 'unlink'
  readonly id: bigint
  readonly from: Pid
  readonly to: Pid
}

export interface UnlinkAckSignal {
  readonly op: 'unlinkAck'
  readonly id: bigint
  readonly from: Pid
  readonly to: Pid
}

/** A broken link: `from` has ended with `reason`. Delivered only where the link still exists. */
export interface LinkExitSignal extends Traced {
  readonly op: 'linkExit'
  readonly from: Pid
  readonly to: Pid
  readonly reason: Payload
}

/** `exit(To, Reason)`: needs no link. */
export interface ExitSignal extends Traced {
  readonly op: 'exit'
  readonly from: Pid
  readonly to: Pid | Reference
  readonly reason: Payload
  readonly priority?: boolean
}

export interface MonitorSignal {
  readonly op: 'monitor'
  readonly from: Pid
  readonly to: Pid | RegisteredName
  readonly ref: Reference
}

export interface DemonitorSignal {
  readonly op: 'demonitor'
  readonly from: Pid
  readonly to: Pid | RegisteredName
  readonly ref: Reference
}

/** What was monitored, `from`, has ended. `from` is the name when it was monitored by name. */
export interface DownSignal {
  readonly op: 'down'
  readonly from: Pid | RegisteredName
  readonly to: Pid
  readonly ref: Reference
  readonly reason: Payload
}

export interface GroupLeaderSignal {
  readonly op: 'groupLeader'
  /** The new group leader */
  readonly from: Pid
  readonly to: Pid
}

export interface SpawnRequestSignal extends Traced {
  readonly op: 'spawnRequest'
  readonly ref: Reference
  readonly from: Pid
  /** The node that shall spawn */
  readonly to: Atom
  readonly groupLeader: Pid
  readonly module: Atom
  readonly fun: Atom
  readonly arity: number
  /** A proper list, unless the peer lied: `monitor`, `link`, `{monitor, …}`, … */
  readonly options: Term
  readonly args: Payload
}

export interface SpawnReplySignal extends Traced {
  readonly op: 'spawnReply'
  readonly ref: Reference
  readonly to: Pid
  readonly link: boolean
  readonly monitor: boolean
  /** The new process, or the reason why there is none */
  readonly result: Pid | Atom
}

/**
 * Starts a process in another place of the node. Its pid was given out where it was asked for, so that it is known there at once; whoever is
 * linked to it, or watches it, has recorded that already.
 */
export interface StartSignal extends Traced {
  readonly op: 'start'
  /** The new process */
  readonly to: Pid
  /** Where it shall run: main, pool or isolated */
  readonly on: Atom
  readonly module: Atom
  readonly fun: Atom
  readonly name?: Atom
  readonly groupLeader: Pid
  /** Who spawns it; none: the node itself */
  readonly parent?: Pid
  readonly linked?: Pid
  readonly watcher?: Pid
  /** The watcher's reference */
  readonly watch?: Reference
  readonly args: Payload
}

/** What the places of a node tell each other, beside the signals of their processes. It never leaves the node. */
export interface NoticeSignal {
  readonly op: 'notice'
  readonly to: Atom
  readonly message: Payload
  /** Not before all that was sent until now has gone out, large messages too */
  readonly last: boolean
}

export type Signal =
  | SendSignal
  | LinkSignal
  | UnlinkSignal
  | UnlinkAckSignal
  | LinkExitSignal
  | ExitSignal
  | MonitorSignal
  | DemonitorSignal
  | DownSignal
  | GroupLeaderSignal
  | SpawnRequestSignal
  | SpawnReplySignal
  | StartSignal
  | NoticeSignal

/** A payload that is a term already. The term must be of the receiver's own: copied, or frozen all through. */
export class TermPayload implements Payload {
  readonly term: Term

  constructor(term: Term) {
    this.term = term
  }

  read(): Term {
    return this.term
  }
}
