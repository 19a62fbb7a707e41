import { readFileSync } from 'node:fs'
import t from 'tap'
import { ALTACT_SIG_SEND, altactFlag } from '../../src/dist/altact.js'
import * as fields from '../../src/dist/control-fields.js'
import { abilitiesOf } from '../../src/dist/abilities.js'
import { encodeControl } from '../../src/dist/control-encode.js'
import { type ControlName, controlMessages, decodeControl, UNLINK } from '../../src/dist/control.js'
import { type FlagName, flags, mandatoryFlags, offeredFlags } from '../../src/dist/flags.js'
import type { Signal } from '../../src/dist/signal.js'
import { type Atom, atom, type Term, Tuple, tuple } from '../../src/term/index.js'
import { samplesOf } from './control-samples.js'
import {
  ends,
  otherEnds,
  ourName,
  ourPid,
  ourRef,
  payload,
  plain,
  self,
  signalsFromPeer,
  theirPid,
  theirRef,
  thirdPid,
  token,
} from './signals.js'

interface SpecRow {
  readonly code: number
  readonly name: ControlName
  readonly signal: string | null
  readonly fields: readonly string[]
  readonly payload: string | null
  readonly flag: FlagName | null
}

const spec = JSON.parse(readFileSync(new URL('../../spec/control-messages.json', import.meta.url), 'utf8')) as {
  readonly fields: Record<string, string>
  readonly messages: readonly SpecRow[]
}
const specRows = spec.messages.filter(({ code }) => code !== UNLINK && code !== ALTACT_SIG_SEND)
const everything = offeredFlags({ visible: true })

// ── the table ────────────────────────────────────────────────────────────────

t.test('spec/control-messages.json and the code are the same table', async t => {
  const fieldName = new Map(Object.entries(fields).map(([name, field]) => [field, name]))
  const code = Object.entries(controlMessages).map(([name, row]) => ({
    code: row.code,
    name,
    signal: row.op,
    fields: row.fields.map(field => fieldName.get(field)),
    payload: row.payload,
  }))
  t.strictSame(
    code,
    specRows.map(({ code, name, signal, fields, payload }) => ({ code, name, signal, fields, payload })),
  )
  for (const { name, fields } of specRows)
    t.ok(
      fields.every(field => field in spec.fields),
      `the fields of ${name} are explained`,
    )
  for (const { name, flag } of specRows) t.ok(flag === null || flag in flags, `${name}: ${flag ?? 'no flag'}`)
})

t.test('the numbers are those of OTP, none twice', async t => {
  const numbers = spec.messages.map(({ code }) => code)
  t.equal(new Set(numbers).size, numbers.length)
  t.strictSame(numbers, [1, 2, 3, 4, 6, 7, 8, 12, 13, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37])
})

// ── there and back ───────────────────────────────────────────────────────────

/** What `self` makes of a signal that `peer` sends, the payload left as it is. */
function throughControl(signal: Signal, negotiated: bigint): Record<string, unknown> | null {
  const outgoing = encodeControl(signal, abilitiesOf(negotiated), otherEnds)
  if (outgoing === null) return null
  const control = decodeControl(outgoing.control, ends)
  t.equal(control.payload !== null, outgoing.payload !== null, 'both sides agree whether a payload follows')
  const { payload: key, signal: draft } = control
  return plain({ ...draft, ...(key && { [key]: outgoing.payload }), ...(draft.op === 'spawnRequest' && { to: self }) } as Signal)
}

t.test('each signal survives the way through its control message', async t => {
  for (const signal of signalsFromPeer) t.strictSame(throughControl(signal, everything), plain(signal), describe(signal))
})

t.test('each signal survives it towards a peer of the least flags, or is not sent', async t => {
  const least = mandatoryFlags[26] | flags.BIG_SEQTRACE_LABELS
  for (const signal of signalsFromPeer) {
    const { priority: _lost, ...expected } = plain(signal)
    if (signal.op === 'send' && signal.to !== ourName && signal.to !== ourRef && signal.from !== null) expected['from'] = null
    const needs = ['monitor', 'demonitor', 'down'].includes(signal.op) || ('to' in signal && signal.to === ourRef)
    t.strictSame(throughControl(signal, least), needs ? null : expected, describe(signal))
  }
})

const describe = (signal: Signal): string => {
  const to: unknown = signal.to
  return `${signal.op} to ${to === ourRef ? 'an alias' : to === ourName ? 'a name' : 'a pid'}${'token' in signal ? ', traced' : ''}`
}

