/**
 * genServer: OTP's gen_server with its handlers in tables. On the wire it is an ordinary one: Erlang calls it with
 * `gen_server:call(Pid, {add, 5})`.
 *
 * @example
 * ```ts
 * import { Node } from 'beamlet'
 * import { genServer, reply } from 'beamlet/otp'
 * import assert from 'node:assert/strict'
 *
 * const counter = genServer({
 *   init: (start: number) => start,
 *   call: { add: (n, by: number) => reply(n + by, n + by), get: n => reply(n, n) },
 *   cast: { reset: () => 0 },
 * })
 * await using node = await Node.start({ name: 'counter-docs@127.0.0.1', cookie: 'secret' })
 * const ref = await node.start(counter, { args: [10], name: 'counter' })
 * assert.equal(await ref.call('add', 5), 15)
 * ref.cast('reset')
 * assert.equal(await ref.call('get'), 0)
 * ```
 */
import type { Kernel } from '../node/kernel.js'
import { addressOf, ExitError, type Process, ProcessError, type To } from '../process/index.js'
import { any, Atom, atom, isRef, match, NodeError, Pid, type Sendable, type Term, Tuple } from '../term/index.js'
import { call, cast } from './gen.js'
import { type Definition, GenServerRunner, type Life } from './gen-server-runner.js'
import { numberOf, placedServer, remember } from './placed-server.js'
import type { GenServer, GenServerDefinition, RefOptions, ServerRef, StartOptions } from './gen-server-types.js'

export {
  type Args,
  type From,
  type GenServer,
  noreply,
  reply,
  type ServerProcess,
  type ServerRef,
  type StartArguments,
  stop,
  type Value,
} from './gen-server-types.js'

/** What servers and their references need of a node: a process for each call. */
export interface Caller {
  readonly processes: Kernel['processes']
  readonly spawner: Kernel['spawner']
  /** Runs work in a process of its own */
  run<T>(work: (self: Process) => Promise<T>): Promise<T>
}

const definitions = new WeakMap<object, Definition>()

/** Defines a server: `init` gives the first state, each handler takes the state and returns the next. */
export function genServer<A extends unknown[], S, C = {}, K = {}>(definition: GenServerDefinition<A, S, C, K>): GenServer<A, S, C, K> {
  const made = Object.freeze({ definition }) as unknown as GenServer<A, S, C, K>
  definitions.set(made, definition as unknown as Definition)
  remember(definition as unknown as Definition)
  return made
}

/**
 * @internal Resolves when `init` has returned.
 *
 * @throws ExitError with init's reason; ProcessError ERR_NAME_TAKEN; NodeError ERR_NOT_PORTABLE, ERR_NO_PLACE.
 */
export async function startServer<D extends GenServer<any, any, any, any>>(
  node: Caller,
  server: D,
  options: StartOptions<unknown[]> | undefined,
  parent?: Process,
): Promise<ServerRef<D>> {
  const { args = [], name, on } = options ?? {}
  const definition = definitions.get(server)
  if (!definition) throw new ProcessError('ERR_BADARG', 'Only what genServer() returned can be started as a server.')
  if (!node.spawner.isHere(on)) return startElsewhere(node, definition, options ?? {}, parent)
  return new Promise((resolve, reject) => {
    const taken = node.processes.copy(args as Sendable[]) as unknown[]
    const life: Life = {
      args: taken,
      parent: parent?.pid ?? null,
      started: () => resolve(refOf<D>(node, self.pid)),
      failed: reject,
    }
    const origin = parent && { link: parent.local, groupLeader: parent.groupLeader }
    const self = node.processes.start(process => new GenServerRunner(process, definition, life), { name, ...origin })
  })
}

async function startElsewhere<D extends GenServer<any, any, any, any>>(
  node: Caller,
  definition: Definition,
  { args = [], name, on }: StartOptions<unknown[]>,
  parent: Process | undefined,
): Promise<ServerRef<D>> {
  const { module } = definition
  if (module === undefined) {
    const why =
      "A server that runs elsewhere is found there by its module: define it with `module: import.meta.url`, at that module's top level."
    throw new NodeError('ERR_NOT_PORTABLE', why)
  }
  return node.run(async starter => {
    const ref = starter.makeRef()
    const monitor = { owner: starter.local, ref }
    const all = [module, numberOf(definition), args as Sendable[], parent?.pid ?? atom('undefined'), starter.pid, ref]
    const origin = parent && { link: parent.local, groupLeader: parent.groupLeader }
    const pid = node.spawner.portable({ module: placedServer, fun: 'start', args: all }, { on, name, monitor, ...origin })
    const [, outcome, , , reason] = (await starter.receive(match.oneOf(match([isRef, any]), match([any, isRef, any, any, any])))).elements
    if (outcome === atom('started')) return refOf<D>(node, pid)
    throw new ExitError(reason as Term)
  })
}

/** @internal */
export function refOf<D extends GenServer<any, any, any, any>>(
  node: Caller,
  to: Exclude<To, never>,
  options: RefOptions = {},
): ServerRef<D> {
  const run = <T>(work: (self: Process) => Promise<T>): Promise<T> => (options.self ? work(options.self) : node.run(work))
  const reference: ServerRef<GenServer<any, any, any, any>> = {
    get pid() {
      return pidOf(node, to)
    },
    with: more => refOf(node, to, { ...options, ...more }) as never,
    call: (name: string, ...args: Sendable[]) => run(self => call(self, to, requestOf(name, args), options)) as Promise<never>,
    cast: (name: string, ...args: Sendable[]) => void run(async self => cast(self, to, requestOf(name, args))),
  }
  return reference as unknown as ServerRef<D>
}

const requestOf = (name: string, args: Sendable[]): Sendable => (args.length === 0 ? atom(name) : new Tuple([atom(name), ...args]))

function pidOf({ processes }: Caller, to: To): Pid {
  if (to instanceof Pid) return to
  const address = addressOf(to, processes.table.node)
  const pid = 'name' in address && address.node === processes.table.node ? processes.registry.pidOf(address.name) : undefined
  if (pid) return pid
  const text = typeof to === 'string' || to instanceof Atom ? String(to) : 'that name'
  throw new ProcessError('ERR_NOPROC', `The pid of ${text} is not known here: no process of this node has that name.`)
}
