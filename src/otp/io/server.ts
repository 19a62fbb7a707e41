/**
 * An I/O server: what a group leader, a device, is in Erlang. Whoever sends a request waits for the answer for ever, so every one gets one, and
 * just one. What is printed while somebody waits for input is printed at once; requests for input are served one after the other.
 * Source: the stdlib user's guide, "The Erlang I/O-protocol"; group.erl.
 *
 *   {io_request, From, ReplyAs, Request} → {io_reply, ReplyAs, Answer}
 */
import { type Process } from '../../process/index.js'
import { type Atom, atom, Pid, Reference, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { Input, type Source } from './input.js'
import { IoOptions } from './options.js'
import { charsOf, promptOf } from './chars.js'
import { getUntil } from './until.js'

/** A stream, as Node.js has them: `process.stdout`, a file, a socket. */
export interface Sink {
  write(text: string, done: (error?: Error | null) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export interface IoDevice {
  /** Takes what is printed: a Writable, or a function, whose promise is waited for. Default: what is printed goes nowhere. */
  readonly output?: ((text: string) => unknown) | Sink | undefined
  /** What is read from: a Readable, or any async iterable of text. It ends with the server. Default: none, which is `eof`. */
  readonly input?: Source | undefined
  /** What is read comes as binaries, as Elixir wants it, until `io:setopts` says otherwise. Default: lists of characters, as devices of Erlang have it */
  readonly binary?: boolean | undefined
  /** What io:columns and io:rows answer; a function is asked each time. Default: `{error, enotsup}` */
  readonly columns?: number | (() => number | undefined) | undefined
  readonly rows?: number | (() => number | undefined) | undefined
}

/**
 * The code of an I/O server: `node.spawn(ioServer({ input, output }), { name: 'console' })`. Erlang prints there with `io:format(Pid, …)`, reads with
 * `io:get_line(Pid, Prompt)`; a process whose group leader it is uses it by itself.
 */
export const ioServer =
  (device: IoDevice) =>
  async (self: Process): Promise<void> => {
    const server = new IoServer(self, device)
    for await (const message of self) {
      const served = server.take(message)
      if (served) await served
    }
  }

interface Request {
  readonly from: Pid | Reference
  readonly replyAs: Term
  readonly request: Term
}

const ok = atom('ok')
const eof = atom('eof')
const error = (reason: Sendable): Sendable => tuple(atom('error'), reason)
const isError = (answer: Sendable): boolean => answer instanceof Tuple && answer.tag === 'error'

class IoServer {
  readonly #self: Process
  readonly #device: IoDevice
  readonly #input: Input
  readonly #options: IoOptions
  /** Those that want input, and those behind them */
  readonly #waiting: Request[] = []

  constructor(self: Process, device: IoDevice) {
    this.#self = self
    this.#device = device
    this.#input = new Input(device.input)
    this.#options = new IoOptions(device.binary ?? false)
    const { output } = device
    // An error of a write is told to whoever printed.
    if (typeof output === 'object') output.on('error', () => {})
    self.signal.addEventListener('abort', () => this.#input.close(), { once: true })
  }

  /** A promise when it is not yet served. */
  take(message: Term): Promise<void> | undefined {
    if (!(message instanceof Tuple) || message.tag !== 'io_request' || message.length !== 4) return undefined
    const [, from, replyAs, request] = message.elements as readonly [Term, Term, Term, Term]
    if (!(from instanceof Pid || from instanceof Reference)) return undefined
    const one: Request = { from, replyAs, request }
    if (!isOutput(request) && (this.#waiting.length > 0 || wantsInput(request))) {
      if (this.#waiting.push(one) === 1) this.#serveWaiting().catch((thrown: unknown) => this.#self.host.crash(this.#self, thrown))
      return undefined
    }
    const answer = this.#answer(request)
    if (answer instanceof Promise) return answer.then(answer => this.#reply(one, answer))
    this.#reply(one, answer)
    return undefined
  }

  async #serveWaiting(): Promise<void> {
    for (let one = this.#waiting[0]; one && this.#self.alive; one = this.#waiting[0]) {
      this.#reply(one, await this.#answer(one.request))
      this.#waiting.shift()
    }
  }

  #reply({ from, replyAs }: Request, answer: Sendable): void {
    this.#self.send(from, tuple(atom('io_reply'), replyAs, answer))
  }

  #answer(request: Term): Sendable | Promise<Sendable> {
    if (request === atom('getopts')) return this.#options.all()
    if (request === atom('get_password')) return error(atom('enotsup'))
    if (!(request instanceof Tuple)) return error(atom('request'))
    const parts = request.elements.slice(1) as readonly Term[]
    const named = isEncoding(parts[0])
    const unicode = named && (parts[0] as Atom).name !== 'latin1'
    const rest = named ? parts.slice(1) : parts
    switch (`${request.tag}/${rest.length}`) {
      case 'put_chars/1':
      case 'put_chars/3':
        return this.#putChars(rest, unicode)
      case 'get_line/1':
        return this.#get(rest[0] as Term, unicode, 'collect_line', () => this.#input.line())
      case 'get_chars/2':
        return this.#getChars(rest[0] as Term, rest[1] as Term, unicode)
      case 'get_until/4':
        return this.#getUntil(rest, unicode)
      case 'get_password/0':
        return error(atom('enotsup'))
      case 'get_geometry/1':
        return this.#geometry(rest[0] as Term)
      case 'setopts/1':
        return Array.isArray(rest[0]) ? this.#options.set(rest[0] as readonly Term[]) : error(atom('request'))
      case 'requests/1':
        return Array.isArray(rest[0]) ? this.#requests(rest[0] as readonly Term[]) : error(atom('request'))
      default:
        return error(atom('request'))
    }
  }

  /** All of them until the first that fails; the last answer is the answer. */
  async #requests(list: readonly Term[]): Promise<Sendable> {
    let last: Sendable = ok
    for (const request of list) {
      last = await this.#answer(request)
      // As in OTP, only what prints may be followed by others.
      if (last !== ok) break
    }
    return last
  }

  #putChars(parts: readonly Term[], unicode: boolean): Sendable | Promise<Sendable> {
    const chars = charsOf(parts, unicode)
    if (chars !== undefined) return this.#write(chars)
    const encoding = atom(unicode ? 'unicode' : 'latin1')
    return error(parts.length === 1 ? tuple(atom('put_chars'), encoding, parts[0] as Term) : (parts[1] as Term))
  }

  #write(text: string): Sendable | Promise<Sendable> {
    const { output } = this.#device
    const chars = this.#options.encoded(text)
    try {
      if (typeof output === 'object') {
        return new Promise(resolve => output.write(chars, failure => resolve(failure ? error(reasonOf(failure)) : ok)))
      }
      const done = output?.(chars)
      return done instanceof Promise
        ? done.then(
            () => ok,
            (failure: unknown) => error(reasonOf(failure)),
          )
        : ok
    } catch (failure) {
      return error(reasonOf(failure))
    }
  }

  #prompt(prompt: Term): Sendable | Promise<Sendable> {
    const chars = promptOf(prompt)
    return chars === '' ? ok : this.#write(chars)
  }

  async #get(prompt: Term, unicode: boolean, what: string, read: () => Promise<string | null>): Promise<Sendable> {
    const printed = await this.#prompt(prompt)
    if (isError(printed)) return printed
    try {
      const text = await read()
      return text === null
        ? eof
        : (this.#options.data(text, unicode) ?? error(tuple(atom('no_translation'), atom('unicode'), atom('latin1'))))
    } catch (failure) {
      return error(reasonOf(failure, what))
    }
  }

  #getChars(prompt: Term, count: Term, unicode: boolean): Sendable | Promise<Sendable> {
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > maxChars) return error(atom('collect_chars'))
    return this.#get(prompt, unicode, 'collect_chars', () => this.#input.chars(count))
  }

  async #getUntil([prompt, module, fun, args]: readonly Term[], unicode: boolean): Promise<Sendable> {
    const step = getUntil(module as Term, fun as Term, args as Term)
    if (!step) return error(fun as Term)
    let text = ''
    for (;;) {
      const printed = await this.#prompt(prompt as Term)
      if (isError(printed)) return printed
      try {
        const line = await this.#input.line()
        text += line ?? ''
        const done = text.length > maxChars ? null : step(text, line === null)
        if (done === null) return error(fun as Term)
        if (!done) continue
        this.#input.giveBack(done.rest)
        return this.#options.result(done.result, unicode)
      } catch (failure) {
        return error(reasonOf(failure, (fun as Atom).name))
      }
    }
  }

  #geometry(which: Term): Sendable {
    const { columns, rows } = this.#device
    const known = which === atom('columns') ? columns : which === atom('rows') ? rows : undefined
    const value = typeof known === 'function' ? known() : known
    return value === undefined ? error(atom('enotsup')) : value
  }
}

/** What one request may ask for or gather */
const maxChars = 2 ** 26

const isEncoding = (term: Term | undefined): boolean => term === atom('unicode') || term === atom('latin1') || term === atom('utf8')

const tagOf = (request: Term): string => (request instanceof Tuple ? (request.tag ?? '') : '')

const listOf = (request: Term): readonly Term[] =>
  request instanceof Tuple && Array.isArray(request.elements[1]) ? (request.elements[1] as readonly Term[]) : []

const isOutput = (request: Term): boolean =>
  tagOf(request) === 'put_chars' || (tagOf(request) === 'requests' && listOf(request).every(isOutput))

const wantsInput = (request: Term): boolean =>
  /^get_(?:line|chars|until)$/.test(tagOf(request)) || (tagOf(request) === 'requests' && listOf(request).some(wantsInput))

/** `epipe`, `enospc` … of a stream; otherwise what was asked. */
function reasonOf(failure: unknown, what = 'put_chars'): Sendable {
  const code = failure instanceof Error && 'code' in failure ? String(failure.code) : ''
  return atom(/^E[A-Z0-9]+$/.test(code) ? code.toLowerCase() : what)
}
