/**
 * EPMD, the Erlang port mapper, as bytes: which port does the node of that name listen on? No sockets here.
 *
 * Specified in erl_dist_protocol, "EPMD Protocol"; where that is silent, this follows epmd_srv.c and erl_epmd.erl of OTP 29.
 * Each request is `Length:16` and so many bytes; an answer has no length. All integers are big-endian.
 *
 *     ALIVE2_REQ         120 Port:16 Type Protocol Highest:16 Lowest:16 Nlen:16 Name Elen:16 Extra
 *       ALIVE2_X_RESP    118 Result Creation:32        the socket stays open: it is the registration
 *       ALIVE2_RESP      121 Result Creation:16        the same for a node whose Highest is below 6
 *     PORT_PLEASE2_REQ   122 Name
 *       PORT2_RESP       119 0 Port:16 Type Protocol Highest:16 Lowest:16 Nlen:16 Name Elen:16 Extra, or 119 Result
 *     NAMES_REQ          110
 *       NAMES_RESP       EpmdPort:32 "name ~ts at port ~p\n"*
 *     DUMP_REQ           100
 *       DUMP_RESP        EpmdPort:32 "active name     <~ts> at port ~p, fd = ~p\n\0"* "old/unused name <~ts>, port = ~p, fd = ~p \n\0"*
 *     KILL_REQ           107
 *       KILL_RESP        "OK", or "NO" while nodes are registered
 *     STOP_REQ           115 Name
 *       STOP_RESP        "STOPPED" or "NOEXIST"
 *
 * EPMD closes after each answer but ALIVE2's. The `read…` functions take all bytes so far and give undefined while an answer is
 * incomplete; bytes that can become no answer are an EpmdError EPMD_FORMAT.
 */
import { isUtf8 } from 'node:buffer'
import { EpmdError } from './epmd-error.js'

const ALIVE2_REQ = 120
const ALIVE2_X_RESP = 118
const ALIVE2_RESP = 121
const PORT_PLEASE2_REQ = 122
const PORT2_RESP = 119
const NAMES_REQ = 110
const DUMP_REQ = 100
const KILL_REQ = 107
const STOP_REQ = 115

const HIDDEN_NODE = 72
const NORMAL_NODE = 77
/** TCP over IPv4 (and, since nobody ever gave it a number of its own, IPv6) */
const TCP = 0

/** epmd's own limit: INBUF_SIZE less the length and a NUL. */
const longestRequest = 3057
/** The longest PORT2_RESP that an epmd can make (OUTBUF_SIZE). Nobody reads more than that to find a port. */
export const longestReply = 3060

/** One node, as EPMD knows it. */
export interface EpmdEntry {
  /** The part of the node's name before the `@` */
  readonly name: string
  /** Where the node listens */
  readonly port: number
  /** Type 72. (An `erl -hidden` registers as a normal node, 77; C nodes say 72.) */
  readonly hidden: boolean
  /** Distribution versions that the node speaks, 5 or 6 */
  readonly highest: number
  readonly lowest: number
  /** Bytes that a node may leave with EPMD. OTP leaves none. */
  readonly extra: Buffer
}

/** A line of `epmd -names`. */
export interface EpmdName {
  readonly name: string
  readonly port: number
}

export type EpmdRequest =
  | { readonly op: 'alive2'; readonly entry: EpmdEntry }
  | { readonly op: 'portPlease2'; readonly name: string }
  | { readonly op: 'names' }
  | { readonly op: 'dump' }
  | { readonly op: 'kill' }
  | { readonly op: 'stop'; readonly name: string }

/** What EPMD said to an ALIVE2: a creation (32 bits; 16 in the old form), or null when it refused, which says that the name is taken. */
export interface AliveReply {
  readonly creation: number | null
}

export interface NamesReply {
  /** The port that EPMD believes it listens on */
  readonly epmdPort: number
  readonly names: readonly EpmdName[]
}

/** A line of DUMP: `fd` is EPMD's own number for the socket. */
export interface DumpedName extends EpmdName {
  readonly fd: number
}

export interface DumpReply {
  readonly epmdPort: number
  readonly active: readonly DumpedName[]
  /** Names whose nodes have gone: EPMD remembers their creations. */
  readonly old: readonly DumpedName[]
}

const malformed = (what: string): EpmdError => new EpmdError('EPMD_FORMAT', what)

const int16 = (value: number): Buffer => Buffer.from([value >>> 8, value & 0xff])

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** The fields that ALIVE2_REQ and PORT2_RESP share. */
function encodeEntry({ name, port, hidden, highest, lowest, extra }: EpmdEntry): Buffer {
  const text = Buffer.from(name)
  const type = hidden ? HIDDEN_NODE : NORMAL_NODE
  const head = [int16(port), Buffer.from([type, TCP]), int16(highest), int16(lowest)]
  return Buffer.concat([...head, int16(text.length), text, int16(extra.length), extra])
}

