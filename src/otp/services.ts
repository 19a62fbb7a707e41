/**
 * The processes that every node has, because other nodes count on them. A name that nobody has answers a call with `noproc`, and some
 * callers (net_adm:ping) disconnect for that.
 */
import type { Kernel } from '../node/kernel.js'
import type { Body } from '../process/index.js'
import { serveErpc } from './erpc.js'
import { globalNameServer } from './global-name-server.js'
import { groupLeader } from './group-leader.js'
import { netKernel } from './net-kernel.js'
import { rex } from './rex.js'

export interface ServiceOptions {
  /** Where text that processes print goes */
  readonly output: (text: string) => void
}

export function startServices(kernel: Kernel<any>, { output }: ServiceOptions): void {
  const { processes, code } = kernel
  const start = (name: string, body: Body): void => void processes.spawn(body, { name })
  serveErpc(code)
  const leader = processes.spawn(groupLeader(output), { name: 'user' })
  // Whoever is spawned without a parent prints where the node does.
  processes.init.groupLeader = leader.pid
  start('net_kernel', netKernel)
  start('rex', rex(code))
  if (!kernel.hidden) start('global_name_server', globalNameServer)
}
