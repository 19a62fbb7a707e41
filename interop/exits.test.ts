/** Exit signals and exit reasons between TypeScript and Erlang processes, by Erlang's rules. */
import t, { type Test } from 'tap'
import { any, atom, equals, float, format, ImproperList, match, Pid, type Term, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, down, eachWay, heard, next, order, type Pair, tell } from './support/pair.js'

const EXIT = atom('EXIT')
const normal = atom('normal')
const kill = atom('kill')
const killed = atom('killed')

/** What exit reasons may be: any term, some too large for one frame. */
const reasons: readonly Term[] = [
  atom('shutdown'),
  tuple(atom('shutdown'), [1, 2, 3]),
  tuple(),
  [],
  -1,
  2n ** 100n,
  float(1),
  new ImproperList([1], 2),
  new Map<Term, Term>([[atom('key'), tuple(atom('value'), null)]]),
  Buffer.from('text'),
  Buffer.alloc(1_000_000, 7),
  Array.from({ length: 50_000 }, (_, index) => index),
]

t.test('exits', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: actor })
    await eachWay(t, beam, suite, { floats: 'exact' })
  })
})

async function suite(t: Test, { beam, node, evaluate }: Pair): Promise<void> {
  const startActor = async (trapping = false): Promise<Pid> => (await evaluate(`actor:${trapping ? 'start_trapping' : 'start'}().`)) as Pid

  await t.test('reasons arrive as they were', async t => {
    for (const reason of reasons) {
      const pid = node.spawn(async self => {
        await next(self)
        self.exit(reason)
      })
      const watch = `process_flag(trap_exit, true), link(Pid), Ref = monitor(process, Pid), Pid ! go,
        receive {'DOWN', Ref, process, Pid, Down} -> ok end, receive {'EXIT', Pid, Exit} -> ok end,
        {Down =:= Reason, Exit =:= Reason}.`
      t.strictSame(
        await evaluate(watch, { Pid: pid, Reason: reason }),
        tuple(true, true),
        `from TypeScript: ${format(reason).slice(0, 50)}`,
      )
      await node.run(async self => {
        self.trapExit = true
        const actor = await startActor()
        self.link(actor)
        const ref = self.monitor(actor)
        order(self, actor, 'erlang', 'exit', reason)
        const exit = await self.receive(match([EXIT, actor, any]))
        const message = await self.receive(match([atom('DOWN'), ref, atom('process'), actor, any]))
        t.ok(equals(exit.elements[2], reason) && equals(message.elements[4], reason), `from Erlang: ${format(reason).slice(0, 50)}`)
      })
    }
  })

  await t.test('exit/2 from TypeScript', async t => {
    await node.run(async self => {
      const actor = await startActor()
      const ref = self.monitor(actor)
      self.exit(actor, normal)
      t.strictSame(await tell(self, actor, 'erlang', 'self'), actor, 'normal does nothing')
      self.exit(actor, tuple(atom('please'), 'go'))
      t.strictSame(await next(self), down(ref, actor, tuple(atom('please'), Buffer.from('go'))))
      self.exit(actor, atom('again'))

      const trapping = await startActor(true)
      for (const reason of [normal, atom('other'), killed]) {
        self.exit(trapping, reason)
        t.strictSame(await heard(self, trapping), tuple(EXIT, self.pid, reason))
      }
      const watch = self.monitor(trapping)
      self.exit(trapping, kill)
      t.strictSame(await next(self), down(watch, trapping, killed), 'kill cannot be trapped')

      const other = await startActor()
      const end = self.monitor(other)
      node.exit(other, atom('node'))
      t.strictSame(await next(self), down(end, other, atom('node')), 'from the node itself')
    })
  })

  await t.test('exit/2 from Erlang', async t => {
    await node.run(async self => {
      const actor = await startActor()
      const [victim, ref] = self.spawnMonitor(child => child.receive())
      await tell(self, actor, 'erlang', 'exit', victim, normal)
      t.ok(await node.isAlive(victim), 'normal does nothing')
      await tell(self, actor, 'erlang', 'exit', victim, tuple(atom('please'), 'go'))
      t.strictSame(await next(self), down(ref, victim, tuple(atom('please'), Buffer.from('go'))))
      t.equal(await tell(self, actor, 'erlang', 'exit', victim, atom('again')), true)

      self.trapExit = true
      for (const reason of [normal, atom('other'), killed]) {
        await tell(self, actor, 'erlang', 'exit', self.pid, reason)
        t.strictSame(await next(self), tuple(EXIT, actor, reason))
      }
      const [trapping, watch] = self.spawnMonitor(async child => {
        child.trapExit = true
        for await (const _ of child);
      })
      await tell(self, actor, 'erlang', 'exit', trapping, atom('other'))
      t.ok(await node.isAlive(trapping))
      await tell(self, actor, 'erlang', 'exit', trapping, kill)
      t.strictSame(await next(self), down(watch, trapping, killed), 'kill cannot be trapped')
    })
  })

  await t.test('kill through a link is a reason like any other', async t => {
    await node.run(async self => {
      self.trapExit = true
      const actor = await startActor()
      await tell(self, actor, 'erlang', 'link', self.pid)
      order(self, actor, 'erlang', 'exit', kill)
      t.strictSame(await next(self), tuple(EXIT, actor, kill))

      const trapping = await startActor(true)
      const child = self.spawn(child => {
        child.link(trapping)
        child.exit(kill)
      })
      t.strictSame(await heard(self, trapping), tuple(EXIT, child, kill))

      const doomed = await startActor()
      const ref = self.monitor(doomed)
      const killing = self.spawn(child => {
        child.link(doomed)
        child.send(self.pid, atom('linked'))
        return child.receive()
      })
      t.equal(await next(self), atom('linked'))
      self.exit(killing, kill)
      t.strictSame(await next(self), down(ref, doomed, killed), 'who is killed tells its links killed')
    })
  })

  await t.test('exit/2 to oneself ends as it does in Erlang', async t => {
    const inErlang = `Me = fun() -> process_flag(trap_exit, Trap), exit(self(), Why), receive {'EXIT', _, Reason} -> exit({trapped, Reason}) end end,
      {_, Ref} = spawn_monitor(Me), receive {'DOWN', Ref, process, _, Reason} -> Reason end.`
    for (const trap of [false, true]) {
      for (const why of [normal, atom('oops'), kill]) {
        const expected = await evaluate(inErlang, { Trap: trap, Why: why })
        await node.run(async self => {
          const [pid, ref] = self.spawnMonitor(async child => {
            child.trapExit = trap
            child.exit(child.pid, why)
            const message = await child.receive(match([EXIT, child.pid, any]))
            child.exit(tuple(atom('trapped'), message.elements[2]))
          })
          t.strictSame(await next(self), down(ref, pid, expected), `${format(why)}, trap_exit ${trap}: ${format(expected)}`)
        })
      }
    }
  })

  await t.test('an error in TypeScript is {Error, Stacktrace} to Erlang', async t => {
    const crashes: unknown[] = []
    node.on('crash', (_, { error }) => crashes.push(error))
    const reasonFor = (body: () => never): Promise<Term> =>
      evaluate("Ref = monitor(process, Pid), Pid ! go, receive {'DOWN', Ref, process, Pid, Reason} -> Reason end.", {
        Pid: node.spawn(async self => {
          await next(self)
          body()
        }),
      })
    const reason = await reasonFor(() => {
      throw new TypeError('no such thing')
    })
    const shape = `{{'TypeError', <<"no such thing">>}, [{Module, Function, 0, [{file, File}, {line, Line}]} | _]} = Reason,
      true = is_atom(Module) andalso is_atom(Function) andalso is_integer(Line),
      {filename:basename(File), lists:flatten(erl_error:format_exception(error, element(1, Reason), element(2, Reason))) =/= ""}.`
    t.strictSame(await evaluate(shape, { Reason: reason }), tuple([...Buffer.from('exits.test.ts')], true))
    const thrown = await reasonFor(() => {
      throw tuple(atom('a'), 'term') // oxlint-disable-line typescript/only-throw-error
    })
    t.strictSame(thrown, tuple(tuple(atom('nocatch'), tuple(atom('a'), Buffer.from('term'))), []))
    t.equal(crashes.length, 2)
  })

  await t.test('an error in Erlang is {Error, Stacktrace} to TypeScript', async t => {
    beam.expectLog(/badarith/)
    await node.run(async self => {
      const actor = await startActor()
      const ref = self.monitor(actor)
      order(self, actor, 'erlang', '+', atom('a'), 1)
      const [, , , , reason] = (await self.receive(match([atom('DOWN'), ref, any, any, [atom('badarith'), any]]))).elements
      const [frame] = reason.elements[1] as readonly Term[]
      t.match(frame, tuple(atom('erlang'), atom('+'), [atom('a'), 1]))
    })
  })

  await t.test('an exit signal to a process of an earlier node of this name goes nowhere', async t => {
    await node.run(async self => {
      const actor = await startActor()
      const old = new Pid(self.pid.node, self.pid.id, self.pid.serial, node.creation - 1)
      t.equal(await tell(self, actor, 'erlang', 'exit', old, kill), true)
      t.strictSame(await tell(self, actor, 'erlang', 'self'), actor)
    })
  })
}
