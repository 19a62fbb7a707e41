/** Beamlet: an Erlang node in TypeScript. */
export { Node, NodeProcess, type NodeOptions, type ServerName } from './beamlet.js'
export { EtfError } from './etf/index.js'
export type { Crash, NodeDown, NodeEvents, NodeUp, ProtocolFault } from './node/events.js'
export type { CallOptions } from './otp/gen.js'
export { RpcError } from './otp/erpc.js'
export {
  type Body,
  type Clock,
  ErlangError,
  ExitError,
  type MonitorOptions,
  Process,
  ProcessError,
  type ReceiveOptions,
  type To,
} from './process/index.js'
export * from './term/index.js'
