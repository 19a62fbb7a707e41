/** A TypeScript process returns every golden term of spec/vectors to BEAM nodes as it was. */
import t, { type Test } from 'tap'
import { decode, encode } from '../src/etf/index.js'
import {
  atom,
  Float,
  Fun,
  ImproperList,
  LocalTerm,
  NativeRecord,
  type NodeProcess,
  type Pid,
  type Term,
  text,
  Tuple,
  tuple,
} from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { bytesOf, releases, type Vector, vectorsOf } from '../test/etf/vectors.js'
import { eachOtp } from './support/each-otp.js'
import { eachWay, type Pair } from './support/pair.js'

/** The vectors that hold a term, of whichever release. What only the node can read that wrote it has no place here. */
const golden: readonly Vector[] = [
  ...new Map(
    releases
      .flatMap(vectorsOf)
      .filter(({ kind }) => kind === 'term' || kind === 'encoded')
      .map(vector => [vector.hex, vector]),
  ).values(),
]

/** Sends each term, and compares what comes back. Each function returns the numbers of the vectors for which that is so. */
const judge = String.raw`
-module(judge).
-export([refused/1, changed/2, misread/1, adder/1, add/2, local/1]).

-if(?OTP_RELEASE >= 29).
-export([record/1, x/1]).
-export_record([point]).
-record #point{x = 0, y = 0}.
-record #hidden{secret}.

record(X) -> #point{x = X, y = [#hidden{secret = self()}]}.

x(#point{x = X}) -> X.
-endif.

refused(Vectors) -> [Number || {Number, Bytes} <- Vectors, catch_error(Bytes) =:= refused].

catch_error(Bytes) -> try binary_to_term(Bytes), read catch error:badarg -> refused end.

misread(Vectors) -> [Number || {Number, Bytes, Term} <- Vectors, binary_to_term(Bytes) =/= Term].

local(Term) -> term_to_binary(Term, [local]).

changed(Echo, Vectors) -> [Number || {Number, Bytes} <- Vectors, changed(Echo, Number, binary_to_term(Bytes))].

changed(Echo, Number, Term) ->
    Ref = make_ref(),
    Echo ! {self(), Ref, Term},
    receive {Ref, Back} -> not (Back =:= Term andalso term_to_binary(Back) =:= term_to_binary(Term))
    after 20000 -> error({no_echo_of, Number})
    end.

adder(N) -> fun(M) -> add(N, M) end.

add(N, M) -> N + M.
`

async function echo(self: NodeProcess): Promise<void> {
  for await (const message of self) {
    const [from, ref, term] = (message as Tuple<[Pid, Term, Term]>).elements
    self.send(from, tuple(ref, term))
  }
}

