/**
 * `node.rpc` and `self.rpc`: calls of functions on other nodes, as erpc makes them, and what rpc has besides.
 *
 * A call that fails is an RpcError, whose classes are erpc's. rpc's {badrpc, Reason} is no value here.
 */
import { atomOf, type Process, ProcessError } from '../../process/index.js'
import { Atom, atom, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import * as erpc from './erpc.js'
import { RpcError, type RpcRequest } from './erpc.js'
import { call as genCall, type CallOptions } from '../gen/gen.js'
import { askEach } from './nodes.js'

/** Runs work in the name of a process. */
type Run = <T>(work: (self: Process) => Promise<T>) => Promise<T>

type Name = string | Atom

/** A call of a function: module, function, arguments. */
export type FunctionCall = readonly [module: Name, fun: Name, args: readonly Sendable[]]

/** What remote calls need of a node. */
export interface Calling {
  /** Runs work in a process of its own: what is answered too late ends with it. */
  run<T>(work: (self: Process) => Promise<T>): Promise<T>
  /** The visible ones */
  nodes(): string[]
  readonly name: string
}

export class Rpc {
  readonly #node: Calling
  readonly #run: Run

  /**
   * @internal
   * @param run in whose name it calls
   */
  constructor(node: Calling, run: Run = work => node.run(work)) {
    this.#node = node
    this.#run = run
  }

  /** `[node() | nodes()]` */
  #nodes(): string[] {
    return [this.#node.name, ...this.#node.nodes()]
  }

  /**
   * `erpc:call/5`: calls a function on a node and returns its value. After a timeout or an abort no late result arrives.
   *
   * @throws RpcError with the class and reason of what it raised there, or of why it could not be called (class `erpc`: `noconnection`,
   * `notsup`); ProcessError ERR_TIMEOUT (default 5000 ms); the signal's reason; EtfError when an argument cannot be sent.
   */
  async call(node: Name, module: Name, fun: Name, args: readonly Sendable[] = [], options?: CallOptions): Promise<Term> {
    return this.#run(self => erpc.call(self, atomOf(node), atomOf(module), atomOf(fun), args, options))
  }

  /** `erpc:cast/4`: calls a function on a node and waits for nothing. @throws EtfError when an argument cannot be sent. */
  async cast(node: Name, module: Name, fun: Name, args: readonly Sendable[] = []): Promise<void> {
    return this.#run(async self => erpc.cast(self, atomOf(node), atomOf(module), atomOf(fun), args))
  }

  /**
   * `erpc:multicall/5`: calls a function on several nodes at once. The results are in the order of the nodes; `reason` is what `call` would
   * throw.
   *
   * @throws the signal's reason; EtfError when an argument cannot be sent.
   */
  async multicall(
    nodes: readonly Name[],
    module: Name,
    fun: Name,
    args: readonly Sendable[] = [],
    options: CallOptions = {},
  ): Promise<PromiseSettledResult<Term>[]> {
    options.signal?.throwIfAborted()
    return this.#run(async self => {
      const requests = nodes.map(node => erpc.sendRequest(self, atomOf(node), atomOf(module), atomOf(fun), args))
      const results = await Promise.allSettled(requests.map(request => erpc.receiveResponse(self, request, options)))
      options.signal?.throwIfAborted()
      return results
    })
  }

  /** `erpc:multicast/4`: casts to several nodes. @throws EtfError when an argument cannot be sent. */
  async multicast(nodes: readonly Name[], module: Name, fun: Name, args: readonly Sendable[] = []): Promise<void> {
    return this.#run(async self => {
      for (const node of nodes) erpc.cast(self, atomOf(node), atomOf(module), atomOf(fun), args)
    })
  }

  /** `rpc:eval_everywhere/4`: as multicast, by default to this node and all that are visible. @throws as `multicast` */
  async evalEverywhere(module: Name, fun: Name, args: readonly Sendable[] = [], nodes: readonly Name[] = this.#nodes()): Promise<void> {
    return this.multicast(nodes, module, fun, args)
  }

  /**
   * `rpc:block_call/5`: as `call`, but the node's `rex` runs it itself, one after the other. Of what it raised rpc tells less: a throw is a
   * value, error and exit are both class `exit`.
   *
   * @throws as `call`
   */
  async blockCall(node: Name, module: Name, fun: Name, args: readonly Sendable[] = [], options: CallOptions = {}): Promise<Term> {
    const [where, m, f] = [atomOf(node), atomOf(module), atomOf(fun)]
    return this.#run(async self => {
      const request = tuple(atom('block_call'), m, f, args, self.groupLeader)
      const value = await genCall(self, { name: 'rex', node: where }, request, options).catch(unreachable)
      if (!(value instanceof Tuple) || value.tag !== 'badrpc' || value.length !== 2) return value
      const why: Term = value.elements[1]
      const exit = why instanceof Tuple && why.tag === 'EXIT' && why.length === 2
      throw exit ? new RpcError('exit', why.elements[1]) : new RpcError('erpc', why)
    })
  }

  /** `rpc:abcast/3`: sends a message to the processes of that name, by default on this node and all that are visible. @throws EtfError */
  async abcast(name: Name, message: Sendable, nodes: readonly Name[] = this.#nodes()): Promise<void> {
    return this.#run(async self => {
      for (const node of nodes) self.send({ name: atomOf(name), node }, message)
    })
  }

  /**
   * `rpc:sbcast/3`: as `abcast`, and waits until each node has said whether it has a process of that name.
   *
   * @returns the nodes that have, and those that have not or cannot be reached
   * @throws ProcessError ERR_TIMEOUT (default 5000 ms); the signal's reason; EtfError.
   */
  async sbcast(
    name: Name,
    message: Sendable,
    nodes: readonly Name[] = this.#nodes(),
    options: CallOptions = {},
  ): Promise<[good: string[], bad: string[]]> {
    const request = tuple(atom('sbcast'), atomOf(name), message)
    const answers = await this.#node.run(self => askEach(self, nodes.map(atomOf), atom('rex') as Atom, request, options))
    const has = (answer: Term | undefined): boolean => answer instanceof Atom
    const named = (good: boolean): string[] => answers.flatMap(({ node, answer }) => (has(answer) === good ? [node.name] : []))
    return [named(true), named(false)]
  }

  /**
   * `rpc:multi_server_call/3`: sends `{Self, Message}` to the processes of that name, each of which answers `{Name, Node, Reply}`.
   *
   * @returns the replies, and the nodes that gave none
   * @throws as `sbcast`
   */
  async multiServerCall(
    name: Name,
    message: Sendable,
    nodes: readonly Name[] = this.#nodes(),
    options: CallOptions = {},
  ): Promise<[replies: Term[], bad: string[]]> {
    const answers = await this.#node.run(self => askEach(self, nodes.map(atomOf), atomOf(name), message, options))
    const replies = answers.flatMap(({ answer }) => (answer === undefined ? [] : [answer]))
    return [replies, answers.flatMap(({ node, answer }) => (answer === undefined ? [node.name] : []))]
  }

  /** `rpc:parallel_eval/1`: spreads calls over this node and all that are visible; the results are in the order of the calls. */
  async parallelEval(calls: readonly FunctionCall[], options: CallOptions = {}): Promise<PromiseSettledResult<Term>[]> {
    const nodes = this.#nodes()
    const each = calls.map(([module, fun, args], index) => this.call(nodes[index % nodes.length] as string, module, fun, args, options))
    return Promise.allSettled(each)
  }
}

