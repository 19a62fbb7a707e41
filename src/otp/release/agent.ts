/**
 * What installs a release on this node: it hears and says what the program for a BEAM does (beam-program.ts), so who conducts it need not know which it is.
 * The steps of an upgrade here are all or none by themselves, for all servers of a module; what takes one back is the old version, which is in memory.
 *
 * `Steps` as there, but for code, which is none or {url, Url}; and that only whoever is of this node may say: others have it load what it has, from where
 * that came, as by c:l.
 */
import type { UpgradeError } from '../../node/code.js'
import { CodeError } from '../../node/code.js'
import type { Kernel } from '../../node/kernel.js'
import { reason, type Process, ProcessError } from '../../process/index.js'
import type { Atom } from '../../term/index.js'
import { atom, equals, format, NodeError, type Pid, type Sendable, type Term, text, Tuple, tuple } from '../../term/index.js'
import { RpcError } from '../rpc/erpc.js'
import * as erpc from '../rpc/erpc.js'
import type { Builtins } from '../rpc/builtins.js'

/** The module on other nodes, and the name that an agent has */
export const releaseName = 'beamlet_release'

const [none, nothing, soft, busy] = [atom('none'), atom('nothing'), atom('soft'), atom('busy')]

/** Why a step cannot be, or failed: the code without ERR_RELEASE_, in small letters */
class Fault extends Error {
  readonly code: string
  readonly server: Pid | null
  readonly reason: Term

  constructor(code: string, why: Term, server: Pid | null = null) {
    super(code)
    this.code = code
    this.server = server
    this.reason = why
  }
}

interface Step {
  do(): Promise<readonly Pid[]>
  /** What is not taken back, and because of whom. What it throws is not, either. */
  undo(): Promise<readonly (readonly [server: Pid | null, reason: Term])[]>
}

export function releaseBuiltins(kernel: Kernel<any>): Builtins {
  return {
    [releaseName]: {
      'agent/4': async (self, client: Pid, steps: Tuple, timeout: number, purge: Atom) => {
        await new Agent(kernel, self, client, { timeout, purge: purge === soft ? 'soft' : 'kill' }).run(steps.elements as readonly Term[])
        return atom('ok')
      },
    },
  }
}

class Agent {
  readonly #kernel: Kernel<any>
  readonly #self: Process
  readonly #client: Pid
  readonly #options: { readonly timeout: number; readonly purge: 'kill' | 'soft' }
  readonly #done: { readonly number: number; readonly step: Step }[] = []

  constructor(kernel: Kernel<any>, self: Process, client: Pid, options: { readonly timeout: number; readonly purge: 'kill' | 'soft' }) {
    this.#kernel = kernel
    this.#self = self
    this.#client = client
    this.#options = options
  }