t.test('echo', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const beam = await start({ code: judge })
    const vectors = golden.map(({ hex }, number) => tuple(number, bytesOf(hex)))
    const refused = (await beam.eval('judge:refused(Vectors).', { bindings: { Vectors: vectors } })) as readonly number[]
    const unread = new Set(refused.map(number => golden[number]))
    const readable = vectors.filter((_, number) => !unread.has(golden[number] as Vector))

    await t.test('all golden terms that this release knows', t => {
      const here = new Set(vectorsOf(`${otp as 25 | 27 | 29}`).flatMap(({ kind, hex }) => (kind === 'refused' ? [hex] : [])))
      const unknown = golden.filter(({ hex, name }) => here.has(hex) || (otp < 29 && /record/i.test(name)))
      t.strictSame(namesOf(refused), unknown.map(({ name }) => name)) // prettier-ignore
      t.ok(readable.length > 400)
      t.end()
    })

    const changed = async ({ node, evaluate }: Pair): Promise<readonly number[]> =>
      (await evaluate('judge:changed(Echo, Vectors).', { Echo: node.spawn(echo), Vectors: readable })) as readonly number[]

    await t.test("floats: 'exact' returns every term =:=", async t => {
      await eachWay(t, beam, async (t, pair) => void t.strictSame(namesOf(await changed(pair)), []), { floats: 'exact' })
    })

    await t.test('by default exactly the integral floats become integers', async t => {
      const integral = readable.flatMap(({ elements: [number] }) => (hasIntegralFloat(golden[number] as Vector) ? [number] : []))
      await eachWay(t, beam, async (t, pair) => void t.strictSame(namesOf(await changed(pair)), namesOf(integral)))
    })

    await t.test('old containers: TypeScript reads in them what the BEAM reads', async t => {
      const old = readable.filter(({ elements: [number] }) => oldTags.has(bytesOf((golden[number] as Vector).hex)[1] ?? 0))
      t.ok(new Set(old.map(({ elements: [, bytes] }) => (bytes as Buffer)[1])).size === oldTags.size, `${old.length} terms, of each tag`)
      const read = old.map(({ elements: [number, bytes] }) => {
        return tuple(number, bytes, decode(bytes as Buffer, { floats: 'exact', trailing: 'ignore' }))
      })
      t.strictSame(namesOf((await beam.eval('judge:misread(Vectors).', { bindings: { Vectors: read } })) as readonly number[]), [])
    })

    await t.test('native records', { skip: otp < 29 && 'they begin with OTP 29' }, async t => {
      await eachWay(t, beam, records)
    })

    await t.test('a local term is for its own node alone', { skip: otp < 26 && 'they begin with OTP 26' }, async t => {
      const other = await start({ cookie: beam.cookie })
      await eachWay(t, beam, (t, pair) => localTerms(t, pair, other))
    })

    await t.test("the BEAM's own identities come back as themselves", async t => {
      await eachWay(t, beam, identities)
    })
  })
})

/** The tags that today's nodes write no more, and those of v4 that OTP 25 did not always write. */
const oldTags = new Set([99, 100, 101, 102, 103, 114, 115, 88, 89, 90, 120])

/** Starts an echo. The function sends it a term that Erlang makes, and has Erlang use what comes back, `Back`, which must be the same. */
async function echoing({ node, evaluate }: Pair): Promise<(term: string, use: string) => Promise<Term>> {
  await node.register('echo', node.spawn(echo))
  return (term, use) =>
    evaluate(
      `Term = begin ${term} end, Ref = make_ref(), {echo, Ts} ! {self(), Ref, Term}, receive {Ref, Back} -> true = Back =:= Term, ${use} end.`,
    )
}

async function records(t: Test, pair: Pair): Promise<void> {
  const returned = await echoing(pair)
  t.equal(await returned('judge:record(7)', 'judge:x(Back)'), 7)
  t.equal(await returned('#{judge:record(1) => {judge:record(2)}}', '{R} = maps:get(judge:record(1), Back), judge:x(R)'), 2)
  t.equal(await returned('[judge:record(3) | judge:record(4)]', 'judge:x(tl(Back))'), 4)
  t.equal(await returned('[binary:copy(<<7>>, 300_000), judge:record(5)]', 'judge:x(lists:last(Back))'), 5, 'in fragments')
  t.equal(await returned('judge:record(judge:record(6))', 'judge:x(judge:x(Back))'), 6)

  const record = (await pair.evaluate('judge:record(8).')) as NativeRecord
  t.ok(record instanceof NativeRecord)
  t.match([record.module, record.name, record.fields.map(([field]) => field.name)], [atom('judge'), atom('point'), ['x', 'y']])
  const made = new NativeRecord(record.module, record.name, [[record.fields[0]![0], 9], record.fields[1]!], record.flags)
  t.equal(await pair.evaluate('judge:x(Made).', { Made: made }), 9, 'one that TypeScript made')
}

/** What `term_to_binary(Term, [local])` makes travels as a binary; what TypeScript reads of it is opaque. */
async function localTerms(t: Test, { node, evaluate }: Pair, other: Beam): Promise<void> {
  const bytes = (await evaluate('judge:local({self(), make_ref(), fun judge:add/2, [a]}).')) as Buffer
  const term = decode(bytes)
  t.ok(term instanceof LocalTerm)
  t.ok(encode(term).equals(bytes), 'it is written as it was read')
  const read = '{P, R, F, [a]} = binary_to_term(Bytes), is_pid(P) andalso is_reference(R) andalso F(1, 2).'
  t.equal(await evaluate(read, { Bytes: encode(term) }), 3, 'and its node reads it')
  const refused = 'try binary_to_term(Bytes) catch error:badarg -> refused end.'
  t.equal(await other.eval(refused, { bindings: { Bytes: encode(term) } }), atom('refused'), 'and no other')
  // The encoding has no end of its own, so it is no part of a message, for its own node neither.
  t.throws(() => node.send({ name: 'nobody', node: other.name }, term), { code: 'ETF_LOCAL' })
  t.throws(() => node.send({ name: 'nobody', node: node.nodes('connected')[0] as string }, [term]), { code: 'ETF_LOCAL' })
}

