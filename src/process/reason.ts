/**
 * From a JavaScript throw to an exit reason, in OTP's shapes:
 *
 *   Error      → {{'TypeError', <<"Message">>}, [{Module, Function, Arity, [{file, "calc.ts"}, {line, 7}]}, …]}
 *   ErlangError → {Reason, Stack}
 *   ExitError  → its reason
 *   any term   → {{nocatch, Term}, []}
 */
import { copy } from '../etf/index.js'
import { atom, type Sendable, type Term, tuple, charlist } from '../term/index.js'
import { inspect } from 'node:util'
import { basename } from 'node:path'
import { ErlangError, ExitError } from './errors.js'

export const normal = atom('normal')
export const kill = atom('kill')
export const killed = atom('killed')
export const noproc = atom('noproc')
export const noconnection = atom('noconnection')
export const abandoned = atom('abandoned')

/** The reason with which a process exits that threw `thrown`. */
export function reasonOf(thrown: unknown): Term {
  if (thrown instanceof ExitError) return thrown.reason
  if (thrown instanceof ErlangError) return tuple(thrown.reason, thrown.stacktrace ?? stackOf(thrown))
  if (thrown instanceof Error) return tuple(tuple(name(thrown.name), Buffer.from(wellFormed(thrown.message))), stackOf(thrown))
  return tuple(tuple(atom('nocatch'), termOf(thrown)), [])
}

/** What was thrown as a term; text that describes it when it is none. */
export function termOf(thrown: unknown): Term {
  try {
    return copy(thrown as Sendable)
  } catch {
    // Anything can be thrown, and a function, say, is no term: the reader gets what console.log would show.
    return described(thrown)
  }
}

/** What console.log would show of it, as text */
export const described = (what: unknown): Buffer => Buffer.from(wellFormed(inspect(what)))

/** A version of loaded code is told by the fragment of its URL; its file is the file. */
const frame = /^\s*at (?:async )?(?:(.+?) \()?(?:file:\/\/)?([^()]+?)(?:#\d+)?:(\d+):\d+\)?$/

/** V8 names a plain function after what it was called on: a process, or a table of functions. */
const receiver = /^(?:NodeProcess|Process|Object)\./

/** The frames of `error.stack` as an Erlang stack trace. The arity of a JavaScript function is not in its stack: 0 stands there. */
export function stackOf(error: Error): Term {
  const frames: Term[] = []
  for (const line of (typeof error.stack === 'string' ? error.stack : '').split('\n')) {
    const [, fun, file, number] = frame.exec(line) ?? []
    if (file === undefined || file.startsWith('node:')) continue
    const location = [tuple(atom('file'), charlist(file)), tuple(atom('line'), Number(number))]
    frames.push(tuple(name(basename(file).replace(/\.[^.]*$/, '')), name(fun?.replace(receiver, '') ?? 'anonymous'), 0, location))
  }
  return frames
}

const wellFormed = (text: unknown): string => String(text).toWellFormed()

/** Names of errors, files and functions are as many as the program has, so these atoms are bounded. */
const name = (text: unknown): Term => atom([...wellFormed(text)].slice(0, 255).join(''))
