/** `self.seqTrace`: the trace token of a process, as the module seq_trace gives it. */
import { type Sendable, type Term, Tuple, tuple } from '../term/index.js'
import { ProcessError } from './errors.js'
import type { LocalProcess } from './local-process.js'
import { received, tokenOf, type TraceToken } from './trace.js'

/** What a flag of the token has system tracers of BEAM nodes report */
const flags = { send: 1, receive: 2, print: 4, timestamp: 8, strict_monotonic_timestamp: 16, monotonic_timestamp: 32 } as const

export type TraceFlag = keyof typeof flags

/**
 * The trace token that this process's signals carry. A process takes over the token of each message that it receives, or has none after one
 * without. Beamlet carries tokens and reports nothing; BEAM nodes that they reach report to their system tracer.
 */
export class SeqTrace {
  readonly #process: LocalProcess
  readonly #copy: (term: Sendable) => Term

  /** @internal */
  constructor(process: LocalProcess, copy: (term: Sendable) => Term) {
    this.#process = process
    this.#copy = copy
  }

  /** {Flags, Label, Serial, From, Last}, or [] without a token. With a component, its value: a label is [] without a token, a flag false. */
  getToken(): TraceToken | []
  getToken(component: 'label'): Term
  getToken(component: TraceFlag): boolean
  getToken(component?: 'label' | TraceFlag): Term {
    const token = this.#process.mailbox.trace?.token
    if (component === undefined) return token ? this.#copy(token) : []
    if (component === 'label') return token ? this.#copy(token.elements[1]) : []
    return token ? (token.elements[0] & flags[component]) !== 0 : false
  }

  /**
   * Sets a token that `getToken` has given, or takes it away: []. With a component, sets that alone; without a token, a new one begins. On a
   * process that has ended it does nothing.
   *
   * @throws ProcessError ERR_BADARG when it is no token; EtfError when the label cannot be sent.
   */
  setToken(token: TraceToken | []): void
  setToken(component: 'label', label: Sendable): void
  setToken(component: TraceFlag, on: boolean): void
  setToken(...args: [token: TraceToken | []] | [component: 'label' | TraceFlag, value: Sendable]): void {
    if (!this.#process.alive) return
    if (args.length === 1) return this.#replace(args[0])
    const [component, value] = args
    const [bits, label, serial, from, last] = this.#begun().elements
    if (component === 'label') this.#put(tuple(bits, this.#copy(value), serial, from, last))
    else this.#put(tuple(value === true ? bits | flags[component] : bits & ~flags[component], label, serial, from, last))
  }

  #begun(): TraceToken {
    const { pid, mailbox } = this.#process
    return mailbox.trace?.token ?? tuple(0, 0, 0, pid, mailbox.trace?.last ?? 0)
  }

  #put(token: TraceToken): void {
    const { mailbox } = this.#process
    if (mailbox.trace) mailbox.trace.token = token
    else mailbox.trace = { token, clock: 0, last: 0 }
  }

  #replace(token: TraceToken | []): void {
    const { pid, mailbox } = this.#process
    if (Array.isArray(token) && token.length === 0) {
      mailbox.trace = received(mailbox.trace, null)
      return
    }
    const sound = token instanceof Tuple ? tokenOf(token) : null
    if (!sound) throw new ProcessError('ERR_BADARG', 'A trace token is [] or {Flags, Label, Serial, From, Last}, as getToken gives it.')
    const [bits, label, serial, , last] = sound.elements
    mailbox.trace = { token: tuple(bits, this.#copy(label), serial, pid, last), clock: serial, last }
  }
}
