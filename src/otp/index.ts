/** OTP behaviours and services in TypeScript. */
export type { CallOptions, MultiCall } from './gen.js'
export {
  type From,
  type GenServer,
  genServer,
  type Next,
  noreply,
  reply,
  type ServerProcess,
  type ServerRef,
  type ServerStatus,
  stop,
} from './gen-server.js'
export { RpcError } from './erpc.js'
