/** Who is in which group. A process that joined twice is there twice, as in OTP. */
import { type Pid, type Term } from '../../term/index.js'
import { TermTable } from '../term-table.js'

export class PgGroups {
  readonly #groups = new TermTable<Pid[]>()

  members(group: Term): readonly Pid[] {
    return this.#groups.get(group) ?? []
  }

  add(group: Term, pids: readonly Pid[]): void {
    if (pids.length === 0) return
    const members = this.#groups.get(group)
    if (members) for (const pid of pids) members.push(pid)
    else this.#groups.set(group, [...pids])
  }

  /** Takes each out once, and returns those that were there. */
  remove(group: Term, pids: readonly Pid[]): Pid[] {
    const members = this.#groups.get(group)
    if (!members) return []
    const [left, removed] = without(members, pids)
    if (left.length === 0) this.#groups.delete(group)
    else if (removed.length > 0) this.#groups.set(group, left)
    return removed
  }

  names(): Term[] {
    return [...this.#groups].map(([group]) => group)
  }

  entries(): (readonly [group: Term, members: readonly Pid[]])[] {
    return [...this.#groups]
  }
}

export const keyOf = ({ node, id, serial, creation }: Pid): string => `${id}.${serial}.${creation}@${node.name}`

/** `List -- Pids`, and what that takes out, in a time that grows with their length and not with its square. */
export function without(list: readonly Pid[], pids: readonly Pid[]): [left: Pid[], removed: Pid[]] {
  const counts = new Map<string, number>()
  for (const pid of pids) counts.set(keyOf(pid), (counts.get(keyOf(pid)) ?? 0) + 1)
  const [left, removed]: [Pid[], Pid[]] = [[], []]
  for (const pid of list) {
    const count = counts.get(keyOf(pid)) ?? 0
    if (count > 0) counts.set(keyOf(pid), count - 1)
    ;(count > 0 ? removed : left).push(pid)
  }
  return [left, removed]
}
