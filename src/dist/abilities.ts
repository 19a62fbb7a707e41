import { flags } from './flags.js'

/** What the flags of a connection allow. Asked for with every signal that goes out, and to ask a bigint would cost more than the rest of the choice. */
export interface Abilities {
  readonly monitors: boolean
  readonly aliases: boolean
  readonly altact: boolean
  /** Is the sender of a message told? */
  readonly senders: boolean
  /** Do reasons stand behind their control messages? */
  readonly exitPayload: boolean
  /** Labels of trace tokens that are more than small integers */
  readonly bigLabels: boolean
  readonly records: boolean
  readonly fragments: boolean
  readonly atomCache: boolean
}

export function abilitiesOf(negotiated: bigint): Abilities {
  const has = (flag: bigint): boolean => (negotiated & flag) !== 0n
  return {
    monitors: has(flags.DIST_MONITOR) && has(flags.DIST_MONITOR_NAME),
    aliases: has(flags.ALIAS),
    altact: has(flags.ALTACT_SIG),
    senders: has(flags.SEND_SENDER),
    exitPayload: has(flags.EXIT_PAYLOAD),
    bigLabels: has(flags.BIG_SEQTRACE_LABELS),
    records: has(flags.NATIVE_RECORDS),
    fragments: has(flags.FRAGMENTS),
    atomCache: has(flags.DIST_HDR_ATOM_CACHE),
  }
}
