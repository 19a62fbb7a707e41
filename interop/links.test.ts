/** Links between TypeScript and Erlang processes: made and broken from either side, and what both sides know of them. */
import t, { type Test } from 'tap'
import { any, atom, match, type Node, type NodeProcess, type Pid, type Term, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, down, eachWay, heard, info, next, order, type Pair, patience, tell } from './support/pair.js'

const EXIT = atom('EXIT')
const noconnection = atom('noconnection')

/** What one side does in a race */
const plays = [['link'], ['unlink'], ['link', 'unlink'], ['unlink', 'link'], ['link', 'unlink', 'link']] as const

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const racer = String.raw`
-module(racer).
-export([round/3]).

%% What this side does, without waiting for anybody; then, when the other side's signals and their answers have arrived, what it sees.
round(Pid, Steps, Ref) ->
    [case Step of link -> link(Pid); unlink -> unlink(Pid) end || Step <- Steps],
    Pid ! {Ref, done},
    receive {Ref, done} -> ok end,
    Pid ! {Ref, settled},
    receive {Ref, settled} -> ok end,
    {links, Links} = process_info(self(), links),
    lists:member(Pid, Links).
`

t.test('links', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: [actor, racer] })
    await eachWay(t, beam, suite)
  })
})

async function suite(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const startActor = async (): Promise<Pid> => (await evaluate('actor:start_trapping().')) as Pid
  /** Runs in a process that traps exits. */
  const trapping = <T>(work: (self: NodeProcess) => Promise<T>): Promise<T> =>
    node.run(self => {
      self.trapExit = true
      return work(self)
    })

  await t.test('a link that TypeScript makes is there on both sides', async t => {
    const actor = await startActor()
    await trapping(async self => {
      self.link(actor)
      self.link(actor)
      t.strictSame(await info(self, actor, 'links'), [self.pid])
      order(self, actor, 'erlang', 'exit', tuple(atom('from'), atom('erlang')))
      t.strictSame(await next(self), tuple(EXIT, actor, tuple(atom('from'), atom('erlang'))))
    })
    const other = await startActor()
    const pid = node.spawn(async self => {
      self.link(other)
      await next(self)
      self.exit(tuple(atom('from'), 'TypeScript'))
    })
    await trapping(async self => {
      self.send(pid, atom('exit'))
      t.strictSame(await heard(self, other), tuple(EXIT, pid, tuple(atom('from'), Buffer.from('TypeScript'))))
      t.strictSame(await info(self, other, 'links'), [])
    })
  })

  await t.test('a link that Erlang makes is there on both sides', async t => {
    const actor = await startActor()
    await trapping(async self => {
      t.equal(await tell(self, actor, 'erlang', 'link', self.pid), true)
      t.equal(node.stats().remoteLinks, 1)
      order(self, actor, 'erlang', 'exit', atom('oops'))
      t.strictSame(await next(self), tuple(EXIT, actor, atom('oops')))
      t.equal(node.stats().remoteLinks, 0)
    })
    const other = await startActor()
    await trapping(async self => {
      const pid = self.spawn(async child => {
        await child.receive()
      })
      await tell(self, other, 'erlang', 'link', pid)
      self.send(pid, atom('return'))
      t.strictSame(await heard(self, other), tuple(EXIT, pid, atom('normal')), 'a body that returns exits normal')
    })
  })

  await t.test('an Erlang process ends with a TypeScript process that it is linked to, unless that exits normal', async t => {
    await trapping(async self => {
      const actor = (await evaluate('actor:start().')) as Pid
      const ref = self.monitor(actor)
      const [peaceful, peace] = self.spawnMonitor(child => child.link(actor))
      t.strictSame(await next(self), down(peace, peaceful, atom('normal')))
      t.strictSame(await tell(self, actor, 'erlang', 'self'), actor)
      self.spawn(child => {
        child.link(actor)
        child.exit(atom('crash'))
      })
      t.strictSame(await next(self), down(ref, actor, atom('crash')))
    })
  })

  await t.test('a TypeScript process ends with an Erlang process that it is linked to, unless that exits normal', async t => {
    await trapping(async self => {
      const [child, ref] = self.spawnMonitor(child => child.receive())
      for (const reason of ['normal', 'crash'].map(name => atom(name))) {
        const actor = await startActor()
        await tell(self, actor, 'erlang', 'link', child)
        await tell(self, actor, 'erlang', 'link', self.pid)
        order(self, actor, 'erlang', 'exit', reason)
        t.strictSame(await self.receive(match([EXIT, actor, any])), tuple(EXIT, actor, reason))
        if (reason === atom('normal')) t.ok(await node.isAlive(child))
      }
      t.strictSame(await next(self), down(ref, child, atom('crash')))
    })
  })

  await t.test('a link to a process that has ended exits noproc', async t => {
    const dead = (await evaluate('{Pid, Ref} = spawn_monitor(fun() -> ok end), receive {_, Ref, _, _, _} -> Pid end.')) as Pid
    await trapping(async self => {
      self.link(dead)
      t.strictSame(await next(self), tuple(EXIT, dead, atom('noproc')))
      const [ended, ref] = self.spawnMonitor(() => {})
      t.strictSame(await next(self), down(ref, ended, atom('normal')))
      const actor = await startActor()
      await tell(self, actor, 'erlang', 'link', ended)
      t.strictSame(await heard(self, actor), tuple(EXIT, ended, atom('noproc')))
      t.strictSame(await info(self, actor, 'links'), [])
    })
    const pid = node.spawn(self => {
      self.link(dead)
      return self.receive()
    })
    t.equal(await reasonOf(node, pid), atom('noproc'), 'a process that does not trap exits ends')
  })

  await t.test('after unlink nothing comes', async t => {
    await trapping(async self => {
      const actor = await startActor()
      self.link(actor)
      t.strictSame(await info(self, actor, 'links'), [self.pid])
      self.unlink(actor)
      t.strictSame(await info(self, actor, 'links'), [])
      await tell(self, actor, 'erlang', 'link', self.pid)
      await tell(self, actor, 'erlang', 'unlink', self.pid)
      t.equal(node.stats().remoteLinks, 0)
      const watch = self.monitor(actor)
      order(self, actor, 'erlang', 'exit', atom('unheard'))
      t.strictSame(await next(self), down(watch, actor, atom('unheard')))
      t.equal(self.poll(), undefined)
    })
  })

  await t.test('1000 races of link and unlink leave both sides agreed', async t => {
    const actor = await startActor()
    const outcomes = { linked: 0, unlinked: 0, disagreed: 0 }
    await trapping(async self => {
      for (let round = 0; round < 1000; round++) {
        const mark = self.makeRef()
        const verdict = order(self, actor, 'racer', 'round', self.pid, plays[round % 5]?.map(step => atom(step)) ?? [], mark)
        // Every other time what this side does leaves with the order, else when that may have arrived.
        if (round % 2 === 0) await turn()
        for (const step of plays[Math.floor(round / 5) % 5] ?? []) self[step](actor)
        for (const stage of ['done', 'settled']) {
          self.send(actor, tuple(mark, atom(stage)))
          await self.receive(match([mark, atom(stage)]), { timeout: patience })
        }
        const [, there] = (await self.receive(match([verdict, any]), { timeout: patience })).elements
        const here = node.stats().remoteLinks === 1
        outcomes[here !== there ? 'disagreed' : here ? 'linked' : 'unlinked']++
      }
      t.equal(self.poll(), undefined)
    })
    t.equal(outcomes.disagreed, 0)
    t.ok(outcomes.linked > 100 && outcomes.unlinked > 100, `both ends occur: ${outcomes.linked}, ${outcomes.unlinked}`)
  })

  await t.test('what is taken back before the nodes are connected is taken back', async t => {
    const actor = await startActor()
    await trapping(async self => {
      node.disconnect(beam.name)
      self.link(actor)
      self.unlink(actor)
      self.demonitor(self.monitor(actor))
      const child = self.spawn(child => child.link(actor))
      t.strictSame(await heard(self, actor), tuple(EXIT, child, atom('normal')))
      t.strictSame([await info(self, actor, 'links'), await info(self, actor, 'monitored_by')], [[], []])
      t.match(node.stats(), { remoteLinks: 0, remoteMonitors: 0 })
    })
  })

  await t.test('a lost connection breaks links with noconnection on both sides', async t => {
    for (const disconnect of [() => node.disconnect(beam.name), () => evaluate('erlang:disconnect_node(Ts).')]) {
      const actor = await startActor()
      await trapping(async self => {
        self.link(actor)
        t.strictSame(await info(self, actor, 'links'), [self.pid])
        t.equal(await disconnect(), true)
        t.strictSame(await next(self), tuple(EXIT, actor, noconnection))
        t.equal(node.stats().remoteLinks, 0)
        // What is asked now makes a new connection.
        t.strictSame(await heard(self, actor), tuple(EXIT, self.pid, noconnection))
        t.strictSame(await info(self, actor, 'links'), [])
      })
    }
  })
}

