/**
 * Processes by their group leader, in every place of the node.
 *
 *   main → place    end_group, Leader            how many there were: they are killed
 */
import type { Kernel } from '../../node/kernel.js'
import type { Census } from '../../node/places/census.js'
import { reason } from '../../process/index.js'
import { atom, equals, type Pid } from '../../term/index.js'
import type { ProcessInfo } from './process-info.js'
import { type Wanted, wantedItems } from './items.js'

const groupLeader = wantedItems([atom('group_leader')]) as Wanted

export class ProcessGroups {
  readonly #kernel: Kernel<any>
  readonly #info: ProcessInfo

  /** In main, and in every other place, which answers main. */
  constructor(kernel: Kernel<any>, info: ProcessInfo) {
    this.#kernel = kernel
    this.#info = info
    if (kernel.uplink) kernel.inquiries.set('end_group', (leader: Pid) => kernel.processes.endGroup(leader))
  }

  /** The group leader of a process of this node; undefined when it has ended */
  async leaderOf(pid: Pid): Promise<Pid | undefined> {
    const told = await this.#info.of(pid, pid, groupLeader)
    return told?.[0]?.elements[1] as Pid | undefined
  }

  /**
   * Kills all whose group leader that is, and what they start meanwhile. In a scheduler of the pool that computes they end at its next `await`, and
   * nobody waits for that.
   */
  async end(leader: Pid): Promise<void> {
    const { processes, main } = this.#kernel
    const census = main?.schedulers.census
    for (;;) {
      const here = processes.endGroup(leader)
      const there = await Promise.all((census?.numbers() ?? []).map(place => this.#endIn(census as Census, place, leader)))
      if (there.reduce((sum, count) => sum + count, here) === 0) return
    }
  }

  async #endIn(census: Census, place: number, leader: Pid): Promise<number> {
    const { processes } = this.#kernel
    const members = [...census.known(place).values()].filter(({ resident }) => resident && equals(resident.groupLeader, leader))
    // A signal ends an isolated one that computes; which has no others with it.
    for (const { pid } of members) processes.sendExit(processes.init, pid, reason.kill)
    if (members.length === 0 && census.isIsolated(place)) return 0
    return Number((await census.ask(place, 'end_group', leader)) ?? 0)
  }
}
