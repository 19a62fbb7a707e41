/** Erlang and processes in places: the order of what they send each other, and all ways to spawn and call there. */
import t, { type Test } from 'tap'
import { any, atom, format, match, type Node, type Pid, type Term, tuple } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { evaluator, startNode } from './support/places.js'

const order = new URL('./support/placed/order.mjs', import.meta.url)
const places = ['pool', 'isolated'] as const
const count = 60

t.test('Erlang and places', async t => {
  const suite = async (t: Test, { start }: { readonly start: () => Promise<Beam> }): Promise<void> => {
    const beam = await start()
    beam.expectLog(/^Error in process .* exit value:, {undef,/) // what is spawned from there, and is not here
    await using node = await startNode(beam, { schedulers: { count: 1, execArgv: [] } })
    await node.code.load('order', order)
    for (const on of places) await node.code.load(`order_${on}`, order, { on })
    await node.connect(beam.name)
    for (const on of places) {
      await ordered(t, { beam, node, on })
      await spawned(t, { beam, node, on })
    }
    await called(t, { beam, node, on: 'pool' })
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

interface Part {
  readonly beam: Beam
  readonly node: Node
  readonly on: (typeof places)[number]
}

async function ordered(t: Test, { beam, node, on }: Part): Promise<void> {
  const evaluate = evaluator(beam, node)
  const code = (fun: string, ...args: Term[]): { module: string; fun: string; args: Term[] } => ({ module: 'order', fun, args })

  await t.test(`order holds between a process in the place '${on}' and Erlang, by pid and by name, with fragments in between`, async t => {
    const takes = `Me = self(), Name = list_to_atom("takes_" ++ atom_to_list(On)),
      Take = fun Take(N) when N > Count -> ok;
                 Take(N) -> receive N -> Take(N + 1); {N, _} -> Take(N + 1); Other -> {Other, in_place_of, N} end end,
      Pid = spawn(fun() -> register(Name, self()), Me ! ready, Me2 = receive {tell, P} -> P end, Me2 ! {self(), Take(1)} end),
      receive ready -> {Pid, Name} end.`
    const [pid, name] = (await evaluate(takes, { On: atom(on), Count: count })) as Iterable<Term> as [Pid, Term]
    await node.run(async self => {
      self.send(pid, tuple(atom('tell'), self.pid))
      self.spawn(code('number', pid, name, count), { on })
      t.strictSame((await self.receive(match([pid, any]))).elements[1], atom('ok'), 'from the place')

      const collector = self.spawn(code('collect', self.pid, count), { on, name: `collect_${on}` })
      await self.receive(match([collector, atom('ready')]))
      const numbers = `Large = binary:copy(<<"0123456789">>, 20000),
        [case N rem 2 of 1 -> Pid; 0 -> {Name, Ts} end ! case N rem 5 of 0 -> {N, Large}; _ -> N end || N <- lists:seq(1, Count)], ok.`
      await evaluate(numbers, { Pid: collector, Name: atom(`collect_${on}`), Count: count })
      t.equal((await self.receive(match([collector, any]))).elements[1], count, 'to the place')

      const other = self.spawn(code('collect', self.pid, count), { on: on === 'pool' ? 'isolated' : 'pool', name: `other_${on}` })
      await self.receive(match([other, atom('ready')]))
      self.spawn(code('number', other, atom(`other_${on}`), count), { on })
      t.equal((await self.receive(match([other, any]))).elements[1], count, 'to another place')

      const ends = `Me = self(), Server = spawn(fun() -> register(ends, self()), Me ! ready, receive {From, 'end'} -> From ! bye end end),
        receive ready -> ok end, is_pid(Server).`
      await evaluate(ends)
      const asks = self.spawn(code('ask', self.pid, atom('ends'), atom(beam.name)), { on })
      t.equal(format((await self.receive(match([asks, any]))).elements[1] as Term), '[bye,normal]', 'a monitor, then a request')
    })
  })
}

async function spawned(t: Test, { beam, node, on }: Part): Promise<void> {
  await t.test(`Erlang spawns into the place '${on}' with every option`, async t => {
    const source = `
      process_flag(trap_exit, true), M = Module,
      Here = fun() -> receive {here, P} -> P after 20000 -> nobody end end,
      Down = fun(R) -> receive {Tag, R, process, P, Why} -> {Tag, P, Why} after 20000 -> none end end,
      R1 = spawn_request(Ts, M, wait, [self()], [monitor, link, {reply_tag, mine}]),
      P1 = receive {mine, R1, ok, Q1} -> Q1 end, P1 = Here(),
      exit(P1, enough),
      First = receive {'EXIT', P1, enough} -> exit_first after 20000 -> none end,
      {'DOWN', P1, enough} = Down(R1),
      R2 = spawn_request(Ts, M, wait, [self()], [{monitor, [{alias, reply_demonitor}, {tag, gone}]}, {reply, no}]),
      P2 = Here(), P2 ! R2,
      receive {by_alias, P2} -> ok end, P2 ! stop,
      No = receive {spawn_reply, R2, _, _} -> reply; {gone, R2, _, _, _} -> down after 100 -> nothing end,
      R3 = spawn_request(Ts, M, wait, [self()], [monitor, {reply, error_only}]),
      P3 = Here(), exit(P3, kill), {'DOWN', P3, killed} = Down(R3),
      R4 = spawn_request(Ts, M, wait, [self()], [link]), Abandoned = erlang:spawn_request_abandon(R4),
      P4 = receive {here, Q4} -> Q4 after 300 -> nobody end, By = case P4 of nobody -> abandoned; _ -> D4 = monitor(process, P4), {_, P4, W4} = Down(D4), W4 end,
      R5 = spawn_request(Ts, M, wait, [self()], [bad]), Bad = receive {spawn_reply, R5, error, E5} -> E5 end,
      {P6, R6} = spawn_monitor(Ts, M, nothing, [1]), {'DOWN', P6, {undef, [{M, nothing, [1], []}]}} = Down(R6),
      P7 = spawn_link(Ts, M, wait, [self()]), receive {here, P7} -> ok end, unlink(P7), exit(P7, kill),
      Left = receive {'EXIT', P7, _} = Exit -> Exit after 0 -> none end,
      {First, No, Abandoned, lists:member(By, [abandoned, noproc]), Bad, Left}.`
    const got = await beam.eval(source, { bindings: { Ts: atom(node.name), Module: atom(`order_${on}`) }, timeout: 60_000 })
    t.equal(format(got), '{exit_first,nothing,true,true,badopt,none}')
  })
}

async function called(t: Test, { beam, node, on }: Part): Promise<void> {
  await t.test(`Erlang calls into the place '${on}' with rpc and erpc`, async t => {
    const source = `
      M = Module, Class = fun(F) -> try F() catch C:R -> {C, R} end end,
      Where = erpc:call(Ts, M, place, []),
      {badrpc, {'EXIT', {{'TypeError', <<"wrong">>}, [_ | _]}}} = rpc:call(Ts, M, fail, [type]),
      {error, {exception, {'TypeError', <<"wrong">>}, [_ | _]}} = Class(fun() -> erpc:call(Ts, M, fail, [type]) end),
      {error, {exception, undef, [{M, nothing, [], []}]}} = Class(fun() -> erpc:call(Ts, M, nothing, []) end),
      Many = erpc:multicall([Ts, Ts], M, place, []),
      Request = erpc:send_request(Ts, M, place, []), {response, Later} = erpc:wait_response(Request, 20000),
      Key = rpc:async_call(Ts, M, place, []),
      ok = erpc:cast(Ts, M, wait, [self()]), P = receive {here, Q} -> Q end, exit(P, kill),
      lists:all(fun(N) -> is_integer(N) end, [Where, Later, rpc:yield(Key), rpc:block_call(Ts, M, place, [])]) andalso
        lists:all(fun({ok, N}) -> is_integer(N) andalso N =/= Main end, Many) andalso Where =/= Main.`
    const bindings = { Ts: atom(node.name), Module: atom(`order_${on}`), Main: process.pid }
    t.equal(await beam.eval(source, { bindings, timeout: 60_000 }), true)
  })
}
