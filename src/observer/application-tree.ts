/**
 * The trees of applications as `appmon_info` tells them: who is linked to whom, from the application's master down. What a process's `$ancestors`
 * say decides whose child it is; another link is a secondary one.
 *
 * Two of them have no master, and begin with the node itself: `kernel`, the node's own services, and `beamlet`, what was started without a parent.
 *
 * Source: appmon_info.erl (calc_app_tree, do_find_proc, maybe_add_child).
 */
import type { Kernel } from '../node/kernel.js'
import type { ProcessInfo, Row } from '../otp/process-info/process-info.js'
import { type Wanted, wantedItems } from '../otp/process-info/items.js'
import { version } from '../otp/version.js'
import type { Process } from '../process/index.js'
import { Atom, atom, equals, format, Pid, Port, type Term, text, type Tuple, tuple, charlist } from '../term/index.js'

const none = atom('undefined')
const wanted = wantedItems([
  ...['registered_name', 'links', 'group_leader', 'label'].map(item => atom(item)),
  tuple(atom('dictionary'), atom('$ancestors')),
]) as Wanted

interface Entry {
  readonly pid: Pid
  readonly name: Atom | null
  readonly links: readonly Term[]
  readonly leader: Term
  readonly label: Term
  /** Who started it; undefined: it does not say. */
  readonly parent: Pid | undefined
}

export class ApplicationTrees {
  readonly #kernel: Kernel<any>
  readonly #info: ProcessInfo

  constructor(kernel: Kernel<any>, info: ProcessInfo) {
    this.#kernel = kernel
    this.#info = info
  }

  /** `[{Master, Name, {Name, Description, Vsn}}]` of those that run and have processes, and of the two that have no master */
  async applications(self: Process): Promise<Tuple[]> {
    const masters = await this.#masters(self)
    const { pid } = this.#kernel.processes.init
    const without = own
      .filter(([name]) => !masters.has(name))
      .map(([name, about]) => tuple(pid, atom(name), tuple(atom(name), charlist(about), charlist(version))))
    return [...[...masters.values()].map(({ master, entry }) => tuple(master, entry.elements[0] as Term, entry)), ...without]
  }

