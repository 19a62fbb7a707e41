/**
 * `net_kernel:monitor_nodes/2`: messages to a process when nodes come and go.
 *
 *   {nodeup, Node}   {nodedown, Node}                without options, of visible nodes
 *   {nodeup, Node, Info}   {nodedown, Node, Info}    with options: a map, or a list of {Key, Value}
 *
 * A process hears `nodeup` before everything else that comes over that connection, and `nodedown` after it. Source: net_kernel.erl (monitor_nodes/2, send_list).
 */
import type { Kernel } from '../node/kernel.js'
import { type LocalProcess, type Process, ProcessError } from '../process/index.js'
import { type Atom, atom, compare, type Term, tuple } from '../term/index.js'

export interface MonitorNodesOptions {
  /** Which nodes; it also has the type told. Default: visible ones, and nothing is told of it */
  readonly nodeType?: 'visible' | 'hidden' | 'all' | undefined
  /** Has `nodedown` tell why: connection_closed, net_tick_timeout, disconnect … */
  readonly nodedownReason?: boolean | undefined
  /** Has the number of the connection told, which is another each time */
  readonly connectionId?: boolean | undefined
  /** The shape of what is told. Default: 'map' */
  readonly info?: 'map' | 'list' | undefined
}

interface Subscription {
  readonly options: MonitorNodesOptions | undefined
  /** Equal for equal options */
  readonly key: string
}

interface Up {
  readonly hidden: boolean
  readonly id: number
}

export class MonitorNodes {
  readonly #kernel: Kernel<any>
  readonly #subscribers = new Map<LocalProcess, Subscription[]>()
  readonly #up = new Map<string, Up>()
  #connections = 0

  constructor(kernel: Kernel<any>) {
    this.#kernel = kernel
    kernel.on('nodeup', (name, { hidden }) => {
      const up = { hidden, id: ++this.#connections }
      this.#up.set(name, up)
      this.#tell('nodeup', name, up)
    })
    kernel.on('nodedown', (name, { hidden, reason }) => {
      const up = this.#up.get(name) ?? { hidden, id: ++this.#connections }
      this.#up.delete(name)
      this.#tell('nodedown', name, up, reason)
    })
  }

  /**
   * Each `on` brings every message once more; without it all that were asked for with these options end.
   *
   * @throws ProcessError ERR_BADARG for options that are none.
   */
  set(process: Process, on: boolean, options?: MonitorNodesOptions): void {
    const key = keyOf(options)
    if (!process.local.alive) return
    const known = this.#subscribers.get(process)
    if (on && known) known.push({ options, key })
    else if (on) {
      this.#subscribers.set(process, [{ options, key }])
      process.signal.addEventListener('abort', () => this.#subscribers.delete(process), { once: true })
    } else if (known) this.#subscribers.set(process, known.filter(one => one.key !== key)) // prettier-ignore
  }

  #tell(what: 'nodeup' | 'nodedown', name: string, up: Up, reason?: string): void {
    for (const [process, subscriptions] of [...this.#subscribers]) {
      for (const { options } of subscriptions) {
        const { nodeType = 'visible' } = options ?? {}
        if (nodeType !== 'all' && (nodeType === 'hidden') !== up.hidden) continue
        const node = atom(name)
        this.#kernel.processes.message(process, options ? tuple(atom(what), node, infoOf(options, up, reason)) : tuple(atom(what), node))
      }
    }
  }
}

function infoOf(
  { nodeType, nodedownReason, connectionId, info }: MonitorNodesOptions,
  { hidden, id }: Up,
  reason: string | undefined,
): Term {
  // In the order in which OTP lists them
  const told: [Atom, Term][] = []
  if (connectionId === true) told.push([atom('connection_id') as Atom, id])
  if (nodedownReason === true && reason !== undefined) told.push([atom('nodedown_reason') as Atom, atom(reason)])
  if (nodeType !== undefined) told.push([atom('node_type') as Atom, atom(hidden ? 'hidden' : 'visible')])
  return info === 'list' ? told.map(pair => tuple(...pair)) : (new Map(told.toSorted(([one], [other]) => compare(one, other))) as Term)
}

function keyOf(options: MonitorNodesOptions | undefined): string {
  if (options === undefined) return ''
  const { nodeType, nodedownReason = false, connectionId = false, info = 'map' } = options
  if (!(nodeType === undefined || ['visible', 'hidden', 'all'].includes(nodeType)) || !['map', 'list'].includes(info))
    throw new ProcessError('ERR_BADARG', "monitorNodes takes nodeType 'visible', 'hidden' or 'all', and info 'map' or 'list'.")
  return [nodeType ?? '', nodedownReason, connectionId, info].join()
}
