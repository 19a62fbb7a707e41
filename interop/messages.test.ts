/** Messages between TypeScript and Erlang processes: where they may go, in which order they come, and how large they may be. */
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { any, atom, match, type Pid, type Reference, type Term, type Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, eachWay, evaluator, heard, next, type Pair, startNode, tell } from './support/pair.js'

const code = String.raw`
-module(messages).
-export([start/1, collected/1, count/2, binaries/3, echoed/2]).

%% A process that keeps the next messages as they come: by name it is the collector.
start(Count) ->
    Starter = self(),
    Pid = spawn(fun() ->
        register(collector, self()),
        Starter ! {self(), alias()},
        Messages = [next() || _ <- lists:seq(1, Count)],
        receive {give, From} -> From ! {self(), Messages} end
    end),
    receive {Pid, Alias} -> {Pid, Alias} end.

next() -> receive Message when not is_tuple(Message); tuple_size(Message) =/= 2; element(1, Message) =/= give -> Message end.

%% What it got, when that is complete.
collected(Pid) -> Pid ! {give, self()}, receive {Pid, Messages} -> Messages end.

%% Sends 1, 2, 3 … in turn to each of these.
count(To, Last) ->
    lists:foldl(fun(Number, [First | Rest]) -> First ! Number, Rest ++ [First] end, To, lists:seq(1, Last)),
    ok.

%% Several processes at once send large binaries.
binaries(To, Senders, Size) ->
    [spawn(fun() -> [To ! {Sender, Number, binary:copy(<<Number>>, Size)} || Number <- lists:seq(1, 5)] end) || Sender <- lists:seq(1, Senders)],
    ok.

%% All of them leave before the first comes back.
echoed(Echo, Terms) ->
    [Echo ! {self(), Term} || Term <- Terms],
    lists:all(fun(Term) -> receive {Echo, Back} -> Back =:= Term end end, Terms).
`

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)
const md5 = (bytes: Buffer): Buffer => createHash('md5').update(bytes).digest()

t.test('messages', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: [actor, code] })
    await eachWay(t, beam, addresses)
    await eachWay(t, beam, order)
    await eachWay(t, beam, sizes)
    await eachWay(t, beam, atoms)
    await connecting(t, beam)
  })
})

/** A process of the BEAM that collects messages: where it is, and what it has got when it has so many. */
async function collector(evaluate: Pair['evaluate'], count: number) {
  const [pid, alias] = ((await evaluate(`messages:start(${count}).`)) as Tuple<[Pid, Reference]>).elements
  return { pid, alias, collected: () => evaluate('messages:collected(Pid).', { Pid: pid }) as Promise<readonly Term[]> }
}

