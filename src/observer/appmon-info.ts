/**
 * The process `appmon_info`, which observer's tab of applications has started here, and asks for what it shows. It ends with who started it, or with its
 * last client.
 *
 *   rpc   appmon_info:start_link2(Starter, Client, Options)      {ok, Pid}
 *   cast  {Client, Command, About, true | false, Options}        from now on, or not any more
 *         → {delivery, Self, Command, About, Result}             at once, and whenever it has changed, looked at every 2 s (`timeout`)
 *   Command   app_ctrl: [{Master, Name, {Name, Description, Vsn}}]     app: the tree of an application     pinfo: a process, as text     load: {Before, Now}
 *
 * Source: appmon_info.erl.
 */
import type { Kernel } from '../node/kernel.js'
import type { Builtins } from '../otp/rpc/builtins.js'
import { parseRequest, reply } from '../otp/gen/gen.js'
import type { ProcessInfo } from '../otp/process-info/process-info.js'
import type { Process } from '../process/index.js'
import { Atom, atom, equals, format, Pid, type Term, Tuple, tuple, charlist } from '../term/index.js'
import { ApplicationTrees } from './application-tree.js'

/** Milliseconds between two looks */
const usual = 2000
/** Of what one client may have watched at a time */
const maxTasks = 1000

const name = atom('appmon_info') as Atom
const doIt = atom('do_it')

interface Task {
  readonly client: Pid
  readonly command: Atom
  readonly about: Term
  /** Milliseconds; null: once */
  readonly every: number | null
  last: Term | undefined
}

export function appmonBuiltins(kernel: Kernel<any>, info: ProcessInfo): Builtins {
  const trees = new ApplicationTrees(kernel, info)
  return {
    appmon_info: {
      'start_link2/3': (self, starter, client) => {
        if (!(starter instanceof Pid) || !(client instanceof Pid)) return undefined
        const known = kernel.whereis(name)
        if (known) self.send(known, tuple(atom('client'), client))
        const pid = known ?? self.spawn(worker => new AppmonInfo(worker, starter, client, trees, info).run(), { name })
        return tuple(atom('ok'), pid)
      },
    },
  }
}

class AppmonInfo {
  readonly #self: Process
  readonly #starter: Pid
  readonly #trees: ApplicationTrees
  readonly #info: ProcessInfo
  readonly #clients = new Map<string, Pid>()
  readonly #tasks = new Map<string, Task>()

  constructor(self: Process, starter: Pid, client: Pid, trees: ApplicationTrees, info: ProcessInfo) {
    this.#self = self
    this.#starter = starter
    this.#trees = trees
    this.#info = info
    self.trapExit = true
    this.#serve(client)
  }

  async run(): Promise<void> {
    for await (const message of this.#self) {
      const parsed = parseRequest(message)
      if (parsed.kind === 'call') reply(this.#self, parsed.from, atom('ok'))
      else if (parsed.kind === 'cast') await this.#onCast(parsed.request)
      else if (!(message instanceof Tuple)) continue
      else if (message.tag === 'EXIT' && this.#hasEnded(message.elements[1] as Term)) return
      else if (message.tag === 'client') this.#serve(message.elements[1] as Pid)
      else if (message.elements[0] === doIt) await this.#look(String(message.elements[1]))
    }
  }

  #serve(client: Pid): void {
    if (this.#clients.has(String(client))) return
    this.#clients.set(String(client), client)
    this.#self.link(client)
  }

  /** True: nobody is left. */
  #hasEnded(pid: Term): boolean {
    if (!(pid instanceof Pid)) return false
    this.#clients.delete(String(pid))
    for (const [key, { client }] of this.#tasks) if (equals(client, pid)) this.#tasks.delete(key)
    return equals(pid, this.#starter) || this.#clients.size === 0
  }

  async #onCast(request: Term): Promise<void> {
    if (!(request instanceof Tuple) || request.length !== 5) return
    const [client, command, about, on, options] = request.elements as readonly [Term, Term, Term, Term, Term]
    if (!(client instanceof Pid) || !(command instanceof Atom)) return
    const key = `${String(client)} ${command.name} ${format(about)}`
    if (on !== true) return void this.#tasks.delete(key)
    if (this.#tasks.size >= maxTasks && !this.#tasks.has(key)) return
    this.#tasks.set(key, { client, command, about, every: interval(options), last: undefined })
    await this.#look(key)
  }

  async #look(key: string): Promise<void> {
    const task = this.#tasks.get(key)
    if (!task) return
    const result = this.#self.host.copy(await this.#result(task))
    if (this.#tasks.get(key) !== task) return
    if (task.last === undefined || !equals(task.last, result))
      this.#self.send(task.client, tuple(atom('delivery'), this.#self.pid, task.command, task.about, result))
    task.last = result
    if (task.every === null) this.#tasks.delete(key)
    else this.#self.sendAfter(task.every, this.#self.pid, tuple(doIt, Buffer.from(key)))
  }

  async #result({ command, about }: Task): Promise<Term> {
    switch (command.name) {
      case 'app_ctrl':
        return this.#trees.applications(this.#self)
      case 'app':
        return this.#trees.tree(this.#self, about)
      case 'pinfo': {
        const told = about instanceof Pid ? await this.#info.of(about, this.#self.pid) : null
        return charlist(`Node: ${this.#self.pid.node.name}, Process: ${format(about)}\n${format(told ?? atom('undefined'))}\n\n`)
      }
      case 'load':
        return tuple(0, 0)
      default:
        return tuple(command, about)
    }
  }
}

/** `{timeout, Ms | at_most_once}` among the options */
function interval(options: Term): number | null {
  const said = Array.isArray(options)
    ? (options as readonly Term[]).find(option => option instanceof Tuple && option.tag === 'timeout')
    : undefined
  const every: unknown = said instanceof Tuple ? said.elements[1] : usual
  if (every === atom('at_most_once')) return null
  return Number.isInteger(every) ? Math.max(every as number, 100) : usual
}
