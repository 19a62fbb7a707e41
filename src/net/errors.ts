/** A socket that failed or was not used as it must be. Codes begin with `NET_`. */
import { NodeError } from '../term/index.js'

export class NetError extends NodeError {}
