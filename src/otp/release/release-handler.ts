/**
 * `node.releaseHandler`: a release on several nodes, one after the other, all or none. On each node an agent does the instructions, and keeps what takes
 * them back: on a BEAM the program of beam-program.ts, here agent.ts. Nothing is changed anywhere before all of them have said that they can do theirs; when
 * one fails, or is lost, those before it take back what they did. An agent that loses this node takes back its own.
 */
import type { Process } from '../../process/index.js'
import type { Atom } from '../../term/index.js'
import {
  any,
  atom,
  charlist,
  equals,
  format,
  match,
  Pid,
  type Reference,
  type Sendable,
  type Term,
  Tuple,
  tuple,
} from '../../term/index.js'
import { RpcError } from '../rpc/erpc.js'
import * as erpc from '../rpc/erpc.js'
import { releaseName } from './agent.js'
import { program } from './beam-program.js'
import { ReleaseError, type ReleaseFault } from './errors.js'
import { termsOf } from './instructions.js'
import type { Installed, Instruction, NodeRelease, NotUndone, ReleaseOptions, ReleaseProgress } from './types.js'

/** What it needs of a node: a process of its own for each release. */
type Run = <T>(work: (self: Process) => Promise<T>) => Promise<T>

/** Milliseconds to reach a node and to start its agent */
const patience = 30_000

export class ReleaseHandler {
  readonly #run: Run

  /** @internal */
  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Has nodes change their code, BEAM and TypeScript, one after the other: instructions as in an appup file, in this order. Processes keep their pids and
   * what waits for them; they are found as release_handler finds them, by the supervision trees of the applications (`modules`), or are all servers of a
   * module on a TypeScript node. When anything fails, all is taken back, the last first: old code, and states by `code_change` with `{down, Vsn}`.
   *
   * @returns for each node which processes have moved
   * @throws ReleaseError, which says where, why, and what could not be taken back; EtfError for what cannot be sent
   *
   * @example
   * ```ts
   * import { Node } from 'beamlet'
   * import assert from 'node:assert/strict'
   *
   * await using node = await Node.start({ name: 'releases@127.0.0.1', cookie: 'secret' })
   * const instructions = [{ apply: ['erlang', 'node', []], undo: null }] as const
   * assert.deepEqual(await node.releaseHandler.installRelease([{ node: node.name, instructions }]), [{ node: node.name, servers: [] }])
   * ```
   */
  async installRelease(releases: readonly NodeRelease[], options: ReleaseOptions = {}): Promise<Installed[]> {
    const terms = termsOf(releases)
    return this.#run(async self => new Installation(self, releases, options).run(terms.map(({ steps }) => steps)))
  }
}

/** What is done on one node */
interface Part {
  readonly node: Atom
  readonly instructions: readonly Instruction[]
  agent: Pid
  watch: Reference
  /** Has it been told to do anything? */
  began: boolean
  /** Why there is no agent any more */
  lost: Term | null
  /** Of its instructions */
  done: number
  readonly servers: Map<string, Pid>
}

class Installation {
  readonly #self: Process
  readonly #parts: Part[]
  readonly #options: ReleaseOptions
  readonly #total: number
  #done = 0