t.test('the flags of the peer choose the form', async t => {
  const send: Signal = { op: 'send', from: theirPid, to: ourPid, message: payload(1) }
  const exit: Signal = { op: 'exit', from: theirPid, to: ourPid, reason: payload(1) }
  const linkExit: Signal = { op: 'linkExit', from: theirPid, to: ourPid, reason: payload(1) }
  const down: Signal = { op: 'down', from: theirPid, to: ourPid, ref: ourRef, reason: payload(1) }
  const monitors = flags.DIST_MONITOR | flags.DIST_MONITOR_NAME
  const table: [Signal, bigint, number | null][] = [
    [send, 0n, 2],
    [send, flags.SEND_SENDER, 22],
    [{ ...send, from: null }, flags.SEND_SENDER, 2],
    [{ ...send, token }, flags.BIG_SEQTRACE_LABELS, 12],
    [{ ...send, token }, flags.SEND_SENDER | flags.BIG_SEQTRACE_LABELS, 23],
    [{ ...send, token }, flags.SEND_SENDER, 22],
    [{ ...send, token: tuple(0, 17, 1, theirPid, 0) }, flags.SEND_SENDER, 23],
    [{ ...send, token: tuple(0, 2 ** 27, 1, theirPid, 0) }, flags.SEND_SENDER, 22],
    [{ ...send, priority: true }, flags.SEND_SENDER, 22],
    [{ ...send, priority: true }, flags.SEND_SENDER | flags.ALTACT_SIG, 37],
    [{ ...send, to: ourName }, flags.SEND_SENDER | flags.ALTACT_SIG, 6],
    [{ ...send, to: ourName, priority: true }, flags.SEND_SENDER | flags.ALTACT_SIG, 37],
    [{ ...send, to: ourRef }, 0n, null],
    [{ ...send, to: ourRef }, flags.ALIAS, 33],
    [{ ...send, to: ourRef }, flags.ALIAS | flags.ALTACT_SIG, 37],
    [exit, 0n, 8],
    [exit, flags.EXIT_PAYLOAD | flags.ALTACT_SIG, 26],
    [{ ...exit, priority: true }, flags.EXIT_PAYLOAD, 26],
    [{ ...exit, priority: true }, flags.EXIT_PAYLOAD | flags.ALTACT_SIG, 37],
    [{ ...exit, to: ourRef }, flags.EXIT_PAYLOAD | flags.ALIAS, null],
    [{ ...exit, to: ourRef }, flags.ALTACT_SIG, 37],
    [linkExit, 0n, 3],
    [linkExit, flags.EXIT_PAYLOAD, 24],
    [down, flags.EXIT_PAYLOAD, null],
    [down, flags.EXIT_PAYLOAD | flags.DIST_MONITOR, null],
    [down, monitors, 21],
    [down, monitors | flags.EXIT_PAYLOAD, 28],
  ]
  for (const [signal, has, code] of table) {
    const control = encodeControl(signal, abilitiesOf(has), otherEnds)?.control.elements[0] ?? null
    t.equal(control, code, `${describe(signal)} with flags ${has.toString(16)}`)
  }
})

t.test('what a real node would not take is refused to the sender', async t => {
  const send: Signal = { op: 'send', from: theirPid, to: ourPid, message: payload(1) }
  const table: [string, Signal][] = [
    ['a link from a pid of another node', { op: 'link', from: thirdPid, to: ourPid }],
    ['an exit signal from a pid of the receiver', { op: 'exit', from: ourPid, to: ourPid, reason: payload(1) }],
    ['a broken link to a third node', { op: 'linkExit', from: theirPid, to: thirdPid, reason: payload(1) }],
    ['an unlink id of 0', { op: 'unlink', id: 0n, from: theirPid, to: ourPid }],
    ['an unlink id of 65 bits', { op: 'unlinkAck', id: 1n << 64n, from: theirPid, to: ourPid }],
    ['a trace token that is a list', { ...send, token: [1] }],
    ['a trace token that is an atom', { ...send, token: atom('token') }],
    ['a message to a name from nobody', { ...send, from: null, to: ourName }],
    ['a message to an alias from nobody', { ...send, from: null, to: ourRef }],
  ]
  for (const [what, signal] of table)
    t.throws(() => encodeControl(signal, abilitiesOf(everything), otherEnds), { code: 'DIST_SIGNAL' }, what)
})

// ── hostile peers ────────────────────────────────────────────────────────────

const samples = samplesOf({ theirPid, ourPid, thirdPid, theirRef, ourRef, token })

const goodElements = ({ fields }: SpecRow): Term[] => fields.map(field => samples[field]?.good as Term)

t.test('an arity that is not the message’s', async t => {
  for (const row of specRows) {
    const elements = goodElements(row)
    t.equal(decodeControl(new Tuple([row.code, ...elements]), ends).name, row.name)
    t.throws(() => decodeControl(new Tuple([row.code, ...elements, 1]), ends), { code: 'DIST_PROTOCOL_ARITY' }, `${row.name}, one more`)
    t.throws(
      () => decodeControl(new Tuple([row.code, ...elements.slice(1)]), ends),
      { code: 'DIST_PROTOCOL_ARITY' },
      `${row.name}, one less`,
    )
  }
})

