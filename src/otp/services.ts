/**
 * The processes that every node has, because other nodes count on them. A name that nobody has answers a call with `noproc`, and some
 * callers (net_adm:ping) disconnect for that.
 */
import type { Kernel } from '../node/kernel.js'
import type { Body } from '../process/index.js'
import { serveErpc } from './rpc/erpc.js'
import { type IoDevice, ioServer } from './io/server.js'
import { logText } from './logger/log-text.js'
import { loggerProxy } from './logger/logger-proxy.js'
import { netKernel } from './net-kernel.js'
import { placedServer, startPlaced } from './gen/placed-server.js'
import { logCrash } from './logger/report.js'
import { rex } from './rpc/rex.js'
import { sendNamed } from './gen/server-name.js'
import { viaNames } from './gen/via.js'
import { Upgrades } from './upgrade/upgrades.js'

/** @param device where the node prints, and reads from. Returns what moves its servers to new versions. */
export function startServices(kernel: Kernel<any>, device: IoDevice): Upgrades {
  const { processes, code } = kernel
  const start = (name: string, body: Body): void => void processes.spawn(body, { name })
  serveErpc(code)
  kernel.spawner.starters.set(placedServer, startPlaced)
  kernel.logText = logText
  processes.viaNames = viaNames(code)
  processes.sendNamed = sendNamed
  const upgrades = new Upgrades(kernel)
  code.mover = upgrades
  kernel.logCrash = logCrash
  // Names are main's, and so are those who have them.
  if (kernel.uplink) return upgrades
  const leader = processes.spawn(ioServer(device), { name: 'user' })
  // Whoever is spawned without a parent prints where the node does.
  processes.init.groupLeader = leader.pid
  start(
    'logger_proxy',
    loggerProxy(processes.logger, ({ name }) => kernel.nodes('connected').includes(name)),
  )
  start('net_kernel', netKernel)
  start('rex', rex(code))
  return upgrades
}