async function identities(t: Test, pair: Pair): Promise<void> {
  const returned = await echoing(pair)
  t.equal(await returned('self()', 'Back ! own, receive own -> heard end'), atom('heard'))
  t.equal(
    await returned('spawn(fun() -> receive {From, ping} -> From ! pong end end)', 'Back ! {self(), ping}, receive pong -> alive end'),
    atom('alive'),
  )
  t.equal(await returned('hd(erlang:ports())', 'is_list(erlang:port_info(Back))'), true)
  t.equal(await returned('make_ref()', 'is_reference(Back)'), true)
  t.equal(await returned('alias()', 'Back ! by_alias, receive by_alias -> heard end'), atom('heard'))
  t.equal(await returned('monitor(process, echo_to_be, [{alias, demonitor}])', 'demonitor(Back)'), true)
  t.equal(await returned('ets:new(table, [])', 'ets:insert(Back, {1, 2}), ets:lookup_element(Back, 1, 2)'), 2)
  t.equal(await returned('counters:new(1, [])', 'counters:add(Back, 1, 7), counters:get(Back, 1)'), 7)
  t.equal(await returned('judge:adder(40)', 'Back(2)'), 42, 'a closure is called after its return')
  t.equal(await returned('X = 40, fun(Y) -> X + Y end', 'Back(2)'), 42, "the evaluator's closure, too")
  t.equal(await returned('fun judge:add/2', 'Back(40, 2)'), 42)
  t.equal(await returned('fun lists:sum/1', 'Back([1, 2])'), 3)
  t.equal(await returned('judge:adder(judge:adder(1))', 'erlang:fun_info(Back, env) =:= erlang:fun_info(Term, env)'), true)
  t.equal(await returned('[binary:copy(<<7>>, 300_000), judge:adder(40)]', '(lists:last(Back))(2)'), 42, 'a closure in fragments')
  t.equal(await returned('#{judge:adder(1) => judge:adder(40)}', '(hd(maps:values(Back)))(2)'), 42, 'a closure as a key')
  t.equal(await returned('Big = binary:copy(<<1>>, 100_000), fun() -> byte_size(Big) end', 'Back()'), 100_000, 'what it closes over')
  const whole = '{self(), [make_ref() | self()], #{self() => [fun lists:sum/1, judge:adder(1)]}, erlang:ports(), processes()}'
  t.equal(text(await returned(whole, '<<"all of it">>')), 'all of it')
}

const namesOf = (numbers: readonly number[]): string[] => numbers.map(number => golden[number]?.name ?? `${number}`)

/** Is there a float in it that a number cannot tell from an integer? In a map's key it is kept apart, and -0 and what is beyond 2^53 are floats. */
function hasIntegralFloat({ hex }: Vector): boolean {
  const open: Term[] = [decode(bytesOf(hex), { floats: 'exact', trailing: 'ignore' })]
  for (let term = open.pop(); term !== undefined; term = open.pop()) {
    if (term instanceof Float && Number.isSafeInteger(term.value) && !Object.is(term.value, -0)) return true
    if (Array.isArray(term)) open.push(...(term as Term[]))
    else if (term instanceof Tuple) open.push(...(term.elements as Term[]))
    else if (term instanceof ImproperList) open.push(...term.elements, term.tail)
    else if (term instanceof Map) open.push(...(term.values() as Iterable<Term>))
    else if (term instanceof Fun) open.push(...term.free)
    else if (term instanceof NativeRecord) open.push(...term.fields.map(([, value]) => value))
  }
  return false
}