  /** `{Root, [{Pid, Name}], [{Parent, Child}], [{A, B}]}`, by their names as text; empty for an application that does not run */
  async tree(self: Process, name: Term): Promise<Tuple> {
    const known = new Map<string, Entry>()
    for await (const rows of this.#info.all(self.pid, wanted)) for (const row of rows) known.set(String(row[0]), this.#entry(row))
    const masters = await this.#masters(self)
    const running = name instanceof Atom ? masters.get(name.name) : undefined
    if (running) return this.#from(running.master, pid => linksOf(known, pid), known)
    if (name !== kernelName && name !== beamletName) return tuple([], [], [], [])
    const { init } = this.#kernel.processes
    const [services, others] = [this.#services(), new Set([...masters.values()].map(({ master }) => String(master)))]
    const isTop = ({ pid, parent }: Entry): boolean => {
      const isService = services.has(String(pid))
      return name === kernelName ? isService : !isService && parent === init.pid && !others.has(String(pid))
    }
    const top = [...known.values()].filter(isTop).map(({ pid }) => pid)
    return this.#from(init.pid, pid => (pid === init.pid ? top : linksOf(known, pid)), known)
  }

  /** Of applications that run and have processes, by their names */
  async #masters(self: Process): Promise<Map<string, { readonly master: Pid; readonly entry: Tuple }>> {
    const running = ((await this.#ask(self, 'application', 'which_applications')) ?? []) as readonly Tuple[]
    const found = new Map<string, { readonly master: Pid; readonly entry: Tuple }>()
    for (const entry of running) {
      const [name] = entry.elements as readonly [Atom]
      const master = await this.#ask(self, 'application_controller', 'get_master', name)
      if (master instanceof Pid) found.set(name.name, { master, entry })
    }
    return found
  }

  #from(root: Pid, childrenOf: (pid: Pid) => readonly Term[], known: ReadonlyMap<string, Entry>): Tuple {
    const [processes, primary, secondary] = [new Map<string, Term>(), new Map<string, Tuple>(), new Map<string, Tuple>()]
    const leader = known.get(String(root))?.leader
    const queue: Term[] = [root]
    const add = (links: Map<string, Tuple>, from: Pid, to: Term): void => {
      links.set(`${String(from)} ${String(to)}`, tuple(this.#label(from, known), this.#label(to, known)))
    }
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const key = String(next)
      if (next instanceof Port || processes.has(key)) continue
      processes.set(key, tuple(next, this.#label(next, known)))
      if (!(next instanceof Pid)) continue
      const parent = next
      for (const child of childrenOf(parent)) {
        if (processes.has(String(child))) continue
        const entry = known.get(String(child))
        const isForeign = child instanceof Pid && child.node !== this.#kernel.processes.table.node
        if (isForeign) {
          add(secondary, parent, child)
          queue.push(child)
        } else if (!(child instanceof Pid) || !entry) continue
        else if (entry.parent !== undefined && !equals(entry.parent, parent)) add(secondary, parent, child)
        else if (
          entry.parent === undefined &&
          parent !== this.#kernel.processes.init.pid &&
          leader !== undefined &&
          !equals(entry.leader, leader)
        )
          continue
        else {
          add(primary, parent, child)
          queue.push(child)
        }
      }
    }
    return tuple(this.#label(root, known), [...processes.values()], [...primary.values()], [...secondary.values()])
  }

  /** As appmon names it: each name is another's. */
  #label(of: Term, known: ReadonlyMap<string, Entry>): Term {
    const entry = known.get(String(of))
    if (entry?.name) return charlist(entry.name.name)
    const pid = format(of).replace(/^<\d+/, '<0')
    if (of instanceof Pid && of.node !== this.#kernel.processes.table.node) return charlist(`${format(of)} ${of.node.name}`)
    if (of === this.#kernel.processes.init.pid) return charlist('init')
    return entry && entry.label !== none ? charlist(`${labelText(entry.label)} ${pid}`) : charlist(pid)
  }

  #entry([pid, values]: Row): Entry {
    const [name, links, leader, label, ancestors] = values as [Term, Term[], Term, Term, Term]
    const first: unknown = Array.isArray(ancestors) ? ancestors[0] : undefined
    const parent = first instanceof Atom ? this.#kernel.processes.registry.pidOf(first) : first
    return { pid, name: name instanceof Atom ? name : null, links, leader, label, parent: parent instanceof Pid ? parent : undefined }
  }

  /** The services of the node itself, which are no application's */
  #services(): ReadonlySet<string> {
    const { registry, init } = this.#kernel.processes
    const names = ['user', 'net_kernel', 'rex', 'global_name_server', 'application_controller', 'logger', 'pg']
    const pids = [init.groupLeader, ...names.map(name => registry.pidOf(atom(name) as Atom))]
    return new Set(pids.flatMap(pid => (pid ? String(pid) : [])))
  }

  /** Undefined where this node has no such function */
  async #ask(self: Process, module: string, fun: string, ...args: Term[]): Promise<Term | undefined> {
    const found = this.#kernel.code.find(atom(module) as Atom, atom(fun) as Atom, args.length)
    return found && ((await found.apply(self, args)) as Term)
  }
}

const [kernelName, beamletName] = [atom('kernel'), atom('beamlet')]
const own = [
  ['kernel', 'What a node of a cluster has'],
  ['beamlet', 'What was started on this node'],
] as const

const linksOf = (known: ReadonlyMap<string, Entry>, pid: Pid): readonly Term[] => [...(known.get(String(pid))?.links ?? [])].reverse()

function labelText(label: Term): string {
  try {
    return Array.isArray(label) || Buffer.isBuffer(label) ? text(label) : format(label)
  } catch {
    return format(label) // A list that is no text
  }
}
