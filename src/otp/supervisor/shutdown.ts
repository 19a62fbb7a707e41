/**
 * Ending children: each is asked with `shutdown`, given its time, then killed. Several end at once, or one after the other.
 *
 * Source: supervisor.erl (shutdown, unlink_flush, terminate_dynamic_children).
 */
import { type Process, ProcessError } from '../../process/index.js'
import { atom, equals, Pid, Reference, type Term, Tuple } from '../../term/index.js'
import { isShutdown } from '../gen/cause.js'
import type { Child } from './child-spec.js'

const normal = atom('normal')
const shutdown = atom('shutdown')
const kill = atom('kill')
const killed = atom('killed')
const noproc = atom('noproc')

/** Resolves when the child has ended: to null, or to the reason when that is none of those it should have ended with. */
export async function endChild(self: Process, child: Child): Promise<Term | null> {
  if (!(child.pid instanceof Pid)) return null
  const [[, why] = []] = await endChildren(self, [child])
  return why ?? null
}

/** Ends them at once; gives back those that ended otherwise than they should. All have the same time. */
export async function endChildren(self: Process, children: readonly Child[]): Promise<[Child, Term][]> {
  const waiting = new Map<number, Child>()
  const brutal = children[0]?.shutdown === 'brutal_kill'
  for (const child of children) {
    if (!(child.pid instanceof Pid)) continue
    const ref = self.monitor(child.pid)
    waiting.set(self.host.table.numberOf(ref), child)
    self.exit(child.pid, brutal ? kill : shutdown)
  }
  const failed: [Child, Term][] = []
  const until = brutal ? Infinity : self.host.clock.now() + (children[0]?.shutdown as number)
  let late = brutal
  const isDown = (term: unknown): term is Tuple => term instanceof Tuple && term.length === 5 && waiting.has(numberOf(self, term))
  while (waiting.size > 0) {
    try {
      const timeout = late ? Infinity : Math.max(0, until - self.host.clock.now())
      const down = await self.receive(isDown, { timeout })
      const number = numberOf(self, down)
      const child = waiting.get(number) as Child
      waiting.delete(number)
      const why = await unlinked(self, child.pid as Pid, down.elements[4] as Term)
      if (!isRight(child, why)) failed.push([child, why])
    } catch (error) {
      if (!(error instanceof ProcessError && error.code === 'ERR_TIMEOUT')) throw error
      late = true
      for (const { pid } of waiting.values()) self.exit(pid as Pid, kill)
    }
  }
  return failed
}

/** The number of the reference in a DOWN message; −1 where there is none */
const numberOf = (self: Process, message: Tuple): number => {
  const ref: unknown = message.elements[1]
  return message.tag === 'DOWN' && ref instanceof Reference ? self.host.table.numberOf(ref) : -1
}

/** The link is gone, too, and no exit of the child is in the mailbox. The true reason of one that had ended before is in that exit. */
async function unlinked(self: Process, pid: Pid, why: Term): Promise<Term> {
  const isExit = (term: unknown): term is Tuple =>
    term instanceof Tuple && term.length === 3 && term.tag === 'EXIT' && equals(term.elements[1] as Term, pid)
  if (why === noproc) {
    const linked = self.host.links.has(self.local, pid)
    const exit = linked ? await self.receive(isExit) : self.poll(isExit)
    return exit ? (exit.elements[2] as Term) : atom('child_process_unlinked')
  }
  self.unlink(pid)
  self.poll(isExit)
  return why
}

function isRight({ shutdown: how, restart }: Child, why: Term): boolean {
  if (why === (how === 'brutal_kill' ? killed : shutdown)) return true
  return restart !== 'permanent' && (why === normal || isShutdown(why))
}