  async run(terms: readonly Term[]): Promise<void> {
    const self = this.#self
    try {
      await self.register(releaseName)
    } catch (error) {
      if (!(error instanceof ProcessError)) throw error
      return this.#say(
        tuple(atom('refused'), 0, busy, self.host.registry.pidOf(atom(releaseName) as Atom) ?? none, atom('already_started')),
      )
    }
    const steps: Step[] = []
    const names = new Names(this.#kernel)
    for (const [index, term] of terms.entries()) {
      try {
        steps.push(await this.#prepared(term as Tuple, names))
      } catch (thrown) {
        const { code, server, reason: why } = faultOf(thrown)
        return this.#say(tuple(atom('refused'), index + 1, atom(code), server ?? none, why))
      }
    }
    this.#say(atom('prepared'))
    await this.#serve(steps)
  }

  async #serve(steps: readonly Step[]): Promise<void> {
    const self = this.#self
    const watch = self.monitor(this.#client)
    let why: Term = reason.killed
    try {
      for await (const message of self) {
        if (message === atom('undo')) {
          await this.#back()
          return this.#say(atom('back'))
        }
        if (message === atom('commit')) {
          this.#done.length = 0
          return this.#say(atom('committed'))
        }
        if (!(message instanceof Tuple)) continue
        if (message.tag === 'DOWN' && equals(message.elements[1], watch)) {
          why = message.elements[4] as Term
          return
        }
        if (message.tag === 'step') await this.#step(message.elements[1] as unknown as number, steps)
        // It was ended meanwhile, and is told nothing any more.
        if (!self.local.alive) return
      }
    } finally {
      if (this.#done.length > 0) await this.#alone(why)
    }
  }

  /** Whoever conducts it is gone, or this process itself. */
  async #alone(why: Term): Promise<void> {
    const left = await this.#back()
    const says = `What installed a release here (${String(this.#client)}) is gone, or was ended: ${format(why)}. It was taken back`
    this.#kernel.tellError(new NodeError('ERR_RELEASE_NODE_DOWN', left.length === 0 ? `${says}.` : `${says}, but for ${format(left)}.`))
  }

  async #step(number: number, steps: readonly Step[]): Promise<void> {
    try {
      const step = steps[number - 1] as Step
      const servers = await step.do()
      this.#done.push({ number, step })
      this.#say(tuple(atom('done'), number, [...servers]))
    } catch (thrown) {
      const { code, server, reason: why } = faultOf(thrown)
      this.#say(tuple(atom('failed'), number, atom(code), server ?? none, why, []))
    }
  }

  async #back(): Promise<Term[]> {
    const all: Term[] = []
    for (const { number, step } of this.#done.splice(0).reverse()) {
      const left = await step.undo().catch((thrown: unknown) => {
        const { server, reason: why } = faultOf(thrown)
        return [[server, why] as const]
      })
      const terms = left.map(([server, why]) => tuple(number, server ?? none, why) as Term)
      this.#say(tuple(atom('undone'), number, terms))
      all.push(...terms)
    }
    return all
  }

  #say(what: Sendable): void {
    this.#self.send(this.#client, tuple(atom(releaseName), this.#self.pid, what))
  }

  /** @throws Fault when it cannot be done */
  async #prepared({ elements }: Tuple, names: Names): Promise<Step> {
    const [what, first, second, third] = elements as readonly Term[]
    const module = first as Atom
    switch ((what as Atom).name) {
      case 'load':
        return this.#load(module, names.source(module, this.#urlOf(second as Term)))
      case 'update':
        return this.#update(module, second as Term, names.source(module, this.#urlOf(third as Term)))
      case 'add':
        return this.#add(module, names.added(module, this.#urlOf(second as Term)))
      case 'delete':
        return this.#delete(names.deleted(module))
      default:
        return this.#apply(first as Tuple, second as Term)
    }
  }

  async #load(module: Atom, source: string): Promise<Step> {
    const { code } = this.#kernel
    const { purge } = this.#options
    await this.#free(module)
    return {
      do: async () => {
        await code.load(module, source, { purge, on: code.placementOf(module) })
        return []
      },
      undo: async () => {
        await code.restore(module)
        return []
      },
    }
  }

  async #update(module: Atom, change: Term, source: string): Promise<Step> {
    const { code } = this.#kernel
    const { purge, timeout } = this.#options
    await this.#free(module)
    const extra = (change instanceof Tuple ? change.elements[1] : []) as Sendable
    const isSoft = change === soft
    return {
      do: async () => (await code.change(module, source, { purge, timeout, extra }, isSoft ? 'soft' : 'up')).servers,
      undo: async () => {
        await code.downgrade(module, { timeout, extra }, isSoft ? 'soft' : 'down')
        return []
      },
    }
  }

  async #add(module: Atom, source: string): Promise<Step> {
    const { code } = this.#kernel
    return {
      do: async () => {
        await code.load(module, source)
        return []
      },
      undo: async () => {
        code.delete(module)
        return (await code.softPurge(module)) ? [] : [[null, tuple(atom('in_use'), module)]]
      },
    }
  }

  async #delete(module: Atom): Promise<Step> {
    const { code } = this.#kernel
    await this.#free(module)
    return {
      do: async () => {
        if (this.#options.purge === 'kill') await code.purge(module)
        else if (!(await code.softPurge(module))) throw new Fault('in_use', module)
        code.delete(module)
        return []
      },
      undo: async () => {
        await code.restore(module)
        return []
      },
    }
  }

  async #apply(called: Tuple, undo: Term): Promise<Step> {
    const run = async ({ elements: [module, fun, args] }: Tuple): Promise<readonly []> => {
      const { name } = this.#kernel
      try {
        await erpc.call(this.#self, atom(name) as Atom, module as Atom, fun as Atom, args as Sendable[], { timeout: this.#options.timeout })
      } catch (thrown) {
        if (thrown instanceof RpcError) throw new Fault('apply', thrown.reason)
        throw new Fault('apply', thrown instanceof ProcessError ? atom('timeout') : reason.termOf(thrown))
      }
      return []
    }
    return {
      do: async () => run(called),
      undo: async () => {
        if (undo instanceof Tuple) return run(undo)
        return undo === nothing ? [] : [[null, atom('no_undo')]]
      },
    }
  }

  /** @throws Fault when processes still run a version for which there is no room */
  async #free(module: Atom): Promise<void> {
    if (this.#options.purge === 'kill') return
    const old = (await this.#kernel.code.versions(module)).find(({ current }) => !current)
    if (old && old.processes > 0) throw new Fault('in_use', module)
  }

  /** @throws Fault for code that another node would have this one run */
  #urlOf(code: Term): string | null {
    if (code === none) return null
    if (code instanceof Tuple && code.tag === 'url' && this.#client.node === this.#self.pid.node) return text(code.elements[1] as Term)
    throw new Fault('code', atom(code instanceof Tuple && code.tag === 'url' ? 'not_from_another_node' : 'not_a_url'))
  }
}