t.test('the end of a node breaks its links', async t => {
  await eachOtp(t, async (t, { start }) => {
    await t.test('TypeScript closes: its processes exit with shutdown', async t => {
      await eachWay(t, await start(), async (t, { node, evaluate }) => {
        const pid = node.spawn(self => self.receive())
        const closing = node.run(async self => {
          await self.register('closer')
          await next(self)
          await node.close()
        })
        const linked = `process_flag(trap_exit, true), link(Pid), {closer, Ts} ! linked, receive {'EXIT', Pid, Reason} -> Reason end.`
        t.equal(await evaluate(linked, { Pid: pid }), atom('shutdown'))
        await closing
      })
    })

    await t.test('the BEAM is killed: noconnection', async t => {
      await eachWay(
        t,
        () => start({ code: actor }),
        async (t, { beam, node, evaluate }) => {
          const pid = (await evaluate('actor:start().')) as Pid
          await node.run(async self => {
            self.trapExit = true
            self.link(pid)
            t.strictSame(await info(self, pid, 'links'), [self.pid])
            await beam.kill()
            t.strictSame(await next(self), tuple(EXIT, pid, noconnection))
          })
        },
      )
    })
  })
})

const reasonOf = (node: Node, pid: Pid): Promise<Term> =>
  node.run(async self => {
    const ref = self.monitor(pid)
    return (await self.receive(match([atom('DOWN'), ref, any, any, any]))).elements[4]
  })
