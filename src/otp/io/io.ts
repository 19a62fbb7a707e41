/**
 * `io`: printing on devices and reading from them, from TypeScript. A device is an I/O server, of Erlang or of TypeScript, on any node.
 *
 *   {io_request, From, Ref, Request} → {io_reply, Ref, Answer}
 *
 * Source: io.erl (request, execute_request).
 */
import type { Process } from '../../process/index.js'
import {
  any,
  atom,
  type Atom,
  equals,
  format,
  match,
  NodeError,
  parse,
  Pid,
  type Sendable,
  type Term,
  text,
  Tuple,
  tuple,
  charlist,
} from '../../term/index.js'
import type { CallOptions } from '../gen/gen.js'

/** What a device did not do. Code ERR_IO, with its `reason`; ERR_IO_TERMINATED: there is no such device, or it ended before it had answered. */
export class IoError extends NodeError {
  readonly reason: Term

  constructor(code: 'ERR_IO' | 'ERR_IO_TERMINATED', reason: Term, says: string) {
    super(code, says)
    this.reason = reason
  }
}

export type Device = Pid | string | Atom | { readonly name: string | Atom; readonly node: string | Atom }

export interface IoRequestOptions extends CallOptions {
  /** Default: the group leader of the process that asks, or of the node's own processes */
  readonly device?: Device | undefined
}

/** Who asks */
export interface Asker {
  /** Runs work in a process of its own, at once */
  run<T>(work: (self: Process) => Promise<T>): Promise<T>
  readonly leader: () => Pid
  readonly self?: Process | undefined
}

/**
 * Every method waits for the device's answer, for ever unless `timeout` (milliseconds) or `signal` says otherwise.
 *
 * All throw IoError; ProcessError ERR_TIMEOUT, ERR_NOT_REGISTERED for a name of this node that nobody has; the signal's reason; EtfError for what
 * cannot be sent.
 */
export class Io {
  readonly #asker: Asker

  /** @internal Use `self.io` and `node.io`. */
  constructor(asker: Asker) {
    this.#asker = asker
  }

  /** `io:put_chars`: text, or chardata */
  async putChars(chars: Sendable, options?: IoRequestOptions): Promise<void> {
    await this.request(tuple(atom('put_chars'), atom('unicode'), chars), options)
  }

  /** `io:format`: the device formats. A string among `args` is a binary there, for `~ts`. */
  async format(format: string, args: readonly Sendable[] = [], options?: IoRequestOptions): Promise<void> {
    const values: Sendable = [charlist(format), [...args]]
    await this.request(tuple(atom('put_chars'), atom('unicode'), atom('io_lib'), atom('format'), values), options)
  }

  /** `io:write`: a term, on one line */
  async write(term: Sendable, options?: IoRequestOptions): Promise<void> {
    await this.request(tuple(atom('put_chars'), atom('unicode'), atom('io_lib'), atom('write'), [term]), options)
  }

  async nl(options?: IoRequestOptions): Promise<void> {
    await this.putChars('\n', options)
  }

  /** `io:get_line`: a line with its `\n`, the last one perhaps without; null at the end of the input */
  async getLine(prompt: Sendable = '', options?: IoRequestOptions): Promise<string | null> {
    return textOf(await this.request(tuple(atom('get_line'), atom('unicode'), prompt), options))
  }

  /** `io:get_chars`: that many characters, or as many as there are; null at the end of the input */
  async getChars(prompt: Sendable, count: number, options?: IoRequestOptions): Promise<string | null> {
    return textOf(await this.request(tuple(atom('get_chars'), atom('unicode'), prompt, count), options))
  }

  /** `io:read`: a term in Erlang's syntax, up to its dot; null at the end of the input. @throws TermSyntaxError, too */
  async read(prompt: Sendable = '', options?: IoRequestOptions): Promise<Term> {
    const request = tuple(atom('get_until'), atom('unicode'), prompt, atom('erl_scan'), atom('tokens'), [1])
    const answer = await this.request(request, options)
    if (answer === atom('eof') || (answer instanceof Tuple && answer.tag === 'eof')) return null
    return parse((((answer as Tuple).elements[1] as Tuple[]) ?? []).map(tokenText).join(' '))
  }

  /** Columns of the device; undefined for one that has none, as a file */
  columns(options?: IoRequestOptions): Promise<number | undefined> {
    return this.#geometry('columns', options)
  }

  rows(options?: IoRequestOptions): Promise<number | undefined> {
    return this.#geometry('rows', options)
  }

  /** `io:getopts`: `[{Option, Value}]` */
  getopts(options?: IoRequestOptions): Promise<Term> {
    return this.request(atom('getopts'), options)
  }

  /** `io:setopts`: `[tuple(atom('encoding'), atom('latin1'))]`, say */
  async setopts(opts: readonly Sendable[], options?: IoRequestOptions): Promise<void> {
    await this.request(tuple(atom('setopts'), [...opts]), options)
  }

  /** Any request of the I/O protocol; resolves to the device's answer. */
  async request(request: Sendable, { device, timeout = Infinity, signal }: IoRequestOptions = {}): Promise<Term> {
    const { self, leader } = this.#asker
    const to = device ?? leader()
    if (self && to instanceof Pid && equals(to, self.pid)) throw failure(atom('calling_self'))
    const signals = [self?.signal, signal].filter(one => one !== undefined)
    // A process of its own asks: an answer that comes too late reaches nobody.
    return this.#asker.run(async worker => {
      const ref = worker.monitor(to)
      worker.send(to, tuple(atom('io_request'), worker.pid, ref, request))
      const either = match.oneOf(match([atom('io_reply'), ref, any]), match([atom('DOWN'), ref, any, any, any]))
      const answer = (await worker.receive(either, { timeout, signal: AbortSignal.any(signals) })) as Tuple
      if (answer.tag === 'DOWN')
        throw new IoError('ERR_IO_TERMINATED', atom('terminated'), `The device ${String(device ?? to)} is not there, or has ended.`)
      const value = answer.elements[2] as Term
      if (value instanceof Tuple && value.tag === 'error') throw failure(value.elements[1] as Term)
      return value
    })
  }

  async #geometry(which: string, options: IoRequestOptions | undefined): Promise<number | undefined> {
    try {
      return Number(await this.request(tuple(atom('get_geometry'), atom(which)), options))
    } catch (error) {
      if (error instanceof IoError && error.reason === atom('enotsup')) return undefined
      throw error
    }
  }
}

const failure = (reason: Term): IoError => {
  const says =
    reason === atom('calling_self') ? 'A process cannot be its own device.' : `The device answered with the error ${format(reason)}.`
  return new IoError('ERR_IO', reason, says)
}

const textOf = (answer: Term): string | null => (answer === atom('eof') ? null : text(answer))

/** A token of erl_scan as it was written */
function tokenText({ elements: [kind, , value] }: Tuple): string {
  const name = (kind as Atom).name
  if (name === 'dot') return '.'
  if (name === 'var') return (value as Atom).name
  return value === undefined ? name : format(value as Term)
}
