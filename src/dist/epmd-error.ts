/**
 * What can go wrong with EPMD, the port mapper. Codes begin with `EPMD_`:
 *
 * | code | what happened |
 * |---|---|
 * | EPMD_UNREACHABLE | nothing answers at that host and port |
 * | EPMD_UNKNOWN_HOST | the host name has no address |
 * | EPMD_TIMEOUT | it accepted, and did not answer in time |
 * | EPMD_CLOSED | it closed before it had answered |
 * | EPMD_FORMAT | its answer, or a request to it, is not EPMD's protocol |
 * | EPMD_NO_SUCH_NODE | it answers, and knows no node of that name |
 * | EPMD_NAME_TAKEN | it refused to register: the name is in use |
 * | EPMD_REFUSED | it closed instead of obeying a command |
 * | EPMD_PORT_IN_USE | another program holds the port that the embedded server wants |
 * | EPMD_LISTEN | the embedded server cannot listen at that address |
 * | EPMD_PORT | `ERL_EPMD_PORT`, or a port that was given, is no port |
 * | EPMD_NAME | the name to register or look up is none that EPMD can hold |
 * | EPMD_OFF | this node runs without EPMD |
 * | EPMD_ABORTED | the caller's AbortSignal fired; `cause` is its reason |
 */
import { NodeError } from '../term/index.js'

export class EpmdError extends NodeError {}
