/** Starting a process of a behaviour, here or in another place: whoever starts it waits until its `init` has returned. */
import type { Code } from '../../node/code.js'
import type { Kernel } from '../../node/kernel.js'
import type { Placement } from '../../node/outside.js'
import { ExitError, isFarName, type Process, ProcessError, type SpawnOptions } from '../../process/index.js'
import { any, type Atom, atom, isRef, match, NodeError, type Pid, type Sendable, type Term } from '../../term/index.js'
import type { Behaviour, Life } from './runner.js'
import { begin, definedBy, latestOf, numberOf, remember } from './latest.js'
import { farName, nameTaken, type ServerName } from './server-name.js'
import type { RefOptions, StartOptions } from './server-types.js'
import { placedServer } from './placed-server.js'

/** What starting needs of a node, and references to what was started: a process for each call. */
export interface Starting {
  readonly code: Code
  readonly processes: Kernel['processes']
  readonly spawner: Kernel['spawner']
  /** Runs work in a process of its own */
  run<T>(work: (self: Process) => Promise<T>): Promise<T>
}

export interface Definition<C = unknown> extends Behaviour<C> {
  /** The Erlang module that it stands for */
  readonly erlangModule: Atom
  readonly supervises?: boolean
  refOf(node: Starting, to: ServerName, options?: RefOptions): unknown
}

/** Of the modules that define some: `-behaviour(…)` */
export const behaviours = new Map<Atom, Atom>()

/** Makes a definition known to `node.start`; `D` is what its users see of it. */
export function define<D, C>(definition: Definition<C>): D {
  const made = Object.freeze({ definition })
  remember(made, definition)
  const { erlangModule, behaviour } = definition
  behaviours.set(erlangModule, behaviour)
  return made as unknown as D
}

export function definitionOf(made: unknown): Definition | undefined {
  const definition = definedBy(made)
  return definition && 'runner' in definition ? (definition as Definition) : undefined
}

/**
 * Resolves to the pid when `init` has returned.
 *
 * @param parent who is linked to it
 * @param leader the group leader of who starts it
 *
 * @throws ExitError with init's reason; ProcessError ERR_NAME_TAKEN, ERR_BADARG; NodeError ERR_NOT_PORTABLE.
 */
export async function startPid(
  node: Starting,
  definition: Definition,
  options: StartOptions<unknown[]> | undefined,
  parent?: Process,
  leader: Pid | undefined = parent?.groupLeader,
): Promise<Pid> {
  const { args = [], name, on } = options ?? {}
  const origin = { ...(parent && { link: parent.local }), ...(leader && { groupLeader: leader }) }
  if (on !== undefined && !node.spawner.stays(on)) return startElsewhere(node, on, definition, options ?? {}, parent, origin)
  return new Promise((resolve, reject) => {
    const taken = node.processes.copy(args as Sendable[]) as unknown[]
    const [local, far] = isFarName(name) ? [undefined, farName(node.processes, name)] : [name, undefined]
    const life: Life = { args: taken, parent: parent?.pid ?? null, name: far, started: () => resolve(self.pid), failed: reject }
    const self = node.processes.start(process => begin(node.code, definition, process, life), { name: local, ...origin })
  })
}

/** Resolves to a reference of the kind that the definition has. @throws as startPid does */
export async function startBehaviour<R>(
  node: Starting,
  made: unknown,
  options: StartOptions<unknown[]> | undefined,
  parent?: Process,
  leader?: Pid,
): Promise<R> {
  const definition = definitionOf(made)
  if (!definition)
    throw new ProcessError('ERR_BADARG', 'Only what genServer(), genStatem(), genEvent() or supervisor() returned can be started.')
  return definition.refOf(node, await startPid(node, definition, options, parent, leader)) as R
}

async function startElsewhere(
  node: Starting,
  on: Placement,
  definition: Definition,
  { args = [], name }: StartOptions<unknown[]>,
  parent: Process | undefined,
  origin: Pick<SpawnOptions, 'link' | 'groupLeader'>,
): Promise<Pid> {
  const latest = latestOf(node.code, definition)
  const { module } = latest
  if (module === undefined) {
    const why =
      "A server that runs elsewhere is found there by its module: define it with `module: import.meta.url`, at that module's top level."
    throw new NodeError('ERR_NOT_PORTABLE', why)
  }
  return node.run(async starter => {
    const ref = starter.makeRef()
    const monitor = { owner: starter.local, ref }
    const all = [
      module,
      numberOf(latest),
      args as Sendable[],
      parent?.pid ?? atom('undefined'),
      starter.pid,
      ref,
      isFarName(name) ? [farName(node.processes, name)] : [],
    ]
    const pid = node.spawner.away(
      on,
      { module: placedServer, fun: 'start', args: all },
      { name: isFarName(name) ? undefined : name, monitor, ...origin },
    )
    const [, outcome, , , reason] = (await starter.receive(match.oneOf(match([isRef, any]), match([any, isRef, any, any, any])))).elements
    if (outcome === atom('started')) return pid
    if (outcome === atom('name_taken')) throw nameTaken()
    throw new ExitError(reason as Term)
  })
}
