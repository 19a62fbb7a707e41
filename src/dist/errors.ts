/** A fault in the distribution protocol, or a refusal by it. Codes begin with `DIST_`; see each function for its own. */
import { NodeError } from '../term/index.js'

export class DistError extends NodeError {}