  constructor(self: Process, releases: readonly NodeRelease[], options: ReleaseOptions) {
    this.#self = self
    this.#options = options
    this.#total = releases.reduce((sum, { instructions }) => sum + instructions.length, 0)
    const nobody = { agent: self.pid, watch: self.makeRef(), began: false, lost: null, done: 0 }
    this.#parts = releases.map(({ node, instructions }) => ({
      ...nobody,
      node: typeof node === 'string' ? (atom(node) as Atom) : node,
      instructions,
      servers: new Map(),
    }))
  }

  async run(steps: readonly (readonly Sendable[])[]): Promise<Installed[]> {
    const ready: Part[] = []
    let fault: Failed | null = null
    try {
      for (const [index, part] of this.#parts.entries()) {
        await this.#prepare(part, steps[index] as readonly Sendable[])
        ready.push(part)
      }
      for (const part of ready) await this.#install(part)
    } catch (thrown) {
      if (!(thrown instanceof Failed)) {
        await this.#back(ready)
        throw thrown
      }
      fault = thrown
    }
    if (fault) throw errorOf(fault, [...fault.left, ...(await this.#back(ready))])
    await this.#commit(ready)
    return ready.map(({ node, servers }) => ({ node: node.name, servers: [...servers.values()] }))
  }

  /** The node says that it can do all of it. @throws Failed */
  async #prepare(part: Part, steps: readonly Sendable[]): Promise<void> {
    this.#goesOn(part, 0)
    try {
      ;[part.agent, part.watch] = await this.#start(part.node, steps)
    } catch (thrown) {
      const lost = thrown instanceof RpcError ? thrown.reason : atom('noconnection')
      throw new Failed('node_down', { ...here(part, null), reason: lost }, [], thrown)
    }
    const { elements } = await this.#answer(part, null, 'prepared', 'refused')
    const [what, number, code, server, why] = elements as readonly Term[]
    if (what === atom('prepared')) return this.#tell(part, 'prepared', null)
    const fault = { ...here(part, number as unknown as number), server: server instanceof Pid ? server : null, reason: why as Term }
    throw new Failed((code as Atom).name, fault)
  }

  async #start(node: Atom, steps: readonly Sendable[]): Promise<[Pid, Reference]> {
    const { timeout = 5000, purge = 'soft', signal } = this.#options
    const self = this.#self
    const call = (module: string, fun: string, args: readonly Sendable[]): Promise<Term> =>
      erpc.call(self, node, atom(module) as Atom, atom(fun) as Atom, args, { timeout: patience, signal })
    const opt = { timeout: patience, signal }
    const all = new Tuple(steps as Term[])
    if ((await call('code', 'which', [atom(releaseName)])) === atom('preloaded')) {
      return self.spawnMonitorAt(node, { module: releaseName, fun: 'agent', args: [self.pid, all, timeout, atom(purge)] }, opt)
    }
    const scanned = (await call('erl_scan', 'string', [charlist(program)])) as Tuple<[Atom, Term, Term]>
    const parsed = (await call('erl_parse', 'parse_exprs', [scanned.elements[1]])) as Tuple<[Atom, Term]>
    const bindings = new Map<Term, Sendable>([
      [atom('Client'), self.pid],
      [atom('Timeout'), timeout],
      [atom('Purge'), atom(purge)],
      [atom('Steps'), all],
    ])
    return self.spawnMonitorAt(node, { module: 'erl_eval', fun: 'exprs', args: [parsed.elements[1] as Sendable, bindings] }, opt)
  }

  /** @throws Failed */
  async #install(part: Part): Promise<void> {
    for (const index of part.instructions.keys()) {
      const step = index + 1
      this.#goesOn(part, step)
      part.began = true
      this.#self.send(part.agent, tuple(atom('step'), step))
      const { elements } = await this.#answer(part, step, 'done', 'failed')
      const [what, , ...rest] = elements as readonly Term[]
      if (what === atom('done')) {
        part.done = step
        this.#done++
        for (const pid of rest[0] as unknown as readonly Pid[]) part.servers.set(String(pid), pid)
        this.#tell(part, 'done', step)
        continue
      }
      const [code, server, why, left] = rest
      this.#tell(part, 'failed', step)
      const fault = { ...here(part, step), server: server instanceof Pid ? server : null, reason: why as Term }
      throw new Failed((code as Atom).name, fault, leftOf(part, left as Term))
    }
  }

  /** The last node first. What is not taken back is told; it never throws. */
  async #back(ready: readonly Part[]): Promise<NotUndone[]> {
    const left: NotUndone[] = []
    for (const part of [...ready].reverse()) {
      this.#self.send(part.agent, atom('undo'))
      try {
        for (;;) {
          const { elements } = await this.#answer(part, null, 'undone', 'back')
          const [what, number, terms] = elements as readonly Term[]
          if (what === atom('back')) break
          part.done--
          this.#done--
          left.push(...leftOf(part, terms as Term))
          this.#tell(part, 'undone', number as unknown as number)
        }
      } catch (thrown) {
        if (!(thrown instanceof Failed)) throw thrown
        // It takes back what it did by itself; whether it could, nobody hears.
        if (part.began) left.push({ ...thrown.fault, step: null, instruction: null })
      }
    }
    return left
  }

  /** @throws ReleaseError when a node is lost meanwhile: the others have been told. */
  async #commit(ready: readonly Part[]): Promise<void> {
    const lost: NotUndone[] = []
    for (const part of ready) {
      this.#self.send(part.agent, atom('commit'))
      try {
        await this.#answer(part, null, 'committed')
        this.#tell(part, 'committed', null)
      } catch (thrown) {
        if (!(thrown instanceof Failed)) throw thrown
        lost.push(thrown.fault)
      }
    }
    const [fault] = lost
    if (!fault) return
    const says = `${lost.map(({ node }) => node).join(', ')} went when all was done, before it said that it keeps it: it may have taken it back, and the others have not`
    throw new ReleaseError('ERR_RELEASE_NODE_DOWN', `${says}.`, fault, lost)
  }

  /** What its agent says next, of these. @throws Failed when the agent is gone */
  async #answer(part: Part, step: number | null, ...tags: readonly string[]): Promise<Tuple> {
    const { agent, watch, lost } = part
    if (lost !== null) throw new Failed('node_down', { ...here(part, step), reason: lost })
    const said = match([atom(releaseName), agent, any])
    const gone = match([atom('DOWN'), watch, any, any, any])
    const message = await this.#self.receive(match.oneOf(said, gone))
    if (message.length === 5) {
      part.lost = message.elements[4] as Term
      return this.#answer(part, step)
    }
    const what = message.elements[2] as Term
    const heard = what instanceof Tuple ? what : (tuple(what) as Tuple)
    if (tags.some(tag => equals(heard.elements[0], atom(tag)))) return heard
    throw new Failed('node_down', { ...here(part, step), reason: heard })
  }

  /** @throws Failed when it shall not */
  #goesOn(part: Part, step: number): void {
    const { signal } = this.#options
    if (!signal?.aborted) return
    throw new Failed('aborted', { ...here(part, step === 0 ? null : step), reason: atom('aborted') }, [], signal.reason)
  }

  #tell(part: Part, what: ReleaseProgress['what'], step: number | null): void {
    const instruction = step === null ? null : (part.instructions[step - 1] ?? null)
    const told = { node: part.node.name, what, step, instruction, done: this.#done, of: this.#total }
    const { progress } = this.#options
    if (!progress) return
    try {
      progress(told)
    } catch (thrown) {
      // As in a listener of an event: it is uncaught, and nothing of this stops because of it.
      queueMicrotask(() => {
        throw thrown
      })
    }
  }
}

