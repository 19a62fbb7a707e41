/** Beamlet: an Erlang node in TypeScript. */
export { type GlobalName, Node, NodeProcess, type NodeOptions, type ServerName, type StartName, type ViaName } from './beamlet.js'
export { diagnose, type DiagnoseOptions } from './diagnose.js'
export { EtfError } from './etf/index.js'
export { CodeError, type LoadOptions, type Upgraded, UpgradeError, type UpgradeOptions, type VersionInfo } from './node/code.js'
export { type DiagnosisStep, type DiagnosisStepName, diagnosisSteps, machineSteps } from './node/diagnosis.js'
export type { Crash, Draining, LongSchedule, NodeDown, NodeEvents, NodeUp, ProtocolFault } from './node/events.js'
export { diagnoseHere, type DiagnoseHereOptions } from './node/machine.js'
export type { Drained, DrainOptions } from './otp/drain/options.js'
export type { CallOptions } from './otp/gen/gen.js'
export type { Pem, TlsClient, TlsOptions, TlsServer, TlsSide, TlsVersion } from './net/tls-options.js'
export { RpcError, RpcRequest } from './otp/rpc/erpc.js'
export { Global, type LockOptions, ProcessGlobal, type RegisterOptions, type SyncOptions } from './otp/global/global.js'
export type { Resolve, ResolveMethod } from './otp/global/methods.js'
export type { MonitorNodesOptions } from './otp/monitor-nodes.js'
export { ReleaseError, type ReleaseFault } from './otp/release/errors.js'
export { ReleaseHandler } from './otp/release/release-handler.js'
export type {
  AddModule,
  Apply,
  DeleteModule,
  Installed,
  Instruction,
  LoadModule,
  ModuleChange,
  NodeRelease,
  NotUndone,
  ObjectCode,
  ReleaseOptions,
  ReleaseProgress,
  Update,
} from './otp/release/types.js'
export { Pg, ProcessPg } from './otp/pg/pg.js'
export { type FunctionCall, ProcessRpc, Rpc } from './otp/rpc/rpc.js'
export {
  type Body,
  type Clock,
  ErlangError,
  ExitError,
  type LogEvent,
  type LogLevel,
  type MaxHeapSize,
  type MonitorOptions,
  Process,
  ProcessError,
  type ReceiveOptions,
  type RemoteCode,
  type SendOptions,
  SeqTrace,
  type SpawnAtOptions,
  SpawnError,
  type SpawnOpt,
  type SpawnRequestOptions,
  type To,
  type TraceFlag,
  type TraceToken,
} from './process/index.js'
export * from './term/index.js'
