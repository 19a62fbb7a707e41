/**
 * What a hostile peer may say on the channel, and the code of the fault it is found out by. test/node/hostile.test.ts sends each to a node.
 *
 * The control messages with each wrong arity and each wrong element are made from spec/control-messages.json. Many of these bytes end a
 * real BEAM, or are dropped by it with the connection.
 */
import { readFileSync } from 'node:fs'
import { type Atom, atom, ImproperList, Pid, Reference, type Sendable, Tuple, tuple } from '../../src/index.js'
import { samplesOf } from '../dist/control-samples.js'
import { bare, begin, goOn, hex, plain, type Rogue, sendSender } from './rogue.js'

/** Who is attacked */
export interface Victims {
  /** A process that traps exits, and lives */
  readonly victim: Pid
}

export interface Attack {
  readonly title: string
  readonly code: string
  /** Frames, or, when `raw`, bytes that are none */
  readonly frames: (rogue: Rogue, victims: Victims) => readonly Buffer[]
  readonly raw?: true
}

const attack = (title: string, code: string, frames: Attack['frames']): Attack => ({ title, code, frames })
const raw = (title: string, code: string, bytes: string): Attack => ({ title, code, frames: () => [hex(bytes)], raw: true })
const bytes = (title: string, code: string, text: string): Attack => attack(title, code, () => [hex(text)])

const framing: readonly Attack[] = [
  raw('a length of 4 GiB', 'DIST_FRAME_SIZE', 'ffffffff'),
  raw('a length of one byte more than a message may have', 'DIST_FRAME_SIZE', '08010001'),
  attack('no distribution at all', 'DIST_PROTOCOL_HEADER', () => [Buffer.from('GET / HTTP/1.1\r\n\r\n')]),
]

const header: readonly Attack[] = [
  bytes('a wrong version', 'DIST_PROTOCOL_HEADER', '82 44 00'),
  bytes('a frame of one byte', 'DIST_PROTOCOL_HEADER', '83'),
  bytes('a message without a header', 'DIST_PROTOCOL_HEADER', '70 83 68 01 61 01'),
  bytes('a tag that is no header', 'DIST_PROTOCOL_HEADER', '83 47 00'),
  bytes('a header without its count of atoms', 'DIST_PROTOCOL_HEADER', '83 44'),
  bytes('more atoms than bytes', 'DIST_PROTOCOL_HEADER', '83 44 ff 00'),
  bytes('flags without atoms', 'DIST_PROTOCOL_HEADER', '83 44 02 88 00'),
  bytes('an atom shorter than it says', 'DIST_PROTOCOL_HEADER', '83 44 01 08 00 05 61'),
  bytes('LongAtoms, with a length of one byte', 'DIST_PROTOCOL_HEADER', '83 44 01 18 00 02 6f 6b'),
  bytes('a length of two bytes without LongAtoms', 'ETF_UNKNOWN_TAG', '83 44 01 08 00 00 02 6f 6b'),
  attack('an atom of 256 characters', 'ETF_ATOM', () => [Buffer.concat([hex('83 44 01 18 00 0100'), Buffer.alloc(256, 'a')])]),
  bytes('an atom that is not UTF-8', 'ETF_ATOM', '83 44 01 08 00 02 c3 28'),
  bytes('a slot of the atom cache that is empty', 'DIST_PROTOCOL_ATOM_CACHE', '83 44 01 07 ff'),
]

