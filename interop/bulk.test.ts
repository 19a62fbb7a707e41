/** Large messages among small ones: order, bytes, atoms, and what a message that never ends leaves behind. */
import t, { type Test } from 'tap'
import { atom, isPid, match, type Node, type NodeProcess, type Pid, type Sendable, type Term, type Tuple, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { eachWay, next, type Pair } from './support/pair.js'

const code = String.raw`
-module(bulk).
-export([collector/1, collected/1, senders/3, echoed/1]).

%% Checks what each of so many senders says: {Sender, Number, Bytes}, counted from 1, and {Sender, Count} at its end.
collector(Senders) -> spawn(fun() -> collect(Senders, #{}) end).

collect(0, Counts) -> receive {give, From} -> From ! {self(), maps:values(Counts)} end;
collect(Left, Counts) ->
    receive
        {Sender, Number, Bytes} ->
            Number = maps:get(Sender, Counts, 0) + 1,
            true = Bytes =:= binary:copy(<<Number>>, byte_size(Bytes)),
            collect(Left, Counts#{Sender => Number});
        {Sender, Count} when is_integer(Count) ->
            Count = maps:get(Sender, Counts),
            collect(Left - 1, Counts)
    end.

collected(Pid) ->
    Ref = monitor(process, Pid),
    Pid ! {give, self()},
    receive {Pid, Counts} -> Counts; {'DOWN', Ref, _, _, Why} -> Why end.

senders(To, Count, Ms) ->
    Until = erlang:monotonic_time(millisecond) + Ms,
    [spawn(fun() -> send(To, Sender, 1, Until) end) || Sender <- lists:seq(1, Count)],
    ok.

send(To, Sender, Number, Until) ->
    case Number =< 3 orelse erlang:monotonic_time(millisecond) < Until of
        true -> [Pid ! {Sender, Number, binary:copy(<<Number>>, size(Sender, Number))} || Pid <- To], send(To, Sender, Number + 1, Until);
        false -> [Pid ! {Sender, Number - 1} || Pid <- To]
    end.

%% Every third is large.
size(Sender, Number) when (Sender + Number) rem 3 =:= 0 -> 64000 * (1 + (Sender * Number) rem 8);
size(Sender, Number) -> (Sender * Number) rem 1000.

%% Each pair does so by itself: all of the terms leave before the first comes back.
echoed(Pairs) ->
    Asked = [spawn_monitor(fun() ->
        [Echo ! {self(), Term} || Term <- Terms],
        exit(lists:all(fun(Term) -> receive {Echo, Back} -> Back =:= Term end end, Terms))
    end) || {Echo, Terms} <- Pairs],
    [receive {'DOWN', Ref, process, _, Why} -> Why end || {_, Ref} <- Asked].
`

/** As in the Erlang above */
const sizeOf = (sender: number, number: number): number =>
  (sender + number) % 3 === 0 ? 64_000 * (1 + ((sender * number) % 8)) : (sender * number) % 1000

const senders = 12
const ms = 3000

t.test('bulk', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code })
    await eachWay(t, beam, crowd)
    await eachWay(t, beam, atoms)
    await eachWay(t, beam, unfinished)
  })
})

/** Did each of them send something large and something small? */
const isCrowd = (counts: readonly number[]): boolean => counts.length === senders && counts.every(count => count >= 3)

async function crowd(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  await t.test(
    'many senders of small and large messages, both ways at once: each in order, nothing lost, every byte as it was',
    async t => {
      const theirs = [(await evaluate(`bulk:collector(${senders}).`)) as Pid, (await evaluate(`bulk:collector(${senders}).`)) as Pid]
      const [first, second] = [collector(node), collector(node)]
      await evaluate(`bulk:senders([First, Second], ${senders}, ${ms}).`, { First: first.pid, Second: second.pid })
      const until = performance.now() + ms
      for (let sender = 1; sender <= senders; sender++) node.spawn(self => send(self, sender, theirs, until, () => node.drained(beam.name)))

      const [ours, again] = [await first.counts, await second.counts]
      t.strictSame(ours, again)
      t.ok(isCrowd(ours), `from Erlang: ${ours.join(' ')}`)
      for (const pid of theirs) {
        const counts = (await evaluate('bulk:collected(Pid).', { Pid: pid })) as readonly number[] | Buffer
        t.ok(isCrowd([...counts]), `from TypeScript: ${String(counts)}`)
      }
      t.match(node.stats().connections[beam.name], { unfinishedBytes: 0 })
    },
  )
}