async function addresses(t: Test, pair: Pair): Promise<void> {
  const { beam, node, evaluate } = pair

  await t.test('from TypeScript to a pid, a name and an alias', async t => {
    await node.run(async self => {
      const { pid, alias, collected } = await collector(evaluate, 4)
      self.send(pid, atom('pid'))
      self.send({ name: 'collector', node: beam.name }, 'name')
      self.send(alias, [atom('alias')])
      node.send(pid, { from: 'the node' })
      const map = new Map([[atom('from'), Buffer.from('the node')]])
      t.strictSame(await collected(), [atom('pid'), Buffer.from('name'), [atom('alias')], map])
    })
  })

  await t.test('from Erlang to a pid, a name and an alias', async t => {
    await node.run(async self => {
      await self.register('receiver')
      const [alias, once] = [self.alias(), self.alias({ reply: true })]
      const send = 'Pid ! pid, {receiver, Ts} ! <<"name">>, Once ! once, Once ! twice, Alias ! [alias], erlang:send(Pid, {}, [noconnect])'
      await evaluate(send, { Pid: self.pid, Alias: alias, Once: once })
      const expected: Term[] = [atom('pid'), Buffer.from('name'), atom('once'), [atom('alias')], tuple()]
      for (const message of expected) t.strictSame(await next(self), message)
      t.equal(self.unalias(alias), true)
      await evaluate('Alias ! late, Pid ! last', { Pid: self.pid, Alias: alias })
      t.strictSame(await next(self), atom('last'), 'an alias that has ended takes nothing')
    })
  })

  await t.test('to nobody: nothing happens', async t => {
    await node.run(async self => {
      const actor = (await evaluate('actor:start().')) as Pid
      const dead = (await evaluate('{Pid, Ref} = spawn_monitor(fun() -> ok end), receive {_, Ref, _, _, _} -> Pid end.')) as Pid
      const unknown = await tell(self, actor, 'erlang', 'alias')
      await tell(self, actor, 'erlang', 'unalias', unknown)
      for (const to of [dead, { name: 'nobody', node: beam.name }, unknown as Reference]) self.send(to, atom('lost'))
      self.send(actor, atom('first'))
      t.strictSame(await heard(self, actor), atom('first'))
      const [ended, ref] = self.spawnMonitor(() => {})
      await self.receive(match([atom('DOWN'), ref, any, any, any]))
      const spoke = '[To ! lost || To <- [Ended, Alias, {nobody, Ts}]], Pid ! spoke.'
      t.equal(await evaluate(spoke, { Ended: ended, Alias: self.makeRef(), Pid: self.pid }), atom('spoke'))
      t.strictSame(await next(self), atom('spoke'))
      t.equal(self.poll(), undefined)
    })
  })

  await t.test('the sender travels with the message', async t => {
    const deliver = t.capture(node.processes, 'deliver', node.processes.deliver.bind(node.processes))
    await node.run(async self => {
      const actor = (await evaluate('actor:start().')) as Pid
      await tell(self, actor, 'erlang', 'send', self.pid, atom('hello'))
      const sent = deliver().map(({ args: [signal] }) => signal)
      t.match(sent, [{ op: 'send', from: actor, to: self.pid }, { op: 'send', from: actor, to: self.pid }]) // prettier-ignore
    })
  })

  await t.test('sendAfter', async t => {
    await node.run(async self => {
      const { pid, collected } = await collector(evaluate, 3)
      self.sendAfter(40, pid, atom('third'))
      const cancelled = self.sendAfter(20, pid, atom('never'))
      self.sendAfter(10, { name: 'collector', node: beam.name }, atom('second'))
      self.sendAfter(0, pid, atom('first'))
      const left = self.cancelTimer(cancelled)
      t.ok(left !== false && left > 0 && left <= 20)
      t.equal(self.cancelTimer(cancelled), false)
      t.strictSame(await collected(), [atom('first'), atom('second'), atom('third')])
    })
  })
}

async function order(t: Test, pair: Pair): Promise<void> {
  const { beam, node, evaluate } = pair
  const many = upTo(10_000)

  await t.test('10,000 messages by pid, name and alias come in the order they were sent', async t => {
    await node.run(async self => {
      const { pid, alias, collected } = await collector(evaluate, many.length)
      const ways = [pid, { name: 'collector', node: beam.name }, alias]
      for (const number of many) self.send(ways[number % ways.length] as Pid, number)
      t.strictSame(await collected(), many, 'from TypeScript')

      await self.register('counter')
      await evaluate('messages:count([Pid, {counter, Ts}, Alias], Last)', { Pid: self.pid, Alias: self.alias(), Last: many.length })
      const got: Term[] = []
      while (got.length < many.length) got.push(await next(self))
      t.strictSame(got, many, 'from Erlang')
    })
  })
}

