/** OTP behaviours and services in TypeScript. */
export type { CallOptions } from './gen.js'
export { type From, type GenServer, genServer, noreply, reply, type ServerProcess, type ServerRef, stop } from './gen-server.js'
export { RpcError } from './erpc.js'
