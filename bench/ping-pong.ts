import { atom, type Pid, type Tuple, tuple } from '../src/index.js'
import { type Figure, onBeam, onNode } from './figure.js'

const erlang = String.raw`
-module(ping_pong).
-export([run/1]).

run(N) ->
    Pong = spawn(fun pong/0),
    Start = erlang:monotonic_time(nanosecond),
    ping(Pong, N div 2),
    Time = erlang:monotonic_time(nanosecond) - Start,
    exit(Pong, kill),
    Time.

ping(_, 0) -> ok;
ping(Pong, N) -> Pong ! {self(), ping}, receive pong -> ping(Pong, N - 1) end.

pong() -> receive {From, ping} -> From ! pong, pong() end.
`

const ping = atom('ping')
const pong = atom('pong')

export const pingPong: Figure = {
  name: 'ping-pong',
  about: 'two processes of one node send each other a message in turn',

  async rows(stage) {
    const [beam, node] = [await stage.beam(erlang), await stage.node()]
    const other = node.spawn(async self => {
      for await (const message of self) {
        const [from] = (message as Tuple<[Pid, typeof ping]>).elements
        self.send(from, pong)
      }
    })
    const ours = onNode(node, async (self, n) => {
      for (let i = 0; i < n / 2; i++) {
        self.send(other, tuple(self.pid, ping))
        await self.receive()
      }
    })
    return [{ name: 'ping-pong', unit: 'messages/s', better: 'more', ours, peers: [onBeam(beam, 'ping_pong:run(N).')] }]
  },
}
