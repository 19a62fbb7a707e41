/** A visible Beamlet between BEAM nodes: seen by `nodes()`, and nothing of `global` waits for it. */
import t from 'tap'
import { atom, equals, format, type Term } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, startNode } from './support/pair.js'

await eachOtp(t, async (t, { start }) => {
  const beam = await start()
  const second = await start({ cookie: beam.cookie })
  await using node = await startNode(beam, { hidden: false })
  const first = evaluator(beam, node)
  const other = evaluator(second, node)
  const is = async (title: string, answer: Promise<Term>, expected: Term): Promise<void> => {
    const got = await answer
    t.ok(equals(got, expected), `${title}: ${format(got)}`)
  }

  await t.test('both sides see it in nodes()', async () => {
    await node.connect(beam.name)
    await beam.waitForNode(node.name, 'up')
    await is('connect the BEAM nodes', other('net_kernel:connect_node(First).', { First: atom(beam.name) }), true)
    await is('dialled by a BEAM', other('net_kernel:connect_node(Ts).'), true)
    await second.waitForNode(node.name, 'up')
    await is('nodes()', first('lists:sort(nodes()) =:= lists:sort([Ts, Second]).', { Second: atom(second.name) }), true)
    await is('nodes(hidden)', first('nodes(hidden).'), [])
    t.strictSame(node.nodes().sort(), [beam.name, second.name].sort())
    t.strictSame(node.nodes('hidden'), [])
    await is('ping', first('net_adm:ping(Ts).'), atom('pong'))
  })

  await t.test('global:sync, names, locks and transactions go through', async () => {
    await is('sync', first('global:sync().'), atom('ok'))
    await is('sync on the other', other('global:sync().'), atom('ok'))
    await is('register', first('global:register_name(it, whereis(init)).'), atom('yes'))
    await is('seen', other('node(global:whereis_name(it)) =:= First.', { First: atom(beam.name) }), true)
    await is('lock everywhere', first('global:trans({lock, self()}, fun() -> done end).'), atom('done'))
    await is('unregister', first('global:unregister_name(it).'), atom('ok'))
  })

  await t.test('a lock that one node holds here is refused to the other, until it is deleted or its holder ends', async () => {
    const lock = 'global:set_lock({resource, Who}, [Ts], 0).'
    await first('register(holder, spawn(fun Loop() -> receive {F, From} -> From ! {done, F()}, Loop() end end)).')
    const byHolder = (code: string, who: string): Promise<Term> =>
      first(`holder ! {fun() -> ${code} end, self()}, receive {done, Answer} -> Answer end.`, { Who: atom(who) })
    await is('taken', byHolder('global:set_lock({resource, Who}, [Ts], 0)', 'one'), true)
    await is('again by the same', byHolder('global:set_lock({resource, Who}, [Ts], 0)', 'one'), true)
    await is('refused', other(lock, { Who: atom('two') }), false)
    await is('deleted', byHolder('global:del_lock({resource, Who}, [Ts])', 'one'), true)
    await is('free', byHolder('global:set_lock({resource, Who}, [Ts], 0)', 'three'), true)
    await is('refused again', other(lock, { Who: atom('two') }), false)
    await first("Ref = monitor(process, holder), exit(whereis(holder), kill), receive {'DOWN', Ref, _, _, _} -> ok end.")
    await is('free with its holder', other('global:set_lock({resource, Who}, [Ts], 5).', { Who: atom('two') }), true)
  })

  await t.test('when it leaves, global goes on', async () => {
    // The two tell each other, perhaps before the other has seen it itself.
    for (const each of [beam, second]) each.expectLog('in order to prevent overlapping partitions')
    await node.close()
    await beam.waitForNode(node.name, 'down')
    await is('sync', first('global:sync().'), atom('ok'))
    await is('nodes()', first('nodes() =:= [Second].', { Second: atom(second.name) }), true)
  })
})