/** One that fails, before it is known what is taken back */
class Failed extends Error {
  readonly code: string
  readonly fault: ReleaseFault
  /** Of the instruction itself */
  readonly left: readonly NotUndone[]

  constructor(code: string, fault: ReleaseFault, left: readonly NotUndone[] = [], cause?: unknown) {
    super(code, { cause })
    this.code = code
    this.fault = fault
    this.left = left
  }
}

const here = ({ node, instructions }: Part, step: number | null): Omit<ReleaseFault, 'reason'> => ({
  node: node.name,
  step: step === 0 ? null : step,
  instruction: step === null ? null : (instructions[step - 1] ?? null),
  server: null,
})

const leftOf = (part: Part, terms: Term): NotUndone[] =>
  (terms as readonly Tuple<[number, Term, Term]>[]).map(({ elements: [step, server, reason] }) => ({
    ...here(part, step),
    server: server instanceof Pid ? server : null,
    reason,
  }))

/** Without a stack trace */
function because(server: Pid | null, why: Term): string {
  const [bare] = why instanceof Tuple && why.length === 2 && Array.isArray(why.elements[1]) ? (why.elements as readonly Term[]) : [why]
  return `${server ? `${String(server)}, ` : ''}${format(bare as Term)}`
}

const says: Readonly<Record<string, string>> = {
  instruction: 'cannot be',
  code: 'has no new code that can be loaded',
  old_code: 'has no old code to go back to: give it as `old`',
  busy: 'finds another release being installed there',
  in_use: 'finds processes that still run the version before the current one',
  suspend: 'cannot suspend a process in time',
  change: 'is refused by a code_change',
  load: 'fails',
  tree: 'cannot ask a supervision tree',
  apply: 'failed in its function',
  node_down: 'lost the node, or what installs it there',
  aborted: 'was given up',
}

function errorOf({ code, fault, cause }: Failed, left: readonly NotUndone[]): ReleaseError {
  const { node, step, server, reason } = fault
  const what = step === null ? `The release, at ${node},` : `Instruction ${step} for ${node}`
  const why = `${what} ${says[code] ?? code}: ${because(server, reason)}.`
  const back = left.map(({ node, step, server, reason }) => {
    const where = step === null ? node : `instruction ${step} of ${node}`
    return `${where} (${because(server, reason)})`
  })
  const rest = back.length === 0 ? ' All is as it was.' : ` Not taken back: ${back.join('; ')}.`
  return new ReleaseError(`ERR_RELEASE_${code.toUpperCase()}`, why + rest, fault, left, { cause })
}