/** Undefined when `bytes` is shorter than it says. */
function decodeEntry(bytes: Buffer): EpmdEntry | undefined {
  if (bytes.length < 10) return undefined
  const nameEnd = 10 + bytes.readUInt16BE(8)
  if (bytes.length < nameEnd + 2) return undefined
  const extraEnd = nameEnd + 2 + bytes.readUInt16BE(nameEnd)
  if (bytes.length < extraEnd) return undefined
  return {
    name: decodeName(bytes.subarray(10, nameEnd)),
    port: bytes.readUInt16BE(0),
    hidden: bytes[2] === HIDDEN_NODE,
    highest: bytes.readUInt16BE(4),
    lowest: bytes.readUInt16BE(6),
    extra: Buffer.from(bytes.subarray(nameEnd + 2, extraEnd)),
  }
}

function decodeName(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw malformed('A node name at EPMD is UTF-8; this one is not.')
  if (bytes.includes(0)) throw malformed('A node name at EPMD holds no NUL; this one does.')
  return bytes.toString()
}

/** Can EPMD hold that name? At most 255 code points; control characters would forge lines of the NAMES answer. */
export const isEpmdName = (name: string): boolean => /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(name)

export function encodeRequest(request: EpmdRequest): Buffer {
  const body = encodeBody(request)
  if (body.length > longestRequest)
    throw malformed(`A request to EPMD has at most ${longestRequest} bytes: shorten the name or the extra bytes.`)
  return Buffer.concat([int16(body.length), body])
}

function encodeBody(request: EpmdRequest): Buffer {
  switch (request.op) {
    case 'alive2':
      return Buffer.concat([Buffer.from([ALIVE2_REQ]), encodeEntry(request.entry)])
    case 'portPlease2':
      return Buffer.from([PORT_PLEASE2_REQ, ...Buffer.from(request.name)])
    case 'names':
      return Buffer.from([NAMES_REQ])
    case 'dump':
      return Buffer.from([DUMP_REQ])
    case 'kill':
      return Buffer.from([KILL_REQ])
    case 'stop':
      return Buffer.from([STOP_REQ, ...Buffer.from(request.name)])
  }
}

/**
 * The server's side. A client sends one request, and nothing after it.
 *
 * @throws EpmdError EPMD_FORMAT, also for bytes after the request.
 */
export function readRequest(bytes: Buffer): EpmdRequest | undefined {
  if (bytes.length < 2) return undefined
  const length = bytes.readUInt16BE(0)
  if (length === 0 || length > longestRequest)
    throw malformed(`A request to EPMD has 1 to ${longestRequest} bytes; this one claims ${length}.`)
  if (bytes.length > 2 + length) throw malformed('Bytes follow the request: a client of EPMD asks once on each connection.')
  return bytes.length < 2 + length ? undefined : decodeBody(bytes.subarray(2))
}

function decodeBody(body: Buffer): EpmdRequest {
  const tag = body.readUInt8()
  switch (tag) {
    case ALIVE2_REQ: {
      const entry = decodeEntry(body.subarray(1))
      if (!entry) throw malformed('An ALIVE2 request ends before its name or its extra bytes do.')
      return { op: 'alive2', entry }
    }
    case PORT_PLEASE2_REQ:
      return { op: 'portPlease2', name: requestedName(body) }
    case NAMES_REQ:
      return { op: 'names' }
    case DUMP_REQ:
      return { op: 'dump' }
    case KILL_REQ:
      return { op: 'kill' }
    case STOP_REQ:
      return { op: 'stop', name: requestedName(body) }
    default:
      throw malformed(`EPMD knows no request ${tag}.`)
  }
}

/** Old clients, and `epmd -stop`, end the name with a NUL. */
function requestedName(body: Buffer): string {
  const name = decodeName(body.subarray(1, body.at(-1) === 0 ? -1 : undefined))
  if (name === '' || [...name].length > 255) throw malformed('A node name at EPMD has 1 to 255 characters.')
  return name
}

/** `highest` is the asking node's: from 6 on it understands a creation of 32 bits. One write must carry all of it: OTP counts on that. */
export function encodeAliveReply({ creation }: AliveReply, highest: number): Buffer {
  const result = creation === null ? 1 : 0
  // 99 is what epmd puts there; nobody looks at it.
  const given = creation ?? 99
  return highest >= 6
    ? Buffer.concat([Buffer.from([ALIVE2_X_RESP, result]), int32(given)])
    : Buffer.concat([Buffer.from([ALIVE2_RESP, result]), int16(given)])
}

