/** What the exit code says. The table for people is in docs/cli.md. */
import { ExitError } from '../process/errors.js'
import { atom, NodeError } from '../term/index.js'

export const exitCodes = {
  ok: 0,
  /** The peer was reached, and answered with a failure. */
  failed: 1,
  /** Nothing was tried: the command line, a term, the cookie or the environment is wrong. */
  usage: 2,
  /** There is no connection, or it broke. */
  unreachable: 3,
  /** The peer was reached, and did not answer in time. */
  timeout: 4,
  /** A fault of Beamlet's own: EX_SOFTWARE of sysexits.h */
  bug: 70,
} as const

/** Errors about what was asked for, before anybody was asked. */
const misuse = /^(?:CLI_(?:USAGE|FILE)|ERR_TERM_\w+|ERR_NAME|NAME_(?:FORMAT|CHARACTERS|LENGTH)|COOKIE_\w+|TLS_\w+|EPMD_(?:PORT|NAME))$/

const unreachable = /^(?:EPMD|NET|DIST|NODE)_|^NAME_SHORT_LONG$|^STORE_NODE_DOWN$/

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof NodeError)) return exitCodes.bug
  if (misuse.test(error.code)) return exitCodes.usage
  if (unreachable.test(error.code) || isLost(error)) return exitCodes.unreachable
  return error.code === 'ERR_TIMEOUT' || error.code === 'STORE_TIMEOUT' ? exitCodes.timeout : exitCodes.failed
}

/** The connection was there, and broke before the answer. */
function isLost(error: NodeError): boolean {
  const asked = error instanceof ExitError || error.code === 'ERR_RPC_ERPC'
  return asked && (error as NodeError & { readonly reason: unknown }).reason === atom('noconnection')
}
