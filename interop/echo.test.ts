/** A TypeScript process returns every golden term of spec/vectors to BEAM nodes as it was. */
import t, { type Test } from 'tap'
import { decode } from '../src/etf/index.js'
import { atom, Float, Fun, ImproperList, NativeRecord, type NodeProcess, type Pid, type Term, text, Tuple, tuple } from '../src/index.js'
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
-export([refused/1, changed/2, adder/1, add/2]).

refused(Vectors) -> [Number || {Number, Bytes} <- Vectors, catch_error(Bytes) =:= refused].

catch_error(Bytes) -> try binary_to_term(Bytes), read catch error:badarg -> refused end.

changed(Echo, Vectors) -> [Number || {Number, Bytes} <- Vectors, changed(Echo, Number, binary_to_term(Bytes))].

changed(Echo, Number, Term) ->
    Ref = make_ref(),
    Echo ! {self(), Ref, Term},
    receive {Ref, Back} -> not (Back =:= Term andalso term_to_binary(Back) =:= term_to_binary(Term))
    after 10000 -> error({no_echo_of, Number})
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

    await t.test("the BEAM's own identities come back as themselves", async t => {
      await eachWay(t, beam, identities)
    })
  })
})

async function identities(t: Test, { node, evaluate }: Pair): Promise<void> {
  await node.register('echo', node.spawn(echo))
  const returned = (term: string, use: string): Promise<Term> =>
    evaluate(
      `Term = begin ${term} end, Ref = make_ref(), {echo, Ts} ! {self(), Ref, Term}, receive {Ref, Back} -> true = Back =:= Term, ${use} end.`,
    )
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
