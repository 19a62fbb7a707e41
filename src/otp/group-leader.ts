/**
 * The group leader `user`: the I/O protocol's server for processes that print here, wherever they run. Whoever sends an io_request waits for
 * the answer for ever, so every request gets one. Source: the stdlib user's guide, "The Erlang I/O-protocol".
 *
 *   {io_request, From, ReplyAs, Request} → {io_reply, ReplyAs, ok | {error, Reason}}
 */
import type { Process } from '../process/index.js'
import { Atom, atom, Pid, type Term, text, Tuple, tuple } from '../term/index.js'
import { ioLibFormat } from './io-lib-format.js'

const ok = atom('ok')
const error = (reason: string): Term => tuple(atom('error'), atom(reason))

/** The body of a group leader that writes to `output` and has no input. */
export const groupLeader = (output: (text: string) => void) =>
  async function (self: Process): Promise<void> {
    for await (const message of self) {
      if (!(message instanceof Tuple) || message.tag !== 'io_request' || message.length !== 4) continue
      const [, from, replyAs, request] = message.elements as readonly Term[]
      if (from instanceof Pid) self.send(from, tuple(atom('io_reply'), replyAs as Term, answer(request as Term, output)))
    }
  }

function answer(request: Term, output: (text: string) => void): Term {
  if (request === atom('getopts')) return [tuple(atom('encoding'), atom('unicode'))]
  if (!(request instanceof Tuple)) return error('request')
  const parts = request.elements as readonly Term[]
  switch (request.tag) {
    case 'put_chars':
      return putChars(parts.slice(request.length === 2 || request.length === 4 ? 1 : 2), output)
    case 'requests':
      return Array.isArray(parts[1]) ? requests(parts[1] as readonly Term[], output) : error('request')
    case 'setopts':
      return ok
    case 'get_line':
    case 'get_chars':
    case 'get_until':
      return atom('eof')
    case 'get_geometry':
      return error('enotsup')
    default:
      return error('request')
  }
}

/** All of them until the first that fails; its answer is the answer. */
function requests(list: readonly Term[], output: (text: string) => void): Term {
  let last: Term = ok
  for (const request of list) {
    last = answer(request, output)
    if (last instanceof Tuple && last.tag === 'error') break
  }
  return last
}

/** Characters, or the function that makes them: `io_lib:format` is what io:format asks for. */
function putChars(parts: readonly Term[], output: (text: string) => void): Term {
  try {
    output(parts.length === 1 ? text(parts[0] as Term) : applied(parts))
    return ok
  } catch {
    // The one who prints is told, as by any I/O server: its io:format fails with badarg there.
    return error('put_chars')
  }
}

function applied([module, fun, args]: readonly Term[]): string {
  const [format, values] = Array.isArray(args) ? (args as readonly Term[]) : []
  if (!(module instanceof Atom && module.name === 'io_lib' && fun instanceof Atom && fun.name === 'format' && Array.isArray(values))) {
    throw new TypeError('only io_lib:format/2 is known')
  }
  return ioLibFormat(text(format as Term), values as readonly Term[])
}
