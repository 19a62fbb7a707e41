/**
 * Distribution flags: what a node says in the handshake that it can take. Both ends use the intersection.
 *
 * Source: erl_dist_protocol, "Distribution Flags"; lib/kernel/include/dist.hrl. The same table as data: spec/flags.json.
 */
import { DistError } from './errors.js'

/** Each flag's bit, under OTP's name. */
export const flags = {
  /** The node shall be visible. A connection is when both ends say so. */
  PUBLISHED: 1n << 0n,
  ATOM_CACHE: 1n << 1n,
  EXTENDED_REFERENCES: 1n << 2n,
  /** With DIST_MONITOR_NAME: the monitor messages 19, 20, 21 and 28. OTP sends none of them unless both are there. */
  DIST_MONITOR: 1n << 3n,
  FUN_TAGS: 1n << 4n,
  DIST_MONITOR_NAME: 1n << 5n,
  HIDDEN_ATOM_CACHE: 1n << 6n,
  NEW_FUN_TAGS: 1n << 7n,
  EXTENDED_PIDS_PORTS: 1n << 8n,
  EXPORT_PTR_TAG: 1n << 9n,
  BIT_BINARIES: 1n << 10n,
  NEW_FLOATS: 1n << 11n,
  UNICODE_IO: 1n << 12n,
  /** Headers (tag 68) with references into an atom cache */
  DIST_HDR_ATOM_CACHE: 1n << 13n,
  SMALL_ATOM_TAGS: 1n << 14n,
  UTF8_ATOMS: 1n << 16n,
  MAP_TAG: 1n << 17n,
  BIG_CREATION: 1n << 18n,
  /** 22 and 23 replace 2 and 12: a message tells its sender */
  SEND_SENDER: 1n << 19n,
  /** Any term may be a sequential trace label */
  BIG_SEQTRACE_LABELS: 1n << 20n,
  /** 24..28 replace 3, 13, 8, 18 and 21: the reason is a payload */
  EXIT_PAYLOAD: 1n << 22n,
  /** Tags 69 and 70. Alone it forces headers too. */
  FRAGMENTS: 1n << 23n,
  HANDSHAKE_23: 1n << 24n,
  /** 35 and 36 replace 4 */
  UNLINK_ID: 1n << 25n,
  /** Stands for all that is mandatory in OTP 25. The guide says bit 36; the nodes say 26. */
  MANDATORY_25_DIGEST: 1n << 26n,
  /** 29..32 */
  SPAWN: 1n << 32n,
  /** Not an ability: the initiator asks the acceptor for a node name */
  NAME_ME: 1n << 33n,
  V4_NC: 1n << 34n,
  /** 33 and 34 */
  ALIAS: 1n << 35n,
  /** Internal to OTP's term_to_binary. Never sent. */
  LOCAL_EXT: 1n << 36n,
  /** 37, from OTP 28 on */
  ALTACT_SIG: 1n << 37n,
  /** Term tag 67, from OTP 29 on */
  NATIVE_RECORDS: 1n << 38n,
} as const

export type FlagName = keyof typeof flags

const mandatory25 =
  flags.EXTENDED_REFERENCES |
  flags.FUN_TAGS |
  flags.NEW_FUN_TAGS |
  flags.EXTENDED_PIDS_PORTS |
  flags.EXPORT_PTR_TAG |
  flags.BIT_BINARIES |
  flags.NEW_FLOATS |
  flags.UTF8_ATOMS |
  flags.MAP_TAG |
  flags.BIG_CREATION |
  flags.HANDSHAKE_23

/** Without these, OTP of that release refuses a peer. */
export const mandatoryFlags = { 25: mandatory25, 26: mandatory25 | flags.V4_NC | flags.UNLINK_ID } as const

/** What Beamlet takes beside the mandatory flags: each is served by the channel, in control.ts, header.ts and fragments.ts. */
const served =
  flags.DIST_MONITOR |
  flags.DIST_MONITOR_NAME |
  flags.DIST_HDR_ATOM_CACHE |
  flags.UNICODE_IO |
  flags.SEND_SENDER |
  flags.BIG_SEQTRACE_LABELS |
  flags.EXIT_PAYLOAD |
  flags.FRAGMENTS |
  flags.MANDATORY_25_DIGEST |
  flags.SPAWN |
  flags.ALIAS |
  flags.ALTACT_SIG |
  flags.NATIVE_RECORDS

/** What this node says in a handshake. No flag is offered that is not served. */
export function offeredFlags({ visible }: { readonly visible: boolean }): bigint {
  return mandatoryFlags[26] | served | (visible ? flags.PUBLISHED : 0n)
}

/** The flags a peer really has, given what it sent: MANDATORY_25_DIGEST is short for eleven of them. */
export function expandFlags(sent: bigint): bigint {
  return sent & flags.MANDATORY_25_DIGEST ? sent | mandatoryFlags[25] : sent
}

/** The names of the bits that are set, lowest first; a bit without a name as `2^N`. */
export function flagNames(bits: bigint): string[] {
  const names: string[] = []
  for (let bit = 0n; bits >> bit > 0n; bit++) {
    if ((bits >> bit) & 1n) names.push(nameByBit.get(1n << bit) ?? `2^${bit}`)
  }
  return names
}

const nameByBit = new Map<bigint, FlagName>(Object.entries(flags).map(([name, bit]) => [bit, name as FlagName]))

/**
 * Refuses a peer that lacks a mandatory flag.
 *
 * @param theirs as `expandFlags` gives them
 * @throws DistError DIST_FLAGS with the names of what is missing.
 */
export function checkFlags(peer: string, theirs: bigint, mask: bigint = mandatoryFlags[26]): void {
  const missing = mask & ~theirs
  if (missing === 0n) return
  throw new DistError('DIST_FLAGS', `The node ${peer} lacks what the protocol needs since OTP 26: ${flagNames(missing).join(', ')}.`, {
    remedy: 'Run OTP 25 or later there, or a client library that offers these flags.',
  })
}
