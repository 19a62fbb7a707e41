/** The types of terms and patterns: what must compile compiles, and what must not does not. */
import {
  any,
  atom,
  type Atom,
  type BitString,
  equals,
  type Float,
  format,
  get,
  isInteger,
  isNumber,
  isPid,
  match,
  type Matched,
  type MapWith,
  type Pid,
  type Received,
  type Reference,
  type Sendable,
  type SendableArray,
  type Sent,
  type Term,
  type TermArray,
  type TermMap,
  Tuple,
  tuple,
} from '../../src/index.js'

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._proof: Same<A, B> extends true ? [] : [never]): void {}

export function atoms(): void {
  const ok: Atom<'ok'> = atom('ok')
  const name: 'ok' = ok.name
  const yes: true = atom('true')
  const nil: null = atom('nil')
  // @ts-expect-error another atom
  const no: Atom<'no'> = ok
  // @ts-expect-error a string is never an atom
  const text: Atom = 'ok'
  // @ts-expect-error and an atom never a string
  const word: string = ok
  void [name, yes, nil, no, text, word]
}

export function tuples(reply: Tuple<[Atom<'ok'>, number]> | Tuple<[Atom<'error'>, Atom]>, term: Term): void {
  const pair = tuple(atom('ok'), 1)
  same<typeof pair, Tuple<[Atom<'ok'>, number]>>()
  const tag: 'ok' = pair.tag
  const [first, second] = pair.elements
  same<typeof first, Atom<'ok'>>()
  same<typeof second, number>()
  if (reply.tag === 'ok') same<typeof reply.elements, [Atom<'ok'>, number]>()
  else same<typeof reply.elements, [Atom<'error'>, Atom]>()
  const anyTuple: Tuple = pair
  const asTerm: Term = pair
  if (term instanceof Tuple) void term.elements
  void [tag, anyTuple, asTerm]
}

export function sendables(): void {
  const sent: Sendable[] = [
    'text',
    new Uint8Array(1),
    { a: { b: ['c'] } },
    [1, 'x'],
    new Map([['k', { v: 1n }]]),
    tuple(atom('a'), 'x'),
    true,
    null,
  ]
  // @ts-expect-error undefined is no term
  const nothing: Sendable = undefined
  // @ts-expect-error nor is a function
  const fun: Sendable = () => 1
  // @ts-expect-error nor a Date
  const date: Sendable = new Date()
  // @ts-expect-error a string is sent, but never arrives
  const term: Term = 'text'
  format({ a: ['x'] })
  equals(sent, 1)
  void [nothing, fun, date, term]
}

export function whatArrives(): void {
  same<Received<string>, Buffer>()
  same<Received<Uint8Array>, Buffer>()
  same<Received<number>, number>()
  same<Received<Atom<'a'> | null>, Atom<'a'> | null>()
  same<Received<Pid>, Pid>()
  same<Received<Tuple<[Atom<'a'>, string, { b: string }]>>, Tuple<[Atom<'a'>, Buffer, ReadonlyMap<Atom<'b'>, Buffer>]>>()
  same<Received<string[]>, Buffer[]>()
  same<Received<[string, number]>, [Buffer, number]>()
  same<Received<Map<string, string[]>>, ReadonlyMap<Buffer, Buffer[]>>()
  same<Received<{ a: number; b: string }>, ReadonlyMap<Atom<'a' | 'b'>, number | Buffer>>()
  same<Received<Term>, Term>()
  same<Received<TermArray>, TermArray>()
  same<Received<TermMap>, TermMap>()
  same<Received<unknown>, unknown>()
}

export function whatACallerSays(): void {
  same<Sent<Buffer>, Buffer | string>()
  same<Sent<number>, number>()
  same<Sent<Buffer[]>, (Buffer | string)[]>()
  same<Sent<Tuple<[Atom<'a'>, Buffer]>>, Tuple<[Atom<'a'>, Buffer | string]>>()
  same<Sent<Term>, Sendable>()
  same<Sent<TermArray>, SendableArray>()
  const options: Sent<ReadonlyMap<Atom<'size' | 'colour'>, number | Buffer>>[] = [
    { size: 1 },
    { colour: 'red', size: 2 },
    new Map([[atom('size'), 1]]),
  ]
  // @ts-expect-error no such key
  const wrong: Sent<ReadonlyMap<Atom<'size'>, number>> = { length: 1 }
  void [options, wrong]
}

export function matched(message: Term, ref: Reference): void {
  same<Matched<typeof any>, Term>()
  same<Matched<'text'>, Buffer>()
  same<Matched<5n>, number | bigint>()
  same<Matched<Float>, number | Float>()
  same<Matched<(x: Term) => boolean>, Term>()

  const isDown = match([atom('DOWN'), ref, match.oneOf(atom('process'), atom('port')), isPid, any])
  const reference: Reference | undefined = isDown.reference
  if (isDown(message)) {
    const [tag, , kind, pid, reason] = message.elements
    same<typeof tag, Atom<'DOWN'>>()
    same<typeof kind, Atom<'process'> | Atom<'port'>>()
    same<typeof pid, Pid>()
    same<typeof reason, Term>()
    const narrowed: 'DOWN' = message.tag
    void narrowed
  }

  const nested = match([atom('a'), ['text', [isNumber]], match.list([isPid, isInteger])])
  if (nested(message)) {
    const [, inner, [pid, integer]] = message.elements
    const [text, innermost] = inner.elements
    const [number] = innermost.elements
    same<typeof text, Buffer>()
    same<typeof number, number>()
    same<typeof pid, Pid>()
    same<typeof integer, number | bigint>()
  }

  const either = match.oneOf([atom('ok'), isNumber], [atom('error'), any])
  if (either(message)) {
    if (message.tag === 'ok') {
      const value: number = message.elements[1]
      void value
    } else same<(typeof message.elements)[1], Term>()
  }

  const map = match({ name: 'joe', age: isNumber, true: 1 })
  if (map(message)) {
    same<typeof message, MapWith<{ readonly name: Buffer; readonly age: number; readonly true: 1 }>>()
    const age: number = message.get(atom('age'))
    const yes: 1 = message.get(true)
    const other: Term | undefined = message.get(atom('other'))
    const whole: TermMap = message
    void [age, yes, other, whole]
  }

  const unionOfMessages = match(match.oneOf(isPid, 'stop', [atom('n'), isNumber]))
  if (unionOfMessages(message)) same<typeof message, Pid | Buffer | Tuple<readonly [Atom<'n'>, number]>>()

  // @ts-expect-error undefined is no pattern
  match(undefined)
  // @ts-expect-error nor is a Date, at any depth
  match([atom('a'), [new Date()]])
  // @ts-expect-error a list holds patterns
  match.list([undefined])
  void reference
}

export function lookups(map: ReadonlyMap<Buffer, number>, terms: TermMap, list: TermArray): void {
  const value: number | undefined = get(map, 'key')
  const term: Term | undefined = get(terms, tuple(1))
  // @ts-expect-error a term cannot be changed
  list.push(1)
  // @ts-expect-error nor can this
  terms.set(1, 2)
  void [value, term]
}

export function bits(term: BitString | Buffer): Term {
  return term
}
