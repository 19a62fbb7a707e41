/**
 * An application's own callbacks, as its root process runs them; what comes of a start in OTP's terms.
 *
 * Source: application_master.erl (start_it_old, start_supervisor, prep_stop).
 */
import { type Process, ExitError, reason } from '../../process/index.js'
import { atom, equals, Pid, type Term, Tuple, tuple } from '../../term/index.js'
import { runPhases } from './application-starter.js'
import type { ApplicationCode } from './types.js'
import { caught, whatOf } from './caught.js'
import { stateTerm } from '../gen/runner.js'
import type { LoadedApplications } from './loaded-applications.js'
import { errorReport } from '../logger/report.js'
import { definitionOf, type Starting, startPid } from '../gen/start.js'

export type Begun = { readonly pid: Pid; readonly state: unknown } | { readonly failed: Term }

const normal = atom('normal')

/** Runs `start`, and the start phases. Never rejects. */
export async function beginApplication(self: Process, node: Starting, code: ApplicationCode, loaded: LoadedApplications): Promise<Begun> {
  const call = tuple(code.module, atom('start'), [normal, []])
  const out = await startOf(self, node, code)
  const begun = begunBy(out)
  if (!begun) {
    const [tag, why] = out instanceof Tuple && out.length === 2 ? (out.elements as readonly Term[]) : []
    if (tag === atom('error')) return { failed: tuple(why as Term, call) }
    if (tag === atom('EXIT') && why === normal) return { failed: tuple(out as Term, call) }
    return { failed: tuple(atom('bad_return'), tuple(call, stateTerm(self, out))) }
  }
  self.link(begun.pid)
  const failed = await runPhases(self, code, loaded)
  if (failed === null) return begun
  // OTP leaves its processes as they are, and they never end.
  await shutDown(self, begun.pid, atom('shutdown'))
  return { failed }
}

/** Ends the process at the application's top, and waits until it has ended. */
export async function shutDown(self: Process, pid: Pid, why: Term): Promise<void> {
  self.exit(pid, why)
  const isExit = (term: unknown): term is Tuple =>
    term instanceof Tuple && term.length === 3 && term.tag === 'EXIT' && equals(term.elements[1] as Term, pid)
  await self.receive(isExit)
}

async function startOf(self: Process, node: Starting, { definition: { start } }: ApplicationCode): Promise<unknown> {
  if (typeof start === 'function') return caught(() => start.call(self as never, 'normal'))
  const definition = definitionOf(start)
  if (!definition) return atom('undefined')
  try {
    return await startPid(node, definition, undefined, self)
  } catch (thrown) {
    // What its start_link would return
    return thrown instanceof ExitError ? tuple(atom('error'), thrown.reason) : whatOf(thrown)
  }
}

function begunBy(out: unknown): { readonly pid: Pid; readonly state: unknown } | null {
  if (out instanceof Pid) return { pid: out, state: [] }
  if (out instanceof Tuple) {
    const [ok, pid, state = []] = out.elements as readonly Term[]
    return ok === atom('ok') && pid instanceof Pid && out.length < 4 ? { pid, state } : null
  }
  if (!(out instanceof Object)) return null
  const { supervisor = out, state = [] } = out as { readonly supervisor?: unknown; readonly state?: unknown }
  const pid = supervisor instanceof Pid ? supervisor : (supervisor as { readonly pid?: unknown }).pid
  return pid instanceof Pid ? { pid, state } : null
}

/** Resolves to the state that `stop` is given. */
export async function prepareStop(self: Process, code: ApplicationCode, state: unknown): Promise<unknown> {
  const { prepStop } = code.definition
  if (!prepStop) return state
  const kept = await shuttingDown(self, code, 'prep_stop', state, () => prepStop.call(self as never, state))
  return kept === undefined ? state : kept
}

export async function endApplication(self: Process, code: ApplicationCode, state: unknown): Promise<void> {
  const { stop } = code.definition
  if (stop) await shuttingDown(self, code, 'stop', state, () => stop.call(self as never, state))
}

/** What it throws is reported, and the application goes on to stop. OTP reports that of `prep_stop` alone. */
async function shuttingDown(self: Process, code: ApplicationCode, fun: string, state: unknown, run: () => unknown): Promise<unknown> {
  try {
    return await run()
  } catch (thrown) {
    errorReport(self, () => [
      tuple(atom('application_master'), atom('shutdown_error')),
      tuple(code.module, tuple(atom(fun), [stateTerm(self, state)])),
      tuple(atom('error_info'), reason.reasonOf(thrown)),
    ])
    return undefined
  }
}