const control: readonly Attack[] = [
  bytes('a header and nothing more', 'ETF_TRUNCATED', '83 44 00'),
  attack('a control message with a version', 'ETF_UNKNOWN_TAG', ({ pid }, { victim }) => [plain(hex('83'), tuple(1, pid, victim))]),
  attack('an atom for a control message', 'DIST_PROTOCOL_CONTROL', () => [plain(atom('hello'))]),
  attack('a list for a control message', 'DIST_PROTOCOL_CONTROL', ({ pid }, { victim }) => [plain([1, pid, victim])]),
  attack('an empty tuple', 'DIST_PROTOCOL_CONTROL', () => [plain(tuple())]),
  attack('a bignum for an operation', 'DIST_PROTOCOL_CONTROL', ({ pid }, { victim }) => [plain(tuple(1n << 70n, pid, victim))]),
  attack('a negative operation', 'DIST_PROTOCOL_CONTROL', ({ pid }, { victim }) => [plain(tuple(-1, pid, victim))]),
  ...[0, 5, 9, 38, 99, 255].map(code =>
    attack(`operation ${code}, which there is not`, 'DIST_PROTOCOL_OPCODE', ({ pid }, { victim }) => [plain(tuple(code, pid, victim))]),
  ),
  attack('UNLINK, gone since OTP 26', 'DIST_PROTOCOL_OPCODE', ({ pid }, { victim }) => [plain(tuple(4, pid, victim))]),
  attack('a message without its payload', 'DIST_PROTOCOL_PAYLOAD', ({ pid }, { victim }) => [plain(sendSender(pid, victim))]),
  attack('a payload after LINK', 'DIST_PROTOCOL_PAYLOAD', ({ pid }, { victim }) => [plain(tuple(1, pid, victim), 1)]),
  attack('an atom that the header does not have', 'ETF_ATOM_CACHE', () => [hex('83 44 00 68 02 61 06 52 00')]),
  ...[-1, 0.5, atom('prio')].map(flags =>
    attack(`priority flags ${String(flags)}`, 'DIST_PROTOCOL_FIELD', ({ pid }, { victim }) => [plain(tuple(37, flags, pid, victim), 1)]),
  ),
  attack('priority flags that say ALIAS and NAME', 'DIST_PROTOCOL_FIELD', ({ pid, ref }) => [plain(tuple(37, 12, pid, ref), 1)]),
  attack('priority flags with TOKEN, and none', 'DIST_PROTOCOL_ARITY', ({ pid }, { victim }) => [plain(tuple(37, 2, pid, victim), 1)]),
]

interface SpecRow {
  readonly code: number
  readonly name: string
  readonly fields: readonly string[]
  readonly payload: string | null
}

const file = new URL('../../spec/control-messages.json', import.meta.url)
const rows: readonly SpecRow[] = JSON.parse(readFileSync(file, 'utf8')).messages
/** Two have attacks of their own above. */
const ofOneForm = rows.filter(({ name }) => name !== 'UNLINK' && name !== 'ALTACT_SIG_SEND')
const thirdPid = new Pid(atom('third@127.0.0.1') as Atom, 1, 0, 1)

/** Each control message with one element too many, one too few, and each element that it may not have. */
function spoiled({ code, name, fields, payload }: SpecRow): Attack[] {
  const samples = (rogue: Rogue, { victim }: Victims) =>
    samplesOf({
      ...{ theirPid: rogue.pid, ourPid: victim, thirdPid, theirRef: rogue.ref },
      ...{ ourRef: new Reference(victim.node, victim.creation, [4, 5, 6]), token: tuple(0, 0, 1, rogue.pid, 0) },
    })
  const good = (rogue: Rogue, victims: Victims): Sendable[] => fields.map(field => samples(rogue, victims)[field]?.good as Sendable)
  const message = (elements: readonly Sendable[]): Buffer[] => [
    plain(new Tuple([code, ...elements] as never) as Sendable, ...(payload === null ? [] : [[]])),
  ]
  const counts = fields.map((field, at) => ({ at, bads: someBads[field]?.bad.length ?? 0 }))
  return [
    attack(`${name} with an element more`, 'DIST_PROTOCOL_ARITY', (...who) => message([...good(...who), 1])),
    attack(`${name} with an element less`, 'DIST_PROTOCOL_ARITY', (...who) => message(good(...who).slice(1))),
    attack(`${name} alone`, 'DIST_PROTOCOL_ARITY', () => message([])),
    ...counts.flatMap(({ at, bads }) =>
      Array.from({ length: bads }, (_, n) =>
        attack(`${name} with a bad ${fields[at]} (${n + 1})`, 'DIST_PROTOCOL_FIELD', (...who) =>
          message(good(...who).with(at, samples(...who)[fields[at] as string]?.bad[n] as Sendable)),
        ),
      ),
    ),
  ]
}

const anybody = new Pid(atom('any@127.0.0.1') as Atom, 1, 0, 1)
const anyRef = new Reference(anybody.node, 1, [1])
/** Only to count them */
const someBads = samplesOf({
  ...{ theirPid: anybody, ourPid: anybody, thirdPid: anybody, theirRef: anyRef, ourRef: anyRef, token: tuple() },
})

