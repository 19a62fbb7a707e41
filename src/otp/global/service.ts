/**
 * `global` of a node: its name server, its locker and its registrar, and what they need of the node. Main has them, and answers for the other places, which
 * know all names, too.
 *
 *   main → place    global_named, Name, Pid | undefined
 *
 * If one of the three is ended by somebody, the others end with it, and all begin anew; on the BEAM the node would go down. The connections to
 * visible nodes end then, so that these begin anew, too.
 */
import type { Kernel } from '../../node/kernel.js'
import type { Process, Processes } from '../../process/index.js'
import { type Atom, atom, type NodeError, Pid, type Reference, type Sendable, type Term, tuple } from '../../term/index.js'
import { cast, castOf, reply } from '../gen/gen.js'
import { ProcessGlobal } from './global.js'
import { GlobalLocker } from './locker.js'
import { serverName } from './lock-calls.js'
import { GlobalMethods } from './methods.js'
import { GlobalNameServer, type GlobalOutside } from './name-server.js'
import { registrar } from './registrar.js'
import { exchangeOps, resolveNames } from './resolver.js'
import { TermTable } from '../term-table.js'
import { warn } from '../logger/report.js'

interface Instance {
  readonly self: Process
  readonly server: GlobalNameServer
  /** Stands first in what the node itself says to the name server */
  readonly own: Reference
}

export class GlobalService {
  readonly methods = new GlobalMethods()
  readonly processes: Processes
  readonly kernel: Kernel<any>
  /** Elsewhere than in main: the names, as main has told */
  readonly #copy = new TermTable<Pid>()
  /** null elsewhere than in main */
  #instance: Instance | null = null

  constructor(kernel: Kernel<any>) {
    this.kernel = kernel
    this.processes = kernel.processes
    this.processes.clusterNames = {
      whereis: name => this.whereis(name),
      register: (self, name) => new ProcessGlobal(this, self).register(name, self.pid),
    }
    if (kernel.uplink) {
      kernel.notices.set('global_named', (name: Term, pid: Term) => this.#told(name, pid))
      return
    }
    kernel.greetings.push(() => this.entries().map(([name, pid]) => ['global_named', name, pid] as const))
    this.#instance = this.#start()
    kernel.on('nodeup', (name, { hidden }) => this.#tell('nodeup', atom(name), hidden))
    kernel.on('nodedown', (name, { hidden }) => this.#tell('nodedown', atom(name), hidden))
  }

  /** null elsewhere than in main */
  get server(): GlobalNameServer | null {
    return this.#instance?.server ?? null
  }

  /** `global:whereis_name/1`. A process of this node that has ended has no name, though it may still stand in the table. */
  whereis(name: Term): Pid | undefined {
    const pid = this.server ? this.server.names.get(name)?.pid : this.#copy.get(name)
    const { table } = this.processes
    if (!pid || pid.node !== table.node) return pid
    return table.owns(pid) && (table.locate(pid) !== table.place || table.find(pid)) ? pid : undefined
  }

  entries(): (readonly [name: Term, pid: Pid])[] {
    if (!this.server) return [...this.#copy]
    return this.server.names.entries().map(({ name, pid }) => [name, pid] as const)
  }

  #told(name: Term, pid: Term): void {
    if (pid instanceof Pid) this.#copy.set(name, pid)
    else this.#copy.delete(name)
  }

  /** Connections that are hidden do not concern it. It hears of the others in the order in which it hears what comes over them. */
  #tell(what: 'nodeup' | 'nodedown' | 'missing', node: Term, hidden = false): void {
    if (hidden || !this.#instance) return
    const { self, own } = this.#instance
    this.processes.send(this.processes.init, self.pid, tuple(own, atom(what), node))
  }

  #start(): Instance {
    const { processes, kernel, methods } = this
    const own = processes.table.makeRef()
    const self = processes.spawn(
      async self => {
        self.link(locker.pid)
        self.link(names.pid)
        try {
          for await (const message of self) server.onMessage(message)
        } finally {
          if (!kernel.isClosing) this.#begin()
        }
      },
      { name: serverName },
    )
    const locker = processes.spawn(self => new GlobalLocker(self, server.locks).run())
    const isFree = (name: Term, pid: Pid): boolean => this.whereis(name) === undefined && !server.names.has(pid)
    const names = processes.spawn(self => registrar(self, { locks: server.locks, isFree }))
    const server: GlobalNameServer = new GlobalNameServer(
      this.#outside(self, locker, names, () => server),
      methods,
      {
        node: processes.table.node,
        creation: kernel.creation,
        own,
        connectAll: kernel.connectAll,
        prevent: kernel.connectAll && kernel.preventOverlappingPartitions,
      },
    )
    return { self, server, own }
  }

  /** Anew */
  #begin(): void {
    for (const [name] of this.entries()) this.kernel.tellPlaces('global_named', name, atom('undefined'))
    this.#instance = this.#start()
    for (const node of this.kernel.nodes()) this.kernel.disconnect(node)
  }

  #outside(self: Process, locker: Process, names: Process, server: () => GlobalNameServer): GlobalOutside {
    const { kernel, processes, methods } = this
    const isConnected = (node: Atom): boolean => (kernel.main?.peers.connectionTo(node.name) ?? null) !== null
    const send = (node: Atom, message: Sendable): void => void self.send({ name: serverName, node }, message)
    return {
      locker: locker.pid,
      isConnected,
      send,
      sendConnected: (node, message) => {
        if (isConnected(node)) send(node, message)
      },
      tellLocker: message => void self.send(locker.pid, message),
      tellRegistrar: message => void self.send(names.pid, message),
      reply: (to, value) => reply(self, to, value),
      named: (name, pid) => kernel.tellPlaces('global_named', name, pid ?? atom('undefined')),
      monitor: pid => self.monitor(pid),
      demonitor: ref => void self.demonitor(ref, { flush: true }),
      monitorNode: (node, on) => self.monitorNode(node, on),
      nodes: () => kernel.nodes().map(node => atom(node) as Atom),
      disconnect: node => void kernel.disconnect(node),
      kill: resolver => self.exit(resolver, atom('kill')),
      now: () => processes.clock.now(),
      meet: node => void processes.spawn(meeting => this.#meet(meeting, node)),
      resolve: (node, tag, theirs) =>
        processes.spawn(async resolver => {
          const outcome = await resolveNames(resolver, server().names, methods, node, theirs)
          cast(resolver, self.pid, exchangeOps(node, tag, outcome))
        }).pid,
      warn: (what, node) => warn(self, { label: label('prevent_overlapping_partitions'), what: atom(what), node }),
      unexpected: message => warn(self, { label: label('unexpected_message'), message }),
    }
  }

  /** Connects to a node that another has told of. */
  async #meet(self: Process, node: Atom): Promise<void> {
    try {
      await this.kernel.main?.peers.autoConnect(node)
    } catch (error) {
      const { message } = error as NodeError
      warn(self, { label: label('failed_to_connect'), node, reason: message })
      return this.#tell('missing', node)
    }
    self.send({ name: serverName, node }, castOf(tuple(atom('in_sync'), self.pid.node, true)))
  }
}

const label = (what: string): Sendable => tuple(atom('global'), atom(what))
