/**
 * Erlang syntax → terms.
 *
 * Source: stdlib's `erl_scan:string/1` and `erl_parse:parse_term/1`.
 */
import { Atom, atom } from './atom.js'
import { isInteger } from './compare-kind.js'
import { Float } from './containers.js'
import { TermError } from './error.js'
import { ExportFun } from './fun.js'
import { BinaryParser } from './parse-binary.js'
import { type Container, ListParser, MapParser, TupleParser } from './parse-containers.js'
import { type AtomToken, type MarkToken, Scanner, type Token } from './scan.js'
import { Tuple } from './tuple.js'
import type { Term } from './types.js'

/**
 * Reads one term in Erlang syntax: `{ok, <<"text">>, [1, 2.0, 'An Atom' | tail], #{a => "charlist"}, fun lists:reverse/1}`.
 *
 * White space, comments and a last dot may stand as in `file:consult/1`. Integers may have a base and underscores, as in `16#ff` and
 * `1_000`; `$a` is an integer; `<<1:4, 2:16/little, "é"/utf8>>` gives the bits. `true`, `false` and `nil` become JavaScript's `true`,
 * `false` and `null`, text in double quotes a list of code points, integral floats a `Float`. Of a key that stands twice in a map the last
 * one counts. The time is linear in the text, and nesting costs no stack. Each new atom stays for ever: think before reading a stranger's text.
 *
 * @throws TermSyntaxError ERR_TERM_SYNTAX, with `line`, `column` and `position`, for everything else; pids, references, ports, closures and
 * records among it.
 *
 * @example
 * ```ts
 * import { atom, equals, parse, tuple } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * assert(equals(parse('{ok, <<"text">>, 16#ff}.'), tuple(atom('ok'), 'text', 255)))
 * assert.throws(() => parse('{ok, [1, 2}'), { code: 'ERR_TERM_SYNTAX', line: 1, column: 11 })
 * ```
 */
export function parse(text: string): Term {
  const scanner = new Scanner(text)
  const term = new Parser(scanner).term()
  scanner.takes('.')
  if (scanner.peek().type !== 'end') throw scanner.unexpected('nothing after the term')
  return term
}

class Parser {
  readonly #scanner: Scanner
  readonly #binaries: BinaryParser
  /** The containers begun, the innermost last: a stack, so that nesting costs memory and never JavaScript's own stack. */
  readonly #open: Container[] = []

  constructor(scanner: Scanner) {
    this.#scanner = scanner
    this.#binaries = new BinaryParser(scanner)
  }

  term(): Term {
    for (;;) {
      let term = this.#begin()
      while (term !== undefined) {
        const container = this.#open.at(-1)
        if (container === undefined) return term
        term = container.take(term)
        if (term !== undefined) this.#open.pop()
      }
    }
  }

  /** A scalar or an empty container; undefined when a container begins, whose first term comes next. */
  #begin(): Term | undefined {
    const token = this.#scanner.next()
    switch (token.type) {
      case 'atom':
        return atomTerm(this.#intern(token))
      case 'string':
        return this.#scanner.joined(token)
      case 'integer':
        return token.value
      case 'float':
        return floatTerm(token.value)
      case 'mark':
        return this.#beginMarked(token)
      case 'end':
        throw this.#scanner.unexpected('a term', token)
    }
  }

  #beginMarked(token: MarkToken): Term | undefined {
    switch (token.text) {
      case '{':
        return this.#scanner.takes('}') ? new Tuple([]) : this.#enter(new TupleParser(this.#scanner))
      case '[':
        return this.#scanner.takes(']') ? [] : this.#enter(new ListParser(this.#scanner))
      case '#':
        return this.#beginMap(token)
      case '<<':
        return this.#binaries.binary()
      case '-':
        return negative(this.#number())
      case '+':
        return this.#number()
      case 'fun':
        return this.#fun()
      default:
        throw this.#scanner.unexpected('a term', token)
    }
  }

  #enter(container: Container): undefined {
    this.#open.push(container)
  }

  #beginMap(token: Token): Term | undefined {
    if (!this.#scanner.takes('{')) throw this.#scanner.failure('A record is not read: write the tuple or the map that it is', token)
    return this.#scanner.takes('}') ? new Map() : this.#enter(new MapParser(this.#scanner))
  }

  #number(): number | bigint | Float {
    const token = this.#scanner.next()
    if (token.type === 'integer') return token.value
    if (token.type === 'float') return floatTerm(token.value)
    throw this.#scanner.unexpected('a number after the sign', token)
  }

  #fun(): ExportFun {
    const [module, , fun, , arity] = [this.#name(), this.#expect(':'), this.#name(), this.#expect('/'), this.#scanner.next()]
    if (arity.type !== 'integer' || arity.value > 255) throw this.#scanner.unexpected('an arity from 0 to 255', arity)
    return new ExportFun(module, fun, Number(arity.value))
  }

  /** A module or function may be called `true`: there the name is an Atom like any other. */
  #name(): Atom {
    const token = this.#scanner.next()
    if (token.type === 'atom') return this.#intern(token)
    throw this.#scanner.unexpected('fun module:name/arity', token)
  }

  #expect(mark: string): void {
    if (!this.#scanner.takes(mark)) throw this.#scanner.unexpected('fun module:name/arity')
  }

  #intern(token: AtomToken): Atom {
    try {
      return Atom.intern(token.text)
    } catch (error) {
      if (error instanceof TermError) throw this.#scanner.failure('An atom has at most 255 characters', token, { cause: error })
      throw error
    }
  }
}

const atomTerm = ({ name }: Atom): Term => atom(name)

/** A number where JavaScript's own is a float, else a Float: so it is told from the integer. */
const floatTerm = (value: number): number | Float => (isInteger(value) || value === 0 ? new Float(value) : value)

function negative(value: number | bigint | Float): number | bigint | Float {
  if (typeof value === 'object') return new Float(-value.value)
  return value === 0 ? 0 : -value
}
