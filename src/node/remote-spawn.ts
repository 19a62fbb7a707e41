/**
 * Spawn requests from other nodes. The reply comes before every other signal of the child; a function that is not there is the child's
 * exit, `{undef, [{Module, Function, Args, []}]}`, as on the BEAM. Source: erl_dist_protocol, SPAWN_REQUEST.
 */
import type { SpawnReplySignal, SpawnRequestSignal } from '../dist/signal.js'
import { type Process, ProcessError, type Processes } from '../process/index.js'
import { Atom, atom, type Pid, type Term, Tuple } from '../term/index.js'
import type { Code } from './code.js'

export class RemoteSpawn {
  readonly #processes: Processes
  readonly #code: Code

  constructor(processes: Processes, code: Code) {
    this.#processes = processes
    this.#code = code
  }

  /** @throws EtfError when the arguments are no term. */
  onRequest({ ref, from, groupLeader, module, fun, options, args: payload }: SpawnRequestSignal): void {
    const { links, monitors } = this.#processes
    const args = payload.read()
    const wanted = parse(options)
    const reply: Omit<SpawnReplySignal, 'result'> = { op: 'spawnReply', ref, to: from, link: false, monitor: false }
    if (!wanted || !Array.isArray(args)) {
      this.#processes.route({ ...reply, result: atom('badopt') })
      return
    }
    const child = this.#spawn(self => this.#code.apply(self, module, fun, args), groupLeader)
    if (!child) {
      this.#processes.route({ ...reply, result: atom('system_limit') })
      return
    }
    const { local } = child
    if (wanted.link) links.linked(local, from)
    if (wanted.monitor) monitors.watched(local, from, ref, local.pid)
    this.#processes.route({ ...reply, ...wanted, result: local.pid })
  }

  /** Null when the table of processes is full: it is for the one who asked to know. */
  #spawn(body: (self: Process) => unknown, groupLeader: Pid): Process | null {
    try {
      return this.#processes.spawn(body, { groupLeader })
    } catch (error) {
      if (error instanceof ProcessError) return null
      throw error
    }
  }
}

/** Null when it is no list of options. Those that only tune the BEAM's own memory are taken and ignored. */
function parse(options: Term): { readonly link: boolean; readonly monitor: boolean } | null {
  if (!Array.isArray(options)) return null
  let link = false
  let monitor = false
  for (const option of options as readonly Term[]) {
    const name = option instanceof Tuple ? option.tag : option instanceof Atom ? option.name : undefined
    if (name === 'link') link = true
    else if (name === 'monitor') monitor = true
    else if (!(option instanceof Tuple && option.length === 2)) return null
  }
  return { link, monitor }
}
