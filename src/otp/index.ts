/** OTP behaviours and services in TypeScript. */
export type { CallOptions, MultiCall } from './gen/gen.js'
export {
  type From,
  type GenServer,
  genServer,
  ignore,
  type Next,
  noreply,
  reply,
  type ServerProcess,
  type ServerRef,
  type ServerStatus,
  stop,
} from './gen/gen-server.js'
export {
  type Actions,
  type Event,
  genStatem,
  keep,
  next,
  repeat,
  type State,
  type StatemProcess,
  type StatemRef,
} from './gen/gen-statem.js'
export {
  EventError,
  eventHandler,
  type EventHandler,
  type EventHandlerDefinition,
  type EventRef,
  type GenEvent,
  genEvent,
  type HandlerName,
  removeHandler,
  swapHandler,
} from './gen/gen-event.js'
export { supervisor, SupervisorError } from './supervisor/supervisor.js'
export type {
  ChildCode,
  ChildCounts,
  ChildInfo,
  ChildSpec,
  Startable,
  Strategy,
  SupervisorDefinition,
  SupervisorInit,
  SupervisorRef,
} from './supervisor/types.js'
export { application, ApplicationError } from './application/application.js'
export type { Applications, ApplicationName, SetEnvOptions } from './application/applications.js'
export type {
  Application,
  ApplicationDefinition,
  ApplicationInfo,
  ApplicationKey,
  Env,
  RestartType,
  Started,
  StartType,
} from './application/types.js'
export { RpcError } from './rpc/erpc.js'
export { type LogFields, logFields, type Logger, logTo } from './logger/logger.js'
export { loggerFormat } from './logger/log-text.js'
export { type IoDevice, ioServer, type Sink } from './io/server.js'
export type { Source } from './io/input.js'
export { type Device, IoError, type Io, type IoRequestOptions } from './io/io.js'