const fragments: readonly Attack[] = (
  [
    ['a sequence of id 0', (m: Sendable) => [begin(0n, 2n, m)]],
    ['a sequence of id 0 that is whole', (m: Sendable) => [begin(0n, 1n, m, 1)]],
    ['fragment 0 first', (m: Sendable) => [begin(1n, 0n, m)]],
    ['fragment 2^63 first', (m: Sendable) => [begin(1n, 1n << 63n, m)]],
    ['fragments out of order', (m: Sendable) => [begin(1n, 3n, m), goOn(1n, 1n)]],
    ['a fragment twice', (m: Sendable) => [begin(1n, 3n, m), goOn(1n, 2n), goOn(1n, 2n)]],
    ['fragment ids that count up', (m: Sendable) => [begin(1n, 2n, m), goOn(1n, 3n)]],
    ['a last fragment 0', (m: Sendable) => [begin(1n, 2n, m), goOn(1n, 0n)]],
    ['the first fragment again', (m: Sendable) => [begin(1n, 2n, m), begin(1n, 2n, m)]],
    ['a fragment of nothing', () => [goOn(1n, 1n)]],
    ['a fragment after the last', (m: Sendable) => [begin(1n, 2n, m, hex('61')), goOn(1n, 1n, hex('01')), goOn(1n, 1n)]],
  ] as const
).map(([title, frames]) => attack(title, 'DIST_PROTOCOL_FRAGMENT', ({ pid }, { victim }) => frames(sendSender(pid, victim))))

const fragmented: readonly Attack[] = [
  attack('a fragment header that ends early', 'DIST_PROTOCOL_HEADER', () => [hex('83 45 00000000')]),
  attack('a further fragment that ends early', 'DIST_PROTOCOL_HEADER', () => [hex('83 46 0000000000000001 00')]),
  attack('a control message in two fragments', 'ETF_TRUNCATED', () => [begin(1n, 2n, hex('68 03 61'))]),
  attack('fragments of a message without a payload', 'DIST_PROTOCOL_PAYLOAD', ({ pid }, { victim }) => [
    begin(1n, 2n, sendSender(pid, victim)),
    goOn(1n, 1n),
  ]),
  attack('fragments of LINK with a payload', 'DIST_PROTOCOL_PAYLOAD', ({ pid }, { victim }) => [
    begin(1n, 2n, tuple(1, pid, victim)),
    goOn(1n, 1n, hex('6a')),
  ]),
  attack('fragments of a payload that is no term', 'ETF_TRUNCATED', ({ pid }, { victim }) => [
    begin(1n, 2n, sendSender(pid, victim), hex('6d ffffffff')),
    goOn(1n, 1n, hex('01')),
  ]),
]

const nested = (levels: number): Buffer => Buffer.concat([...Array<Buffer>(levels).fill(hex('68 01')), hex('6a')])
const payloads: readonly (readonly [title: string, code: string, payload: string | (() => Buffer)])[] = [
  ['is no term', 'ETF_UNKNOWN_TAG', '01 02 03'],
  ['has a version', 'ETF_UNKNOWN_TAG', '83 61 01'],
  ['is cut off', 'ETF_TRUNCATED', '6d ffffffff'],
  ['is two', 'ETF_TRAILING_BYTES', '61 01 61 02'],
  ['is compressed', 'ETF_COMPRESSED', '50 00000009 01'],
  ['is an atom that the header does not have', 'ETF_ATOM_CACHE', '52 00'],
  ['is an atom of 256 characters', 'ETF_ATOM', () => Buffer.concat([hex('76 0100'), Buffer.alloc(256, 'a')])],
  ['is an atom that is not UTF-8', 'ETF_ATOM', '77 02 c3 28'],
  ['is a tuple that claims 4 Gi elements', 'ETF_TRUNCATED', '69 ffffffff 61 01'],
  ['is a list that claims 4 Gi elements', 'ETF_TRUNCATED', '6c ffffffff 61 01'],
  ['is a map that claims 4 Gi keys', 'ETF_TRUNCATED', '74 ffffffff 61 01 61 01'],
  ['is a map with a key twice', 'ETF_DUPLICATE_KEY', '74 00000002 61 01 61 01 61 01 61 02'],
  ['is a map with keys 1 and 1, in other bytes', 'ETF_DUPLICATE_KEY', '74 00000002 61 01 61 01 62 00000001 61 02'],
  ['is a bignum that claims 4 GiB', 'ETF_TRUNCATED', '6f ffffffff 00 01'],
  ['is a bignum of 9 MiB', 'ETF_BIGNUM', () => Buffer.concat([hex('6f 00900000 00'), Buffer.alloc(9 * 2 ** 20, 1)])],
  ['is a float that is NaN', 'ETF_FLOAT', '46 7ff8000000000000'],
  ['is an infinite float', 'ETF_FLOAT', '46 7ff0000000000000'],
  ['is a bit string of 9 bits in its last byte', 'ETF_BITS', '4d 00000001 09 ff'],
  ['is nested 10,001 levels', 'ETF_DEPTH', () => nested(10_001)],
  ['is a reference without words', 'ETF_FIELD', '5a 0000 77 03 614062 00000001'],
  ['is a reference of six words', 'ETF_FIELD', () => Buffer.concat([hex('5a 0006 77 03 614062 00000001'), Buffer.alloc(24)])],
  ['is a pid whose node is an integer', 'ETF_ATOM', '58 61 01 00000001 00000000 00000001'],
  ['is a fun of arity 256', 'ETF_FIELD', '71 77 01 6d 77 01 66 62 00000100'],
  ['is a record with a field twice', 'ETF_DUPLICATE_KEY', '43 00000002 01 77 01 6d 77 01 72 77 01 66 77 01 66 61 01 61 02'],
]
const payloadOf = (payload: string | (() => Buffer)): Buffer => (typeof payload === 'string' ? hex(payload) : payload())