export function readAliveReply(bytes: Buffer): AliveReply | undefined {
  const [tag, result] = bytes
  if (tag === undefined) return undefined
  if (tag !== ALIVE2_X_RESP && tag !== ALIVE2_RESP)
    throw malformed(`This is no answer to an ALIVE2 request: it begins with ${tag}, not with 118 or 121.`)
  if (result === undefined) return undefined
  if (result !== 0) return { creation: null }
  if (tag === ALIVE2_RESP) return bytes.length < 4 ? undefined : { creation: bytes.readUInt16BE(2) }
  return bytes.length < 6 ? undefined : { creation: bytes.readUInt32BE(2) }
}

/** null: no such node */
export const encodePortReply = (entry: EpmdEntry | null): Buffer =>
  entry ? Buffer.concat([Buffer.from([PORT2_RESP, 0]), encodeEntry(entry)]) : Buffer.from([PORT2_RESP, 1])

export function readPortReply(bytes: Buffer): EpmdEntry | null | undefined {
  const [tag, result] = bytes
  if (tag === undefined) return undefined
  if (tag !== PORT2_RESP) throw malformed(`This is no answer to a PORT_PLEASE2 request: it begins with ${tag}, not with 119.`)
  if (result === undefined) return undefined
  if (result !== 0) return null
  return decodeEntry(bytes.subarray(2))
}

export const encodeNamesReply = ({ epmdPort, names }: NamesReply): Buffer =>
  Buffer.concat([int32(epmdPort), Buffer.from(names.map(({ name, port }) => `name ${name} at port ${port}\n`).join(''))])

/** Of the whole answer, which ends where EPMD closes. Other lines are skipped, as erl_epmd skips them. */
export function readNamesReply(bytes: Buffer): NamesReply {
  const lines = textAfterPort(bytes)
  const names = [...lines.matchAll(/^name (.+) at port (\d{1,5})$/gm)].map(([, name = '', port]) => ({ name, port: Number(port) }))
  return { epmdPort: bytes.readUInt32BE(0), names }
}

export function encodeDumpReply({ epmdPort, active, old }: DumpReply): Buffer {
  const lines = [
    ...active.map(({ name, port, fd }) => `active name     <${name}> at port ${port}, fd = ${fd}\n\0`),
    ...old.map(({ name, port, fd }) => `old/unused name <${name}>, port = ${port}, fd = ${fd} \n\0`),
  ]
  return Buffer.concat([int32(epmdPort), Buffer.from(lines.join(''))])
}

/** Of the whole answer, which ends where EPMD closes. */
export function readDumpReply(bytes: Buffer): DumpReply {
  const lines = textAfterPort(bytes)
  const names = (pattern: RegExp): DumpedName[] =>
    [...lines.matchAll(pattern)].map(([, name = '', port, fd]) => ({ name, port: Number(port), fd: Number(fd) }))
  return {
    epmdPort: bytes.readUInt32BE(0),
    active: names(/^\0?active name {5}<(.+)> at port (\d{1,5}), fd = (\d+)$/gm),
    old: names(/^\0?old\/unused name <(.+)>, port = (\d{1,5}), fd = (\d+) $/gm),
  }
}

function textAfterPort(bytes: Buffer): string {
  if (bytes.length < 4) throw malformed('The answer ends before the four bytes of EPMD’s own port.')
  if (bytes.readUInt32BE(0) > 65535) throw malformed('The answer does not begin with a port.')
  return bytes.toString('utf8', 4)
}

export const encodeKillReply = (killed: boolean): Buffer => Buffer.from(killed ? 'OK' : 'NO')

/** True: EPMD ends. False: nodes are registered, so it does not. */
export const readKillReply = (bytes: Buffer): boolean | undefined => readWord(bytes, 'OK', 'NO')

export const encodeStopReply = (stopped: boolean): Buffer => Buffer.from(stopped ? 'STOPPED' : 'NOEXIST')

/** False: no such node. (epmd then goes on to say STOPPED as well; the first word is the true one.) */
export const readStopReply = (bytes: Buffer): boolean | undefined => readWord(bytes, 'STOPPED', 'NOEXIST')

function readWord(bytes: Buffer, yes: string, no: string): boolean | undefined {
  const word = bytes.toString('latin1', 0, yes.length)
  if (word === yes) return true
  if (word === no) return false
  if (yes.startsWith(word) || no.startsWith(word)) return undefined
  throw malformed(`EPMD answers ${yes} or ${no} to that, and nothing else.`)
}
