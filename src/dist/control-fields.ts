/**
 * The elements of control messages. Each says what it must be, how it goes into a Signal and how it comes out of one.
 * control.ts puts them together.
 *
 * What OTP checks is checked here: see erts_net_message in erts/emulator/beam/dist.c.
 */
import { Atom, Pid, Reference, type Term, Tuple } from '../term/index.js'
import type { Payload, RegisteredName, Signal } from './signal.js'
import { TermPayload } from './signal.js'

/** The two nodes of a connection, as their pids name them. */
export interface Ends {
  readonly self: Atom
  readonly peer: Atom
}

/** A Signal while its fields are being read. */
export type Draft = { -readonly [K in SignalKey]?: unknown }
type SignalKey = Signal extends infer S ? (S extends Signal ? keyof S : never) : never

export interface Field {
  /** Completes "the element must …" */
  readonly must: string
  /** Puts the element into the draft; false when it is not what it must be. */
  read(element: Term, draft: Draft, ends: Ends): boolean
  /** Takes the element out of a signal. */
  write(signal: Readonly<Draft>, ends: Ends): Term
}

/** Atoms whose JavaScript value is no Atom are names all the same: a process may be registered as `true`. */
export function atomIn(term: Term): Atom | undefined {
  if (term instanceof Atom) return term
  if (typeof term === 'boolean') return Atom.intern(String(term))
  return term === null ? Atom.intern('nil') : undefined
}

function field<T extends Term>(key: SignalKey, must: string, isIt: (element: Term, ends: Ends) => element is T): Field {
  return {
    must,
    read(element, draft, ends) {
      if (!isIt(element, ends)) return false
      draft[key] = element
      return true
    },
    write: signal => signal[key] as T,
  }
}

const isPid = (term: Term): term is Pid => term instanceof Pid
const isReference = (term: Term): term is Reference => term instanceof Reference
const isPeerPid = (term: Term, { peer }: Ends): term is Pid => term instanceof Pid && term.node === peer
const isOwnPid = (term: Term, { self }: Ends): term is Pid => term instanceof Pid && term.node === self
const isToken = (term: Term): term is Tuple | [] => term instanceof Tuple || (Array.isArray(term) && term.length === 0)

/** A sender, from whichever node. */
export const from = field('from', 'be a pid', isPid)
/** One end of a link or monitor: OTP closes the connection when it lives on a third node. */
export const peerFrom = field('from', 'be a pid of the node that sent it', isPeerPid)
/** The other end. */
export const ownTo = field('to', 'be a pid of the node that received it', isOwnPid)
export const to = field('to', 'be a pid', isPid)
export const toAlias = field('to', 'be a reference', isReference)
export const ref = field('ref', 'be a reference', isReference)
export const groupLeader = field('groupLeader', 'be a pid', isPid)
export const options = field('options', 'be a term', (term): term is Term => term !== undefined)
/** A node crashes on a token of another kind. */
export const token = field('token', 'be a tuple or []', isToken)

/** The cookie of old days, written as ''. OTP has not looked at it since R9. In SEND it stands where the sender is not told. */
export const unused: Field = {
  must: 'be a term',
  read: () => true,
  write: () => Atom.intern(''),
}

export const noSender: Field = {
  must: 'be a term',
  read(_element, draft) {
    draft.from = null
    return true
  },
  write: () => Atom.intern(''),
}

export const toName: Field = {
  must: 'be an atom',
  read(element, draft, { self }) {
    const name = atomIn(element)
    if (name === undefined) return false
    draft.to = { name, node: self } satisfies RegisteredName
    return true
  },
  write: signal => (signal.to as RegisteredName).name,
}

/** A monitored process, by pid or by name. */
export const toPidOrName: Field = {
  must: 'be a pid of the node that received it, or an atom',
  read: (element, draft, ends) => ownTo.read(element, draft, ends) || toName.read(element, draft, ends),
  write: ({ to }) => (to instanceof Pid ? to : (to as RegisteredName).name),
}

/** What was monitored and has ended; by name, the name is the peer's. */
export const fromPidOrName: Field = {
  must: 'be a pid of the node that sent it, or an atom',
  read(element, draft, ends) {
    const name = atomIn(element)
    if (name === undefined) return peerFrom.read(element, draft, ends)
    draft.from = { name, node: ends.peer } satisfies RegisteredName
    return true
  },
  write: ({ from }) => (from instanceof Pid ? from : (from as RegisteredName).name),
}

/** A reason that stands in the control message, as before EXIT_PAYLOAD. */
export const reason: Field = {
  must: 'be a term',
  read(element, draft) {
    draft.reason = new TermPayload(element)
    return true
  },
  write: signal => (signal.reason as Payload).read(),
}

const largestId = (1n << 64n) - 1n

export const unlinkId: Field = {
  must: 'be an integer from 1 to 2^64-1',
  read(element, draft) {
    if (typeof element !== 'bigint' && !Number.isInteger(element)) return false
    const id = BigInt(element as number | bigint)
    draft.id = id
    return id >= 1n && id <= largestId
  },
  write: signal => signal.id as bigint,
}

export const moduleFunArity: Field = {
  must: 'be {Module, Function, Arity}',
  read(element, draft) {
    if (!(element instanceof Tuple) || element.length !== 3) return false
    const [module, fun, arity] = element.elements as readonly Term[]
    draft.module = atomIn(module as Term)
    draft.fun = atomIn(fun as Term)
    draft.arity = arity
    return draft.module !== undefined && draft.fun !== undefined && isSmall(arity as Term)
  },
  write: ({ module, fun, arity }) => new Tuple([module, fun, arity]),
}

const spawnFlag = { link: 1, monitor: 2 } as const

export const spawnFlags: Field = {
  must: 'be an integer from 0 to 2^27-1',
  read(element, draft) {
    if (!isSmall(element) || element >= 2 ** 27) return false
    draft.link = (element & spawnFlag.link) !== 0
    draft.monitor = (element & spawnFlag.monitor) !== 0
    return true
  },
  write: ({ link, monitor }) => (link ? spawnFlag.link : 0) | (monitor ? spawnFlag.monitor : 0),
}

export const pidOrError: Field = {
  must: 'be a pid of the node that sent it, or an atom',
  read(element, draft, ends) {
    draft.result = isPeerPid(element, ends) ? element : atomIn(element)
    return draft.result !== undefined
  },
  write: signal => signal.result as Pid | Atom,
}

/** What OTP calls a small: 0 .. 2^59-1, here as far as a number is exact. */
export const isSmall = (term: Term | undefined): term is number => typeof term === 'number' && Number.isSafeInteger(term) && term >= 0
