/**
 * Spawn requests from other nodes. The reply comes before every other signal of the child; a function that is not there is the child's
 * exit, `{undef, [{Module, Function, Args, []}]}`, as on the BEAM. Source: erl_dist_protocol, SPAWN_REQUEST.
 */
import type { SpawnReplySignal, SpawnRequestSignal } from '../dist/signal.js'
import {
  type Begun,
  ErlangError,
  parseSpawnOptions,
  type Process,
  ProcessError,
  type Processes,
  tokenOf,
  type TraceToken,
} from '../process/index.js'
import { Atom, atom, Pid, type Term, tuple } from '../term/index.js'
import type { Code } from './code.js'
import type { Placement } from './outside.js'
import type { Spawner } from './spawner.js'

const errorInfo = new Map([[atom('module'), atom('erl_erts_errors')]])

export class RemoteSpawn {
  readonly #processes: Processes
  readonly #code: Code
  readonly #spawner: Spawner

  constructor(processes: Processes, code: Code, spawner: Spawner) {
    this.#processes = processes
    this.#code = code
    this.#spawner = spawner
  }

  /** @throws EtfError when the arguments are no term. */
  onRequest(request: SpawnRequestSignal): void {
    const { ref, from, options } = request
    const { links, monitors } = this.#processes
    const args = request.args.read()
    const wanted = parseSpawnOptions(options)
    if (!wanted) return this.#reply(request, atom('badopt') as Atom)
    const on = this.#placement(request, args)
    if (on !== undefined && Array.isArray(args) && !this.#spawner.isHere(on)) return this.#elsewhere(on, request, wanted)
    const begun = Array.isArray(args) ? this.#code.begun(request.module, request.fun, args.length) : undefined
    const child = this.#spawn(self => this.#apply(self, request, args), request, begun)
    if (!child) return this.#reply(request, atom('system_limit') as Atom)
    const { local } = child
    if (wanted.link) links.linked(local, from)
    if (wanted.monitor) monitors.watched(local, from, ref, local.pid)
    this.#reply(request, local.pid, wanted)
  }

  /** Arguments that are no list are the exit of the process, as on a BEAM, whose stack this is. */
  #apply(self: Process, { module, fun }: SpawnRequestSignal, args: Term): unknown {
    if (Array.isArray(args)) return this.#code.apply(self, module, fun, args)
    throw new ErlangError(atom('badarg'), [
      tuple(atom('erlang'), atom('apply'), [module, fun, args], [tuple(atom('error_info'), errorInfo)]),
      tuple(atom('erts_internal'), atom('dist_spawn_init'), 1, []),
    ])
  }

  /** Where it runs is for the module to say; for a call or cast by erpc, for the module that is called. */
  #placement({ module, fun }: SpawnRequestSignal, args: Term): Placement | undefined {
    if (!Array.isArray(args)) return undefined
    const called: unknown = module !== atom('erpc') ? module : fun === atom('execute_call') ? args[1] : args[0]
    return called instanceof Atom ? this.#code.placementOf(called) : undefined
  }

  #elsewhere(on: Placement, request: SpawnRequestSignal, wanted: { link: boolean; monitor: boolean }): void {
    const { ref, from, module, fun, args, groupLeader, token } = request
    const tie = { ...(wanted.link && { linked: from }), ...(wanted.monitor && { watcher: from, watch: ref }) }
    const pid = this.#tried(() =>
      this.#spawner.elsewhere(on, { module, fun, args, groupLeader, parent: from, ...tie, ...(token !== undefined && { token }) }),
    )
    this.#reply(request, pid ?? (atom('system_limit') as Atom), wanted)
  }

  #reply({ ref, from, token }: SpawnRequestSignal, result: Pid | Atom, ties = { link: false, monitor: false }): void {
    const reply: SpawnReplySignal = { op: 'spawnReply', ref, to: from, ...ties, result }
    const traced = tokenOf(token)
    this.#processes.route(traced ? { ...reply, token: this.#answer(traced, result) } : reply)
  }

  /** As a BEAM answers: the token of the request, from the new process, or from the node when there is none; Last is the number before. */
  #answer({ elements: [flags, label, serial] }: TraceToken, result: Pid | Atom): Term {
    return tuple(flags, label, serial, result instanceof Pid ? result : this.#processes.table.node, Math.max(serial - 1, 0))
  }

  #spawn(body: (self: Process) => unknown, { from, groupLeader, token }: SpawnRequestSignal, begun: Begun | undefined): Process | null {
    return this.#tried(() => this.#processes.spawn(body, { parent: from, groupLeader, token: tokenOf(token), begun }))
  }

  /** Null when the table of processes, or of places, is full: it is for the one who asked to know. */
  #tried<T>(spawn: () => T): T | null {
    try {
      return spawn()
    } catch (error) {
      if (error instanceof ProcessError) return null
      throw error
    }
  }
}
