/** What a peer may say late, or wrong without harm: test/node/hostile.test.ts says it to Beamlet, and this to real nodes. */
import t from 'tap'
import { atom, type Pid, tuple } from '../src/index.js'
import { lookup } from '../src/net/epmd-client.js'
import { harmless } from '../test/node/hostile-frames.js'
import { diallingRogue, plain, sendSender } from '../test/node/rogue.js'
import { eachOtp } from './support/each-otp.js'

const victim = String.raw`
-module(victim).
-export([start/0]).
start() -> spawn(fun() -> process_flag(trap_exit, true), loop() end).
loop() -> receive {ask, From, Title} -> receive {_, Title} -> From ! heard end end, loop().
`

t.test('what is harmless to Beamlet is harmless to real nodes', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: victim })
    // The spawn whose arguments are no list: it is begun, and fails.
    beam.expectLog(/Error in process .*erlang,apply,\[m,f,\[1\|2\]\]/s)
    const { name, cookie } = beam
    const { port } = await lookup(name.slice(0, name.indexOf('@')), '127.0.0.1')
    const pid = (await beam.eval('victim:start().')) as Pid
    for (const [title, frames] of harmless) {
      const rogue = await diallingRogue({ name, cookie, port })
      rogue.write(...frames(rogue, { victim: pid }))
      rogue.write(plain(sendSender(rogue.pid, pid), tuple(rogue.pid, title)))
      const source = 'Pid ! {ask, self(), Title}, receive heard -> lists:member(Rogue, nodes(connected)) after 20000 -> lost end.'
      t.equal(await beam.eval(source, { bindings: { Pid: pid, Title: title, Rogue: atom(rogue.name.name) } }), true, title)
      rogue.end()
    }
  })
})
