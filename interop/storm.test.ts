/** A storm of simultaneous connects: whoever of the two has the greater name, each round ends with one connection on both sides. */
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { atom, isPid, match, type Pid } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, startNode } from './support/pair.js'

const rounds = 200

const code = String.raw`
-module(storm).
-export([start/1, round/2]).

%% Sees every connection come and go.
start(Ts) ->
    Starter = self(),
    Pid = spawn(fun() -> ok = net_kernel:monitor_nodes(true, [{node_type, all}]), Starter ! {self(), ready}, loop(Ts, none) end),
    receive {Pid, ready} -> Pid end.

loop(Ts, Waiting) ->
    receive
        {down, From} -> loop(Ts, tell(Ts, From));
        {nodedown, Ts, _} -> loop(Ts, tell(Ts, Waiting));
        {nodeup, Ts, _} -> loop(Ts, Waiting)
    end.

tell(_, none) -> none;
tell(Ts, From) ->
    case lists:member(Ts, nodes(connected)) of
        true -> From;
        false -> From ! down, none
    end.

%% One round seen from here: connects, says a word, and tells how many connections there are.
round(Ts, To) ->
    true = net_kernel:connect_node(Ts),
    To ! {word, self()},
    receive answer -> length([Node || Node <- nodes(connected), Node =:= Ts]) end.
`

t.test('storm', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code })
    // A digit is below every letter.
    for (const name of [`0-${process.pid}@127.0.0.1`, `z-${process.pid}@127.0.0.1`]) {
      const which = name < beam.name ? 'lesser' : 'greater'
      await t.test(`${rounds} rounds, and TypeScript has the ${which} name`, async t => {
        await using node = await startNode(beam, { name })
        const evaluate = evaluator(beam, node)
        const faults: string[] = []
        node.on('protocol', (_, { error }) => faults.push(error.message))
        const ups: string[] = []
        node.on('nodeup', peer => ups.push(peer))
        const watcher = (await beam.eval('storm:start(Ts).', { bindings: { Ts: atom(name) } })) as Pid
        const before = node.stats()
        await node.run(async self => {
          for (let round = 0; round < rounds; round++) {
            const there = evaluate('storm:round(Ts, To).', { To: self.pid })
            const here = round % 2 === 0 ? node.connect(beam.name) : Promise.resolve(self.send({ name: 'nobody', node: beam.name }, round))
            const { elements: [, from] } = await self.receive(match([atom('word'), isPid])) // prettier-ignore
            await here
            self.send(from, atom('answer'))
            if ((await there) !== 1 || node.nodes('connected').length !== 1) return t.fail(`round ${round}`)
            const down = new Promise(resolve => node.once('nodedown', resolve))
            const seen = evaluate('Watcher ! {down, self()}, receive down -> ok end.', { Watcher: watcher })
            if (round % 4 < 2) node.disconnect(beam.name)
            else await evaluate('erlang:disconnect_node(Ts).')
            await down
            await seen
          }
        })
        t.strictSame(faults, [], 'nobody broke the protocol')
        t.strictSame(new Set(ups), new Set([beam.name]))
        t.equal(ups.length, rounds, 'one connection a round')
        await setImmediate() // The process above ends in this turn.
        const { atoms, ...after } = node.stats()
        t.strictSame({ ...after, atoms: before.atoms }, before, 'all tables are as they were')
        t.ok(atoms - before.atoms < 20, 'no atom a round')
      })
    }
  })
})
