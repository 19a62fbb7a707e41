/**
 * One question to the processes of one name on several nodes: `{Self, Message}`, and each answers `{Name, Node, Answer}`. Who is not there is
 * found out by a monitor. Source: rpc.erl, sbcast/3, multi_server_call/3.
 */
import { type Process, ProcessError } from '../../process/index.js'
import { type Atom, equals, type Reference, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { type CallOptions, defaultTimeout } from '../gen/gen.js'

export interface Answer {
  readonly node: Atom
  /** undefined: none, and there will be none */
  readonly answer: Term | undefined
}

/** @throws ProcessError ERR_TIMEOUT; the signal's reason; EtfError. What was asked is forgotten then. */
export async function askEach(
  self: Process,
  nodes: readonly Atom[],
  name: Atom,
  message: Sendable,
  { timeout = defaultTimeout, signal }: CallOptions,
): Promise<Answer[]> {
  signal?.throwIfAborted()
  const asked: { readonly node: Atom; readonly ref: Reference }[] = []
  const over = new AbortController()
  const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal
  try {
    for (const node of nodes) {
      asked.push({ node, ref: self.monitor({ name, node }) })
      self.send({ name, node }, tuple(self.pid, message))
    }
    return await Promise.all(asked.map(async ({ node, ref }) => ({ node, answer: await answerOf(self, name, node, ref, timeout, either) })))
  } catch (error) {
    over.abort(error)
    throw error instanceof ProcessError && error.code === 'ERR_TIMEOUT' ? late(name, timeout, error) : error
  } finally {
    for (const { ref } of asked) self.demonitor(ref, { flush: true })
  }
}

async function answerOf(
  self: Process,
  name: Atom,
  node: Atom,
  ref: Reference,
  timeout: number,
  signal: AbortSignal,
): Promise<Term | undefined> {
  const fits = (term: unknown): term is Tuple => {
    if (!(term instanceof Tuple)) return false
    const [first, second] = term.elements as readonly Term[]
    return term.length === 3 ? first === name && second === node : term.length === 5 && equals(second, ref)
  }
  const message = await self.receive(fits, { timeout, signal })
  self.demonitor(ref, { flush: true })
  return message.length === 3 ? message.elements[2] : undefined
}

const late = (name: Atom, timeout: number, cause: ProcessError): ProcessError =>
  new ProcessError('ERR_TIMEOUT', `Not every node's '${name.name}' answered within ${timeout} ms: one of them may be busy.`, { cause })