/** Which modules there are, once the instructions before are done */
class Names {
  readonly #kernel: Kernel<any>
  readonly #changed = new Map<Atom, string | null>()

  constructor(kernel: Kernel<any>) {
    this.#kernel = kernel
  }

  /** From where a module is loaded again. @throws Fault */
  source(module: Atom, given: string | null): string {
    const { code } = this.#kernel
    if (code.isReserved(module)) throw new Fault('instruction', atom('reserved'))
    const changed = this.#changed.get(module)
    const known = changed === undefined ? (code.current(module)?.source ?? null) : changed
    if (known === null && !(given !== null && code.mover?.knows(given))) throw new Fault('old_code', atom('not_loaded'))
    const source = given ?? (known as string)
    this.#changed.set(module, source)
    return source
  }

  /** @throws Fault */
  added(module: Atom, given: string | null): string {
    const { code } = this.#kernel
    const changed = this.#changed.get(module)
    if (changed === undefined ? code.isLoaded(module) : changed !== null) throw new Fault('instruction', atom('already_loaded'))
    if (given === null) throw new Fault('code', atom('no_url'))
    this.#changed.set(module, given)
    return given
  }

  /** @throws Fault */
  deleted(module: Atom): Atom {
    this.source(module, null)
    this.#changed.set(module, null)
    return module
  }
}

const codes: Readonly<Record<string, string>> = {
  ERR_CODE_CHANGE: 'change',
  ERR_CODE_SUSPEND: 'suspend',
  ERR_CODE_SERVER: 'change',
  ERR_CODE_IN_USE: 'in_use',
  ERR_CODE_UPGRADING: 'in_use',
}

function faultOf(thrown: unknown): Pick<Fault, 'code' | 'server' | 'reason'> {
  if (thrown instanceof Fault) return thrown
  const says = thrown instanceof NodeError ? Buffer.from(thrown.says) : reason.termOf(thrown)
  if (!(thrown instanceof CodeError)) return { code: 'load', server: null, reason: says }
  const { server = null, reason: why } = thrown as Partial<UpgradeError>
  return { code: codes[thrown.code] ?? 'load', server, reason: why ?? says }
}
