/** What a request to an I/O server wants printed: characters, or the function of Erlang that makes them. */
import { Atom, atom, format, ImproperList, type Term, text, Tuple } from '../../term/index.js'
import { ioLibFormat } from './io-lib-format.js'

/** The functions of io_lib that `io` has a device call */
const functions: Readonly<Record<string, (args: readonly Term[]) => string>> = {
  'format/2': ([format, values]) => formatted(format as Term, values as Term),
  'fwrite/2': ([format, values]) => formatted(format as Term, values as Term),
  'write/1': ([term]) => ioLibFormat('~w', [term as Term]),
  'write/2': ([term, depth]) => ioLibFormat('~W', [term as Term, depth as Term]),
  'print/1': ([term]) => ioLibFormat('~p', [term as Term]),
  'nl/0': () => '\n',
}

/** `[Chars]` or `[Module, Function, Args]`; undefined: these are no characters, or there is no such function. */
export function charsOf(parts: readonly Term[], unicode: boolean): string | undefined {
  try {
    const made = parts.length === 1 ? undefined : applied(parts)
    if (made === undefined) return unicode ? unicodeText(parts[0] as Term) : latin1Text(parts[0] as Term)
    return unicode || !/[^\0-\xff]/u.test(made) ? made : undefined
  } catch {
    // Whoever prints is told, as by any I/O server.
    return undefined
  }
}

/** @throws TypeError for what io_lib has not */
function applied([module, fun, args]: readonly Term[]): string {
  const name = fun instanceof Atom && Array.isArray(args) ? `${fun.name}/${args.length}` : ''
  const known = module === atom('io_lib') && Object.hasOwn(functions, name) ? functions[name] : undefined
  if (!known) throw new TypeError('only functions of io_lib are known')
  return known(args as readonly Term[])
}

/** A format that is a binary is Latin-1 there. @throws TypeError, TermError */
export function formatted(format: Term, values: Term): string {
  const chars = format instanceof Uint8Array ? Buffer.from(format).toString('latin1') : format instanceof Atom ? format.name : text(format)
  if (!Array.isArray(values)) throw new TypeError('arguments are a list')
  return ioLibFormat(chars, values as readonly Term[])
}

const isChardata = (term: Term): boolean => Array.isArray(term) || term instanceof Uint8Array || term instanceof ImproperList

function unicodeText(term: Term): string {
  if (!isChardata(term)) throw new TypeError('no characters')
  return text(term)
}

/** All of it is bytes. */
function latin1Text(term: Term): string {
  if (!isChardata(term)) throw new TypeError('no characters')
  return ioLibFormat('~s', [term])
}

/** What is printed before input is read: text, an atom, `{format, Format, Args}`, or any term */
export function promptOf(prompt: Term): string {
  try {
    if (prompt instanceof Tuple && prompt.tag === 'format' && prompt.length === 3) {
      return formatted(prompt.elements[1] as Term, prompt.elements[2] as Term)
    }
    if (prompt instanceof Atom) return prompt.name
    return isChardata(prompt) ? text(prompt) : ioLibFormat('~tp', [prompt])
  } catch {
    // A prompt that cannot be printed as it is meant to keeps nobody from reading.
    return format(prompt)
  }
}
