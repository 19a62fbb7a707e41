/** Asking an application master: `{Request, Tag, Self}` → `{Tag, Answer}`. Source: application_master.erl (call). */
import type { Process } from '../../process/index.js'
import { any, atom, match, type Pid, type Term, tuple } from '../../term/index.js'

/** Resolves to the answer, or to `ok` when the master has ended. */
export async function askMaster(self: Process, master: Pid, request: 'stop' | 'get_child'): Promise<Term> {
  const ref = self.monitor(master)
  self.send(master, tuple(atom(request), ref, self.pid))
  const { elements } = await self.receive(match.oneOf(match([ref, any]), match([any, ref, any, any, any])))
  self.demonitor(ref, { flush: true })
  return elements.length === 2 ? (elements[1] as Term) : atom('ok')
}
