/**
 * The messages of the handshake as bytes: one `encode` and one `parse` for each. What follows a known form is ignored, as the
 * protocol asks of 'N'.
 *
 * Source: erl_dist_protocol, "Handshake Semantics".
 */
import { DistError } from './errors.js'

export interface Name {
  readonly flags: bigint
  /** Undefined in the old form 'n' */
  readonly creation: number | undefined
  readonly name: string
}

/** 'N' Flags:64 Creation:32 Length:16 Name */
export function encodeName({ flags, creation, name }: Name & { readonly creation: number }): Buffer {
  const bytes = latin1(name, 'DIST_NODE_NAME', 'A node name')
  const head = Buffer.alloc(15)
  head.write('N')
  head.writeBigUInt64BE(flags, 1)
  head.writeUInt32BE(creation, 9)
  head.writeUInt16BE(bytes.length, 13)
  return Buffer.concat([head, bytes])
}

/** 'N' as above, or the old 'n' Version:16 Flags:32 Name, from OTP 22 and older and from nodes that do not know our version. */
export function parseName(bytes: Buffer): Name {
  if (bytes[0] === tag('n')) {
    if (bytes.length < 7) throw malformed('name', 'the old form ends early')
    return { flags: BigInt(bytes.readUInt32BE(3)), creation: undefined, name: bytes.toString('latin1', 7) }
  }
  expect(bytes, 'N', 15, 'name')
  return { flags: bytes.readBigUInt64BE(1), creation: bytes.readUInt32BE(9), name: nameAt(bytes, 13, 'name') }
}

export type Status =
  | { readonly is: 'ok' | 'ok_simultaneous' | 'nok' | 'not_allowed' | 'alive' }
  | { readonly is: 'named'; readonly name: string; readonly creation: number }

export type PlainStatus = Exclude<Status['is'], 'named'>

/** 's' Text */
export const encodeStatus = (status: PlainStatus): Buffer => Buffer.from(`s${status}`)

/** 's' "named:" Length:16 Name Creation:32. The name is in UTF-8 here. */
export function encodeNamed({ name, creation }: { readonly name: string; readonly creation: number }): Buffer {
  const bytes = Buffer.from(name)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  const tail = Buffer.alloc(4)
  tail.writeUInt32BE(creation)
  return Buffer.concat([Buffer.from('snamed:'), length, bytes, tail])
}

export function parseStatus(bytes: Buffer): Status {
  expect(bytes, 's', 1, 'status')
  const text = bytes.toString('latin1', 1)
  switch (text) {
    case 'ok':
    case 'ok_simultaneous':
    case 'nok':
    case 'not_allowed':
    case 'alive':
      return { is: text }
  }
  if (!text.startsWith('named:')) throw malformed('status', `no such status: ${JSON.stringify(text.slice(0, 40))}`)
  const end = bytes.length < 9 ? Infinity : 9 + bytes.readUInt16BE(7)
  if (bytes.length < end + 4) throw malformed('status', 'named: ends early')
  return { is: 'named', name: bytes.toString('utf8', 9, end), creation: bytes.readUInt32BE(end) }
}

/** 's' "true" | "false", the answer to alive */
export const encodeAnswer = (goOn: boolean): Buffer => Buffer.from(`s${goOn}`)

export function parseAnswer(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  if (text !== 'strue' && text !== 'sfalse')
    throw malformed('answer to alive', `${JSON.stringify(text.slice(0, 40))} is neither strue nor sfalse`)
  return text === 'strue'
}

export interface Challenge {
  readonly flags: bigint
  /** 32 bits, unsigned */
  readonly challenge: number
  readonly creation: number
  readonly name: string
}

/** 'N' Flags:64 Challenge:32 Creation:32 Length:16 Name */
export function encodeChallenge({ flags, challenge, creation, name }: Challenge): Buffer {
  const bytes = latin1(name, 'DIST_NODE_NAME', 'A node name')
  const head = Buffer.alloc(19)
  head.write('N')
  head.writeBigUInt64BE(flags, 1)
  head.writeUInt32BE(challenge, 9)
  head.writeUInt32BE(creation, 13)
  head.writeUInt16BE(bytes.length, 17)
  return Buffer.concat([head, bytes])
}

export function parseChallenge(bytes: Buffer): Challenge {
  expect(bytes, 'N', 19, 'challenge')
  return {
    flags: bytes.readBigUInt64BE(1),
    challenge: bytes.readUInt32BE(9),
    creation: bytes.readUInt32BE(13),
    name: nameAt(bytes, 17, 'challenge'),
  }
}

/** 'c' HighFlags:32 Creation:32 */
export function parseComplement(bytes: Buffer): { readonly flags: bigint; readonly creation: number } {
  expect(bytes, 'c', 9, 'complement')
  return { flags: BigInt(bytes.readUInt32BE(1)) << 32n, creation: bytes.readUInt32BE(5) }
}

export interface Reply {
  readonly challenge: number
  /** 16 bytes */
  readonly digest: Uint8Array
}

/** 'r' Challenge:32 Digest:16 */
export function encodeReply({ challenge, digest }: Reply): Buffer {
  const head = Buffer.alloc(5)
  head.write('r')
  head.writeUInt32BE(challenge, 1)
  return Buffer.concat([head, digest])
}

export function parseReply(bytes: Buffer): Reply {
  expect(bytes, 'r', 21, 'reply')
  return { challenge: bytes.readUInt32BE(1), digest: bytes.subarray(5, 21) }
}

/** 'a' Digest:16 */
export const encodeAck = (digest: Uint8Array): Buffer => Buffer.concat([Buffer.from('a'), digest])

export function parseAck(bytes: Buffer): Uint8Array {
  expect(bytes, 'a', 17, 'acknowledgement')
  return bytes.subarray(1, 17)
}

/** @throws DistError of that code for a character that Latin-1 does not have. */
export function latin1(text: string, code: string, what: string): Buffer {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff)
      throw new DistError(
        code,
        `${what} is sent in Latin-1, so ${JSON.stringify(text[i])} cannot stand in it. Take characters up to U+00FF.`,
      )
  }
  return Buffer.from(text, 'latin1')
}

export const malformed = (what: string, fault: string): DistError =>
  new DistError('DIST_HANDSHAKE_FORMAT', `The ${what} of the handshake is malformed: ${fault}.`, {
    remedy: 'What answers there is no Erlang node of OTP 23 or later: look which program has that port.',
  })

const tag = (letter: string): number => letter.charCodeAt(0)

function expect(bytes: Buffer, letter: string, length: number, what: string): void {
  if (bytes[0] !== tag(letter)) throw malformed(what, `it begins with byte ${bytes[0] ?? 'none'}, not with '${letter}'`)
  if (bytes.length < length) throw malformed(what, `it has ${bytes.length} bytes of at least ${length}`)
}

/** Length:16 Name */
function nameAt(bytes: Buffer, at: number, what: string): string {
  const end = at + 2 + bytes.readUInt16BE(at)
  if (bytes.length < end) throw malformed(what, 'the name ends early')
  return bytes.toString('latin1', at + 2, end)
}