const broken: readonly Attack[] = [
  ...payloads.map(([what, code, payload]) =>
    attack(`a message that ${what}`, code, ({ pid }, { victim }) => [plain(sendSender(pid, victim), payloadOf(payload))]),
  ),
  attack('a message by name that is no term', 'ETF_UNKNOWN_TAG', ({ pid }) => [plain(tuple(6, pid, atom(''), atom('victim')), hex('01'))]),
  attack('an exit signal whose reason is no term', 'ETF_UNKNOWN_TAG', ({ pid }, { victim }) => [plain(tuple(26, pid, victim), hex('01'))]),
  attack('a broken link whose reason is no term', 'ETF_UNKNOWN_TAG', ({ pid }, { victim }) => [
    plain(tuple(1, pid, victim)),
    plain(tuple(24, pid, victim), hex('01')),
  ]),
  attack('a spawn whose arguments are no term', 'ETF_UNKNOWN_TAG', ({ pid, ref }) => [
    plain(tuple(29, ref, pid, pid, tuple(atom('m'), atom('f'), 1), []), hex('01')),
  ]),
]

export const attacks: readonly Attack[] = [
  ...framing,
  ...header,
  ...control,
  ...ofOneForm.flatMap(spoiled),
  ...fragments,
  ...fragmented,
  ...broken,
]

/** What may be late, or wrong without harm: it is dropped or answered, and the connection lives on. So it does on real nodes: interop/harmless.test.ts. */
export const harmless: readonly (readonly [title: string, frames: Attack['frames']])[] = [
  ['a message to a pid of another creation', ({ pid }, { victim }) => [plain(sendSender(pid, stale(victim)), 1)]],
  ['a message to a name that nobody has', ({ pid }) => [plain(tuple(6, pid, atom(''), atom('nobody')), 1)]],
  ['no term for a name that nobody has', ({ pid }) => [plain(tuple(6, pid, atom(''), atom('nobody')), hex('01'))]],
  ['a message to an alias that has ended', ({ pid }, { victim }) => [plain(tuple(33, pid, ended(victim)), 1)]],
  ['a message to a third node', ({ pid }) => [plain(sendSender(pid, thirdPid), 1)]],
  ['a monitor that is taken back and never was', ({ pid, ref }, { victim }) => [plain(tuple(20, pid, victim, ref))]],
  ['an acknowledgement of no unlink', ({ pid }, { victim }) => [plain(tuple(36, 5, pid, victim))]],
  ['a broken link that never was, with a reason that is no term', ({ pid }, { victim }) => [plain(tuple(24, pid, victim), hex('01'))]],
  ['the end of what nobody monitors', ({ pid }, { victim }) => [plain(tuple(28, pid, victim, ended(victim)), atom('oops'))]],
  ['a reply to no spawn request', ({ pid }, { victim }) => [plain(tuple(31, ended(victim), victim, 0, pid))]],
  [
    'a spawn with options that are none',
    ({ pid, ref }) => [plain(tuple(29, ref, pid, pid, tuple(atom('m'), atom('f'), 0), atom('link')), [])],
  ],
  [
    'a spawn with an improper list of options',
    ({ pid, ref }) => [plain(tuple(29, ref, pid, pid, tuple(atom('m'), atom('f'), 0), new ImproperList([atom('link')], atom('x'))), [])],
  ],
  [
    'a spawn with an improper list of arguments',
    ({ pid, ref }) => [plain(tuple(29, ref, pid, pid, tuple(atom('m'), atom('f'), 1), []), new ImproperList([1], 2))],
  ],
  ['ten thousand ticks', () => Array<Buffer>(10_000).fill(Buffer.alloc(0))],
  [
    'a header with LongAtoms for short ones',
    ({ pid }) => [Buffer.concat([hex('83 44 01 18 00 0002 6f6b'), bare(tuple(6, pid, atom(''), atom('nobody'))), hex('52 00')])],
  ],
]

const stale = (pid: Pid): Pid => new Pid(pid.node, pid.id, pid.serial, pid.creation + 1)
const ended = (pid: Pid): Reference => new Reference(pid.node, pid.creation, [9, 9, 9])
