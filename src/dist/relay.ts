/**
 * Signals between the places of one node. Frames, headers, atom cache, fragments and payloads are those between nodes; control messages are our
 * own, for between places a signal may have any node at either end, and a name of any node:
 *
 *     {Op, Field…}      Op: the number of the signal's kind; an address is a pid, a reference or {Name, Node}; '' stands for what is absent
 *
 * A payload that came over a connection goes on as the bytes that it came in: it is decoded once, where its receiver lives.
 */
import { Atom, atom, Pid, Reference, type Term, Tuple, tuple } from '../term/index.js'
import type { Control } from './control.js'
import type { Outgoing } from './control-encode.js'
import { atomIn, type Draft } from './control-fields.js'
import type { PayloadKey } from './control-row.js'
import { DistError } from './errors.js'
import type { Payload, RegisteredName, Signal } from './signal.js'

type Op = Signal['op']
type Key = keyof Draft

/** An element: how it is written, and what it is read as. */
interface Element {
  write(value: unknown): Term
  /** False: it is no such element. */
  is(value: unknown): boolean
  read?(term: Term): unknown
}

const absent = atom('')

const asIs = (is: (value: unknown) => boolean): Element => ({ write: value => value as Term, is })

const optional = ({ write, is, read }: Element): Element => ({
  write: value => (value === undefined ? absent : write(value)),
  is: value => value === undefined || is(value),
  read: term => (term === absent ? undefined : read ? read(term) : term),
})

const isNamed = (value: unknown): value is RegisteredName =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  value.name instanceof Atom &&
  'node' in value &&
  value.node instanceof Atom

const address: Element = {
  write: value => (isNamed(value) ? tuple(value.name, value.node) : (value as Term)),
  is: value => value instanceof Pid || value instanceof Reference || value instanceof Atom || value === null || isNamed(value),
  read(term) {
    if (!(term instanceof Tuple) || term.length !== 2) return term
    const [name, node] = term.elements as readonly Term[]
    return { name: atomIn(name as Term), node }
  },
}

const pid = asIs(value => value instanceof Pid)
const reference = asIs(value => value instanceof Reference)
const name: Element = { write: value => value as Term, is: value => value instanceof Atom, read: term => atomIn(term) ?? term }
const boolean = asIs(value => typeof value === 'boolean')
const count = asIs(value => Number.isSafeInteger(value))
const term = asIs(value => value !== undefined)
const id: Element = { write: value => value as bigint, is: value => typeof value === 'bigint', read: value => toBigInt(value) }

const toBigInt = (value: Term): unknown => (Number.isSafeInteger(value) ? BigInt(value as number) : value)

const elements: { readonly [K in Key]?: Element } = {
  from: address,
  to: address,
  ref: reference,
  groupLeader: pid,
  id,
  module: name,
  fun: name,
  arity: count,
  options: term,
  link: boolean,
  monitor: boolean,
  result: asIs(value => value instanceof Pid || value instanceof Atom),
  token: optional(term),
  priority: optional(boolean),
  timer: optional(boolean),
  last: boolean,
  on: name,
  name: optional(name),
  parent: optional(pid),
  linked: optional(pid),
  watcher: optional(pid),
  watch: optional(reference),
}

interface Row {
  readonly op: Op
  readonly keys: readonly Key[]
  readonly payload: PayloadKey | null
}

const row = (op: Op, keys: readonly Key[], payload: PayloadKey | null = null): Row => ({ op, keys, payload })

/** The number of a kind is its place here. */
const rows: readonly Row[] = [
  row('send', ['from', 'to', 'priority', 'timer', 'token'], 'message'),
  row('link', ['from', 'to']),
  row('unlink', ['id', 'from', 'to']),
  row('unlinkAck', ['id', 'from', 'to']),
  row('linkExit', ['from', 'to', 'token'], 'reason'),
  row('exit', ['from', 'to', 'priority', 'token'], 'reason'),
  row('monitor', ['from', 'to', 'ref']),
  row('demonitor', ['from', 'to', 'ref']),
  row('down', ['from', 'to', 'ref'], 'reason'),
  row('groupLeader', ['from', 'to']),
  row('spawnRequest', ['ref', 'from', 'to', 'groupLeader', 'module', 'fun', 'arity', 'options', 'token'], 'args'),
  row('spawnReply', ['ref', 'to', 'link', 'monitor', 'result', 'token']),
  row('start', ['to', 'on', 'module', 'fun', 'name', 'groupLeader', 'parent', 'linked', 'watcher', 'watch', 'token'], 'args'),
  row('notice', ['to', 'last'], 'message'),
]

const codes = new Map(rows.map(({ op }, code) => [op, code]))

/** The control message of a signal to another place. */
export function encodeRelay(signal: Signal): Outgoing {
  const code = codes.get(signal.op) as number
  const { keys, payload } = rows[code] as Row
  const draft: Readonly<Draft> = signal
  const values = keys.map(key => (elements[key] as Element).write(draft[key]))
  return { control: new Tuple([code, ...values]), payload: payload === null ? null : (draft[payload] as Payload) }
}

/** @throws DistError DIST_PROTOCOL_CONTROL: the other place sent what no place sends. */
export function decodeRelay(control: Term): Control {
  const [code, ...values]: readonly Term[] = control instanceof Tuple ? control.elements : []
  const found = typeof code === 'number' ? rows[code] : undefined
  if (!found || values.length !== found.keys.length) throw new DistError('DIST_PROTOCOL_CONTROL', 'A place sent a signal of no known kind.')
  const signal: Draft = { op: found.op }
  for (const [index, key] of found.keys.entries()) {
    const element = elements[key] as Element
    const value = element.read ? element.read(values[index] as Term) : values[index]
    if (!element.is(value)) throw new DistError('DIST_PROTOCOL_CONTROL', `A place sent ${found.op} with a wrong element '${key}'.`)
    if (value !== undefined) signal[key] = value
  }
  return { name: found.op, signal, payload: found.payload }
}