/** `self.rpc`: as `node.rpc`, from this process, which can also ask now and take the response later. */
export class ProcessRpc extends Rpc {
  readonly #self: Process

  /** @internal */
  constructor(self: Process, node: Calling) {
    super(node, work => work(self))
    this.#self = self
  }

  /**
   * `erpc:send_request/4`, `rpc:async_call/4`: asks for a call and goes on. The response is a message to this process: take it with
   * `receiveResponse`, `waitResponse` or `checkResponse`.
   *
   * @throws EtfError when an argument cannot be sent.
   */
  sendRequest(node: Name, module: Name, fun: Name, args: readonly Sendable[] = []): RpcRequest {
    return erpc.sendRequest(this.#self, atomOf(node), atomOf(module), atomOf(fun), args)
  }

  /** `erpc:receive_response/2`, `rpc:yield/1`: waits for the value. After a timeout or an abort none arrives. @throws as `call` */
  receiveResponse(request: RpcRequest, options?: CallOptions): Promise<Term> {
    return erpc.receiveResponse(this.#self, request, options)
  }

  /**
   * `erpc:wait_response/2`, `rpc:nb_yield/2`: waits for a while (milliseconds; default: none), and the response can still come afterwards.
   *
   * @returns undefined when there is none yet
   * @throws RpcError as `call`
   */
  async waitResponse(request: RpcRequest, { timeout = 0, signal }: CallOptions = {}): Promise<{ readonly response: Term } | undefined> {
    try {
      const message = await this.#self.receive(erpc.answerTo(request), { timeout, signal })
      return { response: erpc.resultOf(message, request) }
    } catch (error) {
      if (error instanceof ProcessError && error.code === 'ERR_TIMEOUT') return undefined
      throw error
    }
  }

  /** `erpc:check_response/2`: is that message the response? @returns undefined when it is not @throws RpcError as `call` */
  checkResponse(message: Term, request: RpcRequest): { readonly response: Term } | undefined {
    const answer = erpc.answerTo(request)
    return answer(message) ? { response: erpc.resultOf(message, request) } : undefined
  }
}

/** A rex that cannot be called: its node is gone, or it is none. */
function unreachable(error: unknown): never {
  const reason = error instanceof Error && 'reason' in error ? (error.reason as Term) : undefined
  if (reason === undefined) throw error
  throw new RpcError('erpc', reason)
}
