/**
 * A gen_server's life: one handler at a time, in the order of the messages, each given the state that the one before returned. While an async
 * handler waits, its own receives (a call that it makes) are served, and nothing else.
 *
 * Source: gen_server.erl (loop, handle_msg, terminate).
 */
import { basename } from 'node:path'
import { ErlangError, ExitError, type LocalProcess, type Process, reason, type Runner } from '../process/index.js'
import { Atom, atom, equals, type Pid, type Sendable, type Term, Tuple, tuple } from '../term/index.js'
import { type Caller, parseRequest, reply } from './gen.js'
import { type From, type GenServerDefinition, NoReply, Reply, type ServerProcess, Stop } from './gen-server-types.js'

export type Definition = GenServerDefinition<any[], any, any, any>

export interface Life {
  readonly args: readonly unknown[]
  /** Who started it and is linked to it: its exit ends the server even when that traps exits. */
  readonly parent: Pid | null
  started(): void
  failed(error: unknown): void
}

type Handler = (this: ServerProcess, ...args: any[]) => unknown

export class GenServerRunner implements Runner {
  readonly #self: ServerProcess
  readonly #definition: Definition
  readonly #life: Life
  #state: unknown
  #stage: 'new' | 'starting' | 'idle' | 'busy' = 'new'
  #caller: Caller | null = null

  constructor(self: Process, definition: Definition, life: Life) {
    this.#self = Object.assign(self, { from: () => this.#from() })
    this.#definition = definition
    this.#life = life
  }

  run(process: LocalProcess): void {
    if (this.#stage === 'busy' || this.#stage === 'starting') return this.#self.receiver.run()
    if (this.#stage === 'new') return this.#start()
    const { scheduler } = this.#self.host
    if (process.mailbox.size > 0 && scheduler.take()) this.#onMessage(process.mailbox.shift())
    if (process.mailbox.size > 0) scheduler.ready(process)
  }

  exited(_process: LocalProcess, why: Term): void {
    if (this.#stage === 'new' || this.#stage === 'starting') this.#life.failed(new ExitError(why))
    this.#self.exited(why)
  }

  #start(): void {
    this.#stage = 'starting'
    const { init } = this.#definition
    this.#invoke(init as Handler, this.#life.args, state => {
      if (state instanceof Stop) return this.#self.host.exit(this.#self.local, state.reason)
      this.#state = state
      this.#idle()
      this.#life.started()
    })
  }

  #onMessage(message: Term): void {
    const parsed = parseRequest(message)
    if (parsed.kind === 'call') return this.#onCall(parsed.request, parsed.from)
    if (parsed.kind === 'cast') return this.#onCast(parsed.request)
    const { parent } = this.#life
    if (parent && message instanceof Tuple && message.tag === 'EXIT' && message.length === 3 && equals(message.elements[1], parent)) {
      return this.#terminate(message.elements[2])
    }
    const { info } = this.#definition
    if (info) this.#invoke(info, [this.#state, message], out => this.#took(out))
  }

  #onCall(request: Term, caller: Caller): void {
    this.#caller = caller
    const took = (out: unknown): void => {
      this.#caller = null
      if (out instanceof Reply) reply(this.#self, caller, out.value as Sendable)
      if (out instanceof Stop && out.reply.length === 1) reply(this.#self, caller, out.reply[0] as Sendable)
      if (out instanceof Reply || out instanceof NoReply || out instanceof Stop) return this.#took(out)
      this.#crash(new ErlangError(tuple(atom('bad_return_value'), reason.termOf(out)), []))
    }
    const found = handlerOf(this.#definition.call, request)
    const { handleCall } = this.#definition
    if (found) this.#invoke(found.handler, [this.#state, ...found.args], took)
    else if (handleCall) this.#invoke(handleCall, [request, this.#from(), this.#state], took)
    else this.#crash(this.#functionClause('handle_call', [request, tuple(caller.pid, caller.tag)]))
  }

  #onCast(request: Term): void {
    const took = (out: unknown): void => this.#took(out)
    const found = handlerOf(this.#definition.cast, request)
    const { handleCast } = this.#definition
    if (found) this.#invoke(found.handler, [this.#state, ...found.args], took)
    else if (handleCast) this.#invoke(handleCast, [request, this.#state], took)
    else this.#crash(this.#functionClause('handle_cast', [request]))
  }

  /** What a handler returned is the new state, or holds it. */
  #took(out: unknown): void {
    this.#state = out instanceof Reply || out instanceof NoReply || out instanceof Stop ? out.state : out
    if (out instanceof Stop) this.#terminate(out.reason)
    else this.#idle()
  }

  /** Runs a handler, and `next` with what comes of it. Most return at once, and cost no promise. */
  #invoke(handler: Handler, args: readonly unknown[], next: (out: unknown) => void): void {
    if (this.#stage === 'idle') this.#stage = 'busy'
    try {
      const out = handler.apply(this.#self, [...args])
      if (!(out instanceof Promise)) return next(out)
      out.then(value => this.#self.local.alive && next(value)).catch((thrown: unknown) => this.#crash(thrown))
    } catch (thrown) {
      this.#crash(thrown)
    }
  }

  #idle(): void {
    this.#stage = 'idle'
    this.#self.host.scheduler.ready(this.#self.local)
  }

  #crash(thrown: unknown): void {
    if (!this.#self.local.alive) return
    if (this.#stage === 'starting') {
      this.#life.failed(new ExitError(reason.reasonOf(thrown), undefined, { cause: thrown }))
      return this.#self.host.crash(this.#self.local, thrown)
    }
    this.#end(reason.reasonOf(thrown), () => this.#self.host.crash(this.#self.local, thrown))
  }

  #terminate(why: Term): void {
    this.#end(why, () => this.#self.host.exit(this.#self.local, why))
  }

  /** The last handler runs while the process still lives; when it throws, that becomes the reason. */
  #end(why: Term, exit: () => void): void {
    const { terminate } = this.#definition
    if (!terminate) return exit()
    this.#stage = 'busy'
    const failed = (thrown: unknown): void => this.#self.host.crash(this.#self.local, thrown)
    try {
      const out: unknown = terminate.call(this.#self, why, this.#state)
      if (out instanceof Promise) out.then(exit).catch(failed)
      else exit()
    } catch (thrown) {
      failed(thrown)
    }
  }

  #from(): From {
    const caller = this.#caller
    if (!caller) throw new ErlangError(atom('badarg'), undefined)
    return { reply: (value: Sendable) => reply(this.#self, caller, value) }
  }

  #functionClause(handler: string, args: readonly Term[]): ErlangError {
    const module = basename(this.#definition.module ?? 'gen_server').replace(/\.[^.]*$/, '')
    return new ErlangError(atom('function_clause'), [tuple(atom(module), atom(handler), args, [])])
  }
}

/** `get` is the handler `get` without arguments, `{add, 5}` is `add` with one. Too few arguments are no match. */
function handlerOf(table: Record<string, Handler> | undefined, request: Term): { handler: Handler; args: readonly Term[] } | null {
  const name: unknown = request instanceof Tuple ? request.elements[0] : request
  if (!table || !(name instanceof Atom) || !Object.hasOwn(table, name.name)) return null
  const handler = table[name.name] as Handler
  const args = request instanceof Tuple ? request.elements.slice(1) : []
  return handler.length - 1 <= args.length ? { handler, args } : null
}
