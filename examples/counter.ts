/**
 * A counter that Erlang and Elixir call: a gen_server, as far as they can tell.
 *
 *     make start FILE=examples/counter.ts
 *
 *     $ erl -name me@127.0.0.1 -setcookie secret
 *     > gen_server:call({counter, 'counter@127.0.0.1'}, {add, 5}).
 *     15
 *     > gen_server:cast({counter, 'counter@127.0.0.1'}, reset).
 *     ok
 *     > gen_server:call({counter, 'counter@127.0.0.1'}, get).
 *     0
 *     > sys:get_status({counter, 'counter@127.0.0.1'}) =/= undefined.
 *     true
 *
 *     $ iex --name you@127.0.0.1 --cookie secret
 *     > GenServer.call({:counter, :"counter@127.0.0.1"}, {:add, 37})
 *     37
 *     > :rpc.call(:"counter@127.0.0.1", :counter_math, :double, [21])
 *     42
 */
import type { Node } from 'beamlet'
import { genServer, reply } from 'beamlet/otp'

const counter = genServer({
  init: (start: number) => start,
  call: { add: (n, by: number) => reply(n + by, n + by), get: n => reply(n, n) },
  cast: { reset: () => 0 },
})

export default async function (node: Node): Promise<void> {
  await node.start(counter, { args: [10], name: 'counter' })
  await node.code.load('counter_math', { double: (n: number) => 2 * n })
}