async function sizes(t: Test, pair: Pair): Promise<void> {
  const { node, evaluate } = pair
  const large = 10_000_000

  await t.test('10 MB each way, and what its sender says afterwards comes afterwards', async t => {
    await node.run(async self => {
      const sum = await evaluate(`Bytes = rand:bytes(${large}), Pid ! Bytes, Pid ! next, erlang:md5(Bytes).`, { Pid: self.pid })
      const bytes = (await next(self)) as Buffer
      t.equal(bytes.length, large)
      t.strictSame(md5(bytes), sum)
      t.equal(await next(self), atom('next'))

      const { pid, collected } = await collector(evaluate, 3)
      self.send(pid, bytes)
      self.send(pid, atom('next'))
      node.send(pid, atom('other'))
      const [first, second, third] = await collected()
      t.equal(first, atom('other'), 'what another sender says does not wait for it')
      t.ok(bytes.equals(second as Buffer))
      t.equal(third, atom('next'))
    })
  })

  await t.test('large messages of several senders at once', async t => {
    const inOrder = (messages: readonly Term[]): boolean => {
      const counts = new Map<Term, number>()
      return messages.every(message => {
        const [sender, number, bytes] = (message as Tuple<[number, number, Buffer]>).elements
        const last = counts.get(sender) ?? 0
        counts.set(sender, number)
        return number === last + 1 && bytes.equals(Buffer.alloc(200_000, number))
      })
    }
    await node.run(async self => {
      await evaluate('messages:binaries(Pid, 8, 200000)', { Pid: self.pid })
      const got: Term[] = []
      while (got.length < 40) got.push(await next(self))
      t.ok(inOrder(got), 'from Erlang')

      const { pid, collected } = await collector(evaluate, 40)
      for (const sender of upTo(8)) {
        self.spawn(child => {
          for (const number of upTo(5)) child.send(pid, tuple(sender, number, Buffer.alloc(200_000, number)))
        })
      }
      t.ok(inOrder(await collected()), 'from TypeScript')
    })
  })
}

async function atoms(t: Test, { node, evaluate }: Pair): Promise<void> {
  await t.test('more atoms than the atom cache has slots, and than one message may refer to', async t => {
    const echo = node.spawn(async self => {
      for await (const message of self) {
        const [from, term] = (message as Tuple<[Pid, Term]>).elements
        self.send(from, tuple(self.pid, term))
      }
    })
    const source = String.raw`
      Atoms = [list_to_atom("atom " ++ integer_to_list(Number)) || Number <- lists:seq(1, 5000)],
      Long = [list_to_atom(integer_to_list(Number) ++ lists:duplicate(250, 16#1f600)) || Number <- lists:seq(1, 300)],
      Tens = fun F([]) -> []; F(List) -> {Ten, Rest} = lists:split(10, List), [Ten | F(Rest)] end,
      messages:echoed(Echo, Tens(Atoms) ++ [Atoms] ++ Tens(Long) ++ [Long, Atoms ++ Long] ++ lists:reverse(Tens(Atoms))).`
    t.equal(await evaluate(source, { Echo: echo }), true)
  })
}

/** The first message makes the connection; when both sides speak first, one of the two attempts gives way. */
async function connecting(t: Test, beam: Beam): Promise<void> {
  const many = upTo(1000)
  // Whose attempt gives way depends on whose name is the greater.
  for (const name of [`a-${process.pid}@127.0.0.1`, `z-${process.pid}@127.0.0.1`]) {
    await t.test(
      `the first makes the connection, and both may speak first: TypeScript has the ${name < beam.name ? 'lesser' : 'greater'} name`,
      async t => {
        await using node = await startNode(beam, { name })
        const evaluate = evaluator(beam, node)
        const faults: string[] = []
        node.on('protocol', (_, { error }) => faults.push(error.message))
        await node.run(async self => {
          await self.register('counter')
          const speak = async (): Promise<readonly Term[]> => {
            const { pid, collected } = await collector(evaluate, many.length)
            for (const number of many) self.send(number % 2 === 0 ? pid : { name: 'collector', node: beam.name }, number)
            return collected()
          }
          const hear = async (): Promise<readonly Term[]> => {
            await evaluate('messages:count([{counter, Ts}], Last).', { Last: many.length })
            const got: Term[] = []
            while (got.length < many.length) got.push(await next(self))
            return got
          }
          const both = Array.from({ length: 20 }, (_, round) => (round % 2 === 0 ? [speak, hear] : [hear, speak]))
          for (const speakers of [[speak], [hear], ...both]) {
            for (const got of await Promise.all(speakers.map(start => start()))) t.strictSame(got, many)
            t.strictSame(node.nodes('connected'), [beam.name])
            node.disconnect(beam.name)
            await beam.waitForNode(name, 'down')
          }
        })
        t.strictSame(faults, [])
      },
    )
  }
}
