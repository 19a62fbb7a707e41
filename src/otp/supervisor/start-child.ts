/** Starting a child: whatever its start function does, one of three outcomes. Source: supervisor.erl (do_start_child_i). */
import type { Code } from '../../node/code.js'
import { atomOf, isFarName, type Process, ProcessError, reason } from '../../process/index.js'
import { atom, Pid, type Term, Tuple, tuple } from '../../term/index.js'
import { ExitError } from '../../process/index.js'
import type { Child } from './child-spec.js'
import { whereis } from '../gen/server-name.js'
import { type Starting, startPid } from '../gen/start.js'

export type Started = { readonly pid: Pid | null; readonly extra?: Term } | { readonly error: Term }

/** Where supervisors run: every process of a node has it. */
export interface Supervising extends Process {
  readonly node: Starting & { readonly code: Code }
}

/** Links to the child that comes of it. Never rejects. */
export async function startChild(self: Supervising, child: Child): Promise<Started> {
  const started = await outcome(self, child)
  if ('pid' in started && started.pid) self.link(started.pid)
  return started
}

async function outcome(self: Supervising, { start, args }: Child): Promise<Started> {
  try {
    if (start.kind === 'mfa') return outcomeOf(await self.node.code.apply(self, start.module, start.fun, args as Term[]))
    if (start.kind === 'function') return outcomeOf(await (start.fun.apply(self, [...args]) as unknown))
    return { pid: await startPid(self.node, start.definition, { args: args as unknown[], name: start.name, on: start.on }, self) }
  } catch (thrown) {
    if (thrown instanceof ProcessError && thrown.code === 'ERR_IGNORE') return { pid: null }
    const name = start.kind === 'behaviour' ? start.name : undefined
    if (thrown instanceof ProcessError && thrown.code === 'ERR_NAME_TAKEN' && name !== undefined) {
      const pid = isFarName(name) ? whereis(self, name) : self.host.registry.pidOf(atomOf(name))
      return { error: tuple(atom('already_started'), pid ?? atom('undefined')) }
    }
    if (start.kind === 'behaviour' && thrown instanceof ExitError) return { error: thrown.reason }
    return thrown instanceof Error ? { error: tuple(atom('EXIT'), reason.reasonOf(thrown)) } : outcomeOf(thrown)
  }
}

function outcomeOf(out: unknown): Started {
  if (out instanceof Pid) return { pid: out }
  if (out === atom('ignore')) return { pid: null }
  if (out instanceof Tuple) {
    const [first, second, third] = out.elements as readonly Term[]
    if (first === atom('ok') && second instanceof Pid && out.length < 4)
      return third === undefined ? { pid: second } : { pid: second, extra: third }
    if (first === atom('error') && out.length === 2) return { error: second as Term }
  }
  const ref = out instanceof Object && 'pid' in out ? (out as { readonly pid: unknown }).pid : undefined
  return ref instanceof Pid ? { pid: ref } : { error: reason.termOf(out) }
}
