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