t.test('an element that is not what it must be', async t => {
  for (const row of specRows) {
    for (const [i, field] of row.fields.entries()) {
      t.ok(samples[field], `there are samples of ${field}`)
      for (const bad of samples[field]?.bad ?? []) {
        const elements = goodElements(row).with(i, bad)
        const expected = { code: 'DIST_PROTOCOL_FIELD', message: new RegExp(`them@host sent ${row.name} whose element ${i + 2} must `) }
        t.throws(() => decodeControl(new Tuple([row.code, ...elements]), ends), expected)
      }
    }
  }
})

t.test('what is no control message at all', async t => {
  const table: [string, Term, string][] = [
    ['an atom', atom('hello'), 'DIST_PROTOCOL_CONTROL'],
    ['a list', [1, theirPid, ourPid], 'DIST_PROTOCOL_CONTROL'],
    ['an empty tuple', tuple(), 'DIST_PROTOCOL_CONTROL'],
    ['a tuple with an atom first', tuple(atom('link'), theirPid, ourPid), 'DIST_PROTOCOL_CONTROL'],
    ['a float for a number', tuple(1.5, theirPid, ourPid), 'DIST_PROTOCOL_CONTROL'],
    ['a bignum for a number', tuple(1n << 80n, theirPid, ourPid), 'DIST_PROTOCOL_CONTROL'],
    ['a negative number', tuple(-1, theirPid, ourPid), 'DIST_PROTOCOL_CONTROL'],
    ['number 0', tuple(0), 'DIST_PROTOCOL_OPCODE'],
    ['number 5, which has been NODE_LINK', tuple(5, theirPid), 'DIST_PROTOCOL_OPCODE'],
    ['UNLINK, gone since OTP 26', tuple(UNLINK, theirPid, ourPid), 'DIST_PROTOCOL_OPCODE'],
    ['number 38', tuple(38, theirPid, ourPid), 'DIST_PROTOCOL_OPCODE'],
    ['number 2^40', tuple(2 ** 40), 'DIST_PROTOCOL_OPCODE'],
  ]
  for (const [what, term, code] of table) t.throws(() => decodeControl(term, ends), { code }, what)
})

t.test('a name may be an atom that is a JavaScript value', async t => {
  for (const name of ['true', 'false', 'nil']) {
    const { signal } = decodeControl(tuple(6, theirPid, atom(''), atom(name)), ends)
    t.equal((signal.to as { name: Atom }).name.name, name)
  }
})

// ── ALTACT_SIG_SEND ──────────────────────────────────────────────────────────

t.test('each set of altact flags has its form', async t => {
  for (let bits = 0; bits < 32; bits++) {
    const has = (flag: number): boolean => (bits & flag) !== 0
    const to = has(altactFlag.ALIAS) ? ourRef : has(altactFlag.NAME) ? atom('name') : ourPid
    const traced = has(altactFlag.TOKEN) ? [token] : []
    const control = (...more: Term[]): Term => new Tuple([ALTACT_SIG_SEND, bits, theirPid, to, ...traced, ...more])
    if (has(altactFlag.NAME) && (has(altactFlag.ALIAS) || has(altactFlag.EXIT))) {
      t.throws(() => decodeControl(control(), ends), { code: 'DIST_PROTOCOL_FIELD' }, `${bits} contradicts itself`)
      continue
    }
    const { signal, payload, name } = decodeControl(control(), ends)
    t.equal(name, 'ALTACT_SIG_SEND')
    t.equal(signal.op, has(altactFlag.EXIT) ? 'exit' : 'send', `${bits}: the kind`)
    t.equal(payload, has(altactFlag.EXIT) ? 'reason' : 'message', `${bits}: the payload`)
    t.strictSame(signal.to, has(altactFlag.NAME) ? ourName : to, `${bits}: the receiver`)
    t.equal(signal.priority, has(altactFlag.PRIO) ? true : undefined, `${bits}: the priority`)
    t.equal(signal.token, has(altactFlag.TOKEN) ? token : undefined, `${bits}: the token`)
    t.strictSame(decodeControl(control(atom('later')), ends).signal, signal, `${bits}: later releases may append elements`)
    if (has(altactFlag.TOKEN)) {
      t.throws(
        () => decodeControl(new Tuple([37, bits, theirPid, to]), ends),
        { code: 'DIST_PROTOCOL_ARITY' },
        `${bits}: the token is missing`,
      )
    }
  }
})

t.test('altact flags may be many, and even a bignum', async t => {
  for (const bits of [0xe1, 2 ** 40 + 1, (1n << 100n) + 1n]) {
    t.equal(decodeControl(tuple(37, bits, theirPid, ourPid), ends).signal.priority, true, `${bits}`)
  }
  for (const bits of [-1, -(1n << 100n), 0.5, atom('prio')]) {
    t.throws(() => decodeControl(tuple(37, bits, theirPid, ourPid), ends), { code: 'DIST_PROTOCOL_FIELD' }, String(bits))
  }
  t.throws(() => decodeControl(tuple(37), ends), { code: 'DIST_PROTOCOL_ARITY' })
})
