/**
 * What runs in a place, as far as others wait for it: see DrainOptions.
 *
 *   a server of a behaviour   a handler under way; calls and casts in its mailbox; calls that it will answer later, also those that a gen_statem postponed
 *   erpc, and rpc's calls     their processes
 *
 * A call whose caller has given it up (its time was over, it ended, its node is lost) runs no more: its monitor is gone.
 */
import { Begun, BodyRunner, type LocalProcess, type Process, type Processes, type Runner } from '../../process/index.js'
import { atom, type Term, Tuple } from '../../term/index.js'
import { isGivenUp, parseRequest, unanswered } from '../gen/gen.js'
import { GenRunner } from '../gen/runner.js'
import { blocked, rexWorker } from '../rpc/rex.js'

const [erpc, genEvent] = [atom('erpc'), atom('gen_event')]

/** How much runs in this place */
export function runningIn({ table }: Processes): number {
  let count = 0
  for (const process of table) count += runningOf(process)
  return count
}

function runningOf(process: LocalProcess): number {
  const { runner } = process
  if (runner instanceof GenRunner) return (runner.handles ? 1 : 0) + waiting(runner) + unanswered(runner.self)
  return isRpc(runner) || blocked.has(process as Process) ? 1 : 0
}

function waiting({ self, behaviour }: GenRunner): number {
  let count = 0
  for (const message of self.mailbox.terms()) if (behaviour === genEvent || isWaitedFor(self, message)) count++
  return count
}

function isWaitedFor(self: Process, message: Term): boolean {
  const parsed = parseRequest(message)
  return parsed.kind === 'cast' || (parsed.kind === 'call' && !isGivenUp(self, parsed.from))
}

/** Is it work that others ask for? null: a process that was started. */
export function isWork({ runner }: LocalProcess, message: Term | null): boolean {
  if (message === null) return isRpc(runner)
  if (!(runner instanceof GenRunner) || !(message instanceof Tuple)) return false
  return runner.behaviour === genEvent || parseRequest(message).kind !== 'info'
}

function isRpc(runner: Runner): boolean {
  const begun = runner instanceof BodyRunner ? runner.begun : runner
  return begun === rexWorker || (begun instanceof Begun && begun.initialCall?.elements[0] === erpc)
}
