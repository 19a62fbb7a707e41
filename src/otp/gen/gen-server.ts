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
import { addressOf, isFarName, type Process, ProcessError, type To } from '../../process/index.js'
import { type Atom, atom, Pid, type Sendable, type Term, Tuple } from '../../term/index.js'
import { call, cast } from './gen.js'
import { moduleOf } from './runner.js'
import { checkPersist, PersistentServerRunner } from './persistent-runner.js'
import { type Definition, GenServerRunner } from './server-runner.js'
import { define, type Starting } from './start.js'
import type { GenServer, GenServerDefinition, RefOptions, ServerRef } from './server-types.js'
import { type Server, type ServerName, textOf, whereis } from './server-name.js'

export type { GlobalName, ViaName } from '../../process/index.js'
export type { ServerName, StartName } from './server-name.js'

export {
  type Args,
  type From,
  type GenServer,
  ignore,
  type Next,
  type RefOptions,
  noreply,
  reply,
  type ServerProcess,
  type ServerRef,
  type ServerStatus,
  type StartArguments,
  type StartOptions,
  stop,
  type Value,
} from './server-types.js'

const none: RefOptions = {}

/** Defines a server: `init` gives the first state, each handler takes the state and returns the next. */
export function genServer<A extends unknown[], S, C = {}, K = {}>(definition: GenServerDefinition<A, S, C, K>): GenServer<A, S, C, K> {
  const known = definition as unknown as Definition
  if (known.persist) checkPersist(known.persist)
  return define<GenServer<A, S, C, K>, Definition>({
    module: definition.module,
    erlangModule: moduleOf(definition.module, 'gen_server'),
    behaviour: atom('gen_server') as Atom,
    code: known,
    runner(self, life) {
      return known.persist ? new PersistentServerRunner(self, this, life) : new GenServerRunner(self, this, life)
    },
    refOf: (node, to, options) => refOf(node, to, options),
  })
}

/** @internal */
export function refOf<D extends GenServer<any, any, any, any>>(node: Starting, to: ServerName, options: RefOptions = none): ServerRef<D> {
  return new Reference(node, to, options) as unknown as ServerRef<D>
}

/** A ServerRef: programs hold as many as servers. */
class Reference {
  readonly #node: Starting
  readonly #to: Server
  readonly #options: RefOptions

  constructor(node: Starting, to: Server, options: RefOptions) {
    this.#node = node
    this.#to = to
    this.#options = options
  }

  get pid(): Pid {
    return pidOf(this.#node, this.#to)
  }

  with(more: RefOptions): Reference {
    return new Reference(this.#node, this.#to, { ...this.#options, ...more })
  }

  call(name: string, ...args: Sendable[]): Promise<Term> {
    const [to, options] = [this.#to, this.#options]
    const work = (self: Process): Promise<Term> => call(self, to, requestOf(name, args), options)
    return options.self ? work(options.self) : this.#node.run(work)
  }

  cast(name: string, ...args: Sendable[]): void {
    cast(this.#options.self ?? this.#node.processes.init, this.#to, requestOf(name, args))
  }
}

/** What `name(...args)` is on the wire */
export const requestOf = (name: string, args: Sendable[]): Sendable => (args.length === 0 ? atom(name) : new Tuple([atom(name), ...args]))

/** The pid of a server, where it is known here. @throws ProcessError ERR_NOPROC */
export function pidOf({ processes }: Starting, to: Server): Pid {
  if (to instanceof Pid) return to
  const pid = isFarName(to) ? whereis(processes.init, to) : registered(processes, to)
  if (pid) return pid
  throw new ProcessError('ERR_NOPROC', `The pid of ${textOf(to)} is not known here: no process of this node has that name.`)
}

function registered({ table, registry }: Starting['processes'], to: To): Pid | undefined {
  const address = addressOf(to, table.node)
  return 'name' in address && address.node === table.node ? registry.pidOf(address.name) : undefined
}