async function send(self: NodeProcess, sender: number, to: readonly Pid[], until: number, drained: () => Promise<void>): Promise<void> {
  let number = 0
  while (performance.now() < until || number < 3) {
    number++
    const message = tuple(sender, number, Buffer.alloc(sizeOf(sender, number), number & 0xff))
    let free = true
    for (const pid of to) free = self.send(pid, message) && free
    if (!free) await drained()
    else if (number % 50 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  for (const pid of to) self.send(pid, tuple(sender, number))
}

/** What each sender said, when all have ended. */
function collector(node: Node): { readonly pid: Pid; readonly counts: Promise<number[]> } {
  let pid!: Pid
  const counts = new Promise<number[]>((resolve, reject) => {
    const collect = async (self: NodeProcess): Promise<number[]> => {
      const last = new Map<number, number>()
      for (let left = senders; left > 0;) {
        const [sender, number, bytes] = ((await next(self)) as Tuple<[number, number, Buffer?]>).elements
        const count = last.get(sender) ?? 0
        if (bytes === undefined) {
          if (count !== number) throw new Error(`${sender} has sent ${number}, and ${count} came`)
          left--
        } else {
          const whole = bytes.length === sizeOf(sender, number) && bytes.equals(Buffer.alloc(bytes.length, number & 0xff))
          if (number !== count + 1 || !whole) throw new Error(`${sender} sent ${number} after ${count}`)
          last.set(sender, number)
        }
      }
      return [...last.values()].sort((a, b) => a - b)
    }
    pid = node.spawn(async self => {
      await collect(self).then(resolve, reject)
    })
  })
  return { pid, counts }
}

async function atoms(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const echo = async (self: NodeProcess): Promise<void> => {
    for (;;) {
      const [from, term] = (await self.receive(match([isPid, (_: Term): _ is Term => true]))).elements
      self.send(from, tuple(self.pid, term) as Sendable)
    }
  }
  const source = String.raw`
    Named = fun(Name, Count) -> [list_to_atom(Name ++ integer_to_list(Number)) || Number <- lists:seq(1, Count)] end,
    Long = [list_to_atom(integer_to_list(Number) ++ lists:duplicate(250, 16#1f600)) || Number <- lists:seq(1, 20)],
    Tens = fun F([]) -> []; F(List) -> {Ten, Rest} = lists:split(10, List), [Ten | F(Rest)] end,
    Bytes = binary:copy(<<"fragments">>, 300000),
    Large = fun(Name) -> [[Named(Name, 150), Bytes, Long, Named(Name, 400)] || _ <- lists:seq(1, 4)] end,
    bulk:echoed([{A, Large("a")}, {B, Large("b")}, {C, Tens(Named("c", 3000))}, {D, Tens(Named("d", 3000)) ++ Tens(Named("a", 100))}]).`

  await t.test(
    'a fragmented message keeps its atoms while those of others take their slots, and a new connection begins afresh',
    async t => {
      for (const _ of ['first', 'second']) {
        const [A, B, C, D] = [node.spawn(echo), node.spawn(echo), node.spawn(echo), node.spawn(echo)]
        t.strictSame(await evaluate(source, { A, B, C, D }), [true, true, true, true])
        node.disconnect(beam.name)
        await beam.waitForNode(node.name, 'down')
        await node.connect(beam.name)
      }
    },
  )
}

async function unfinished(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const held = (): number => node.stats().connections[beam.name]?.unfinishedBytes ?? 0
  /** Stops the BEAM in the middle of its message. */
  const halfway = async (): Promise<void> => {
    while (held() < 1_000_000) await new Promise(resolve => setImmediate(resolve))
    beam.pause()
  }

  await t.test('what is unfinished is counted, and gone with its end or its connection', async t => {
    await node.run(async self => {
      const sending = 'spawn(fun() -> To ! binary:copy(<<7>>, 100000000) end).'
      await evaluate(sending, { To: self.pid })
      await halfway()
      t.ok(held() >= 1_000_000)
      beam.resume()
      t.equal(((await next(self)) as Buffer).length, 100_000_000)
      t.equal(held(), 0)

      await evaluate(sending, { To: self.pid })
      await halfway()
      node.disconnect(beam.name)
      beam.resume()
      await beam.waitForNode(node.name, 'down')
      t.equal(await evaluate('To ! later, true.', { To: self.pid }), true)
      t.equal(await next(self), atom('later'), 'half a message is none')
      t.equal(held(), 0)
    })
  })
}
