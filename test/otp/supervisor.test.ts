import t from 'tap'
import { atom, format, type LogEvent, type NodeProcess, Pid, type Term, Tuple, tuple } from '../../src/index.js'
import { genServer, ignore, reply, stop, supervisor } from '../../src/otp/index.js'
import { cluster } from '../node/support.js'

const ended: string[] = []

const worker = genServer({
  init(id: number) {
    this.trapExit = true
    return id === 0 ? ignore : id < 0 ? stop(atom('negative')) : id
  },
  call: { get: id => reply(id, id) },
  cast: { fail: id => stop(atom('failed'), id), leave: id => stop(atom('normal'), id) },
  terminate: (reason, id) => void ended.push(`${id} ${format(reason)}`),
})

/** Resolves with the pid of the child that is started next under that id. */
const started = (node: { on(event: 'logger', listener: (event: LogEvent) => void): unknown }, id: string): Promise<Pid> =>
  new Promise(resolve => {
    node.on('logger', ({ report }) => {
      const [, said] = ((report as Map<Term, Term>).get(atom('report')) ?? []) as Tuple<[Term, Tuple<[Term, Term]>[]]>[]
      if (!(said instanceof Tuple) || said.elements[0] !== atom('started')) return
      const child = new Map(said.elements[1].map(({ elements }) => elements.map(String) as [string, string]))
      const pid = said.elements[1].find(({ elements }) => String(elements[0]) === 'pid')?.elements[1]
      if (child.get('id') === id && pid instanceof Pid) resolve(pid)
    })
  })

t.test('supervisor', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  node.on('crash', () => {})
  node.on('logger', () => {})

  await t.test('children of behaviours, functions and loaded code; ended in reverse order', async t => {
    await node.code.load('starter', {
      begin(this: NodeProcess, name: Term) {
        return tuple(
          atom('ok'),
          this.spawnLink(self => self.receive(), { name: name as never }),
        )
      },
    })
    const sup = supervisor({
      children: [
        { id: 'one', start: worker, args: [1], name: 'one' },
        { id: 'none', start: worker, args: [0], restart: 'temporary' },
        { id: 'later', start: worker, args: [0] },
        { id: 'two', start: worker, args: [2] },
        { id: 'code', start: { module: 'starter', fun: 'begin', args: [atom('coded')] } },
        {
          id: 'function',
          async start(this: NodeProcess, n: number) {
            await Promise.resolve()
            return this.spawnLink(self => self.receive(), { name: `fun${n}` })
          },
          args: [5],
        },
      ],
    })
    const ref = await node.start(sup, { name: 'sup' })
    const children = await ref.whichChildren()
    t.strictSame(
      children.map(({ id, pid, type, modules }) => [format(id), pid instanceof Pid, type, modules]),
      [
        ['function', true, 'worker', ['erlang']],
        ['code', true, 'worker', ['starter']],
        ['two', true, 'worker', ['gen_server']],
        ['later', false, 'worker', ['gen_server']],
        ['one', true, 'worker', ['gen_server']],
      ],
    )
    t.ok(node.whereis('coded') && node.whereis('fun5'))
    t.equal(await ref.restartChild('later'), null, 'it is ignored again')
    ended.length = 0
    const all = children.flatMap(({ pid }) => (pid instanceof Pid ? [pid] : []))
    await node.run(async self => {
      for (const pid of all) self.monitor(pid)
      self.exit(ref.pid, atom('kill'))
      for (const _ of all) t.equal(((await self.receive()) as Tuple).tag, 'DOWN', 'a killed supervisor takes them along')
    })
    const again = await node.start(sup)
    ended.length = 0
    await node.run(async self => {
      self.monitor(again.pid)
      self.send(again.pid, tuple(atom('system'), tuple(self.pid, self.makeRef()), tuple(atom('terminate'), atom('enough'))))
      await self.receive()
      await self.receive()
    })
    t.strictSame(ended, ['2 shutdown', '1 shutdown'])
  })

  await t.test('what does not start', async t => {
    const failing = (...ids: number[]): ReturnType<typeof supervisor> =>
      supervisor({ children: ids.map(id => ({ id: `w${id}`, start: worker, args: [id] as [number] })) })
    ended.length = 0
    const why = await node.start(failing(1, 2, -3)).catch((error: { reason: Term }) => format(error.reason))
    t.equal(why, '{shutdown,{failed_to_start_child,\'w-3\',negative}}') // prettier-ignore
    t.strictSame(ended, ['2 shutdown', '1 shutdown'])
    const reason = (sup: Parameters<typeof supervisor>[0]): Promise<unknown> =>
      node.start(supervisor(sup as never)).catch((error: { reason: Term }) => format(error.reason))
    t.equal(await reason({ intensity: -1 }), '{supervisor_data,{invalid_intensity,-1}}')
    t.equal(await reason({ period: 0 }), '{supervisor_data,{invalid_period,0}}')
    t.equal(await reason({ strategy: 'often' as never }), '{supervisor_data,{invalid_strategy,often}}')
    t.equal(await reason({ autoShutdown: 'always' as never }), '{supervisor_data,{invalid_auto_shutdown,always}}')
    t.equal(await reason({ strategy: 'simpleOneForOne' }), '{bad_start_spec,[]}')
    const twice = { id: 'x', start: worker, args: [1] }
    t.equal(await reason({ children: [twice, twice] as never }), '{start_spec,{duplicate_child_name,x}}')
    await node.start(worker, { args: [1], name: 'taken' })
    t.match(await reason({ children: [{ ...twice, name: 'taken' }] as never }), /failed_to_start_child,x,\{already_started,<0/)
  })

  await t.test('TypeScript adds, ends and restarts children', async t => {
    const sup = await node.start(supervisor({ intensity: 10 }))
    const pid = (await sup.startChild({ id: 'w', start: worker, args: [1] })) as Pid
    await t.rejects(sup.startChild({ id: 'w', start: worker, args: [1] }), {
      code: 'ERR_SUPERVISOR',
      reason: tuple(atom('already_started'), pid),
    })
    await t.rejects(sup.startChild({ id: 'x', start: worker, args: [-1] }), { code: 'ERR_SUPERVISOR' })
    const next = started(node, 'w')
    node.cast(pid, atom('fail'))
    t.not(String(await next), String(pid))
    await sup.terminateChild('w')
    t.strictSame(await sup.countChildren(), { specs: 1, active: 0, supervisors: 0, workers: 1 })
    t.ok(await sup.restartChild('w'))
    await t.rejects(sup.deleteChild('w'), { code: 'ERR_SUPERVISOR', reason: atom('running') })
    await sup.terminateChild('w')
    await sup.deleteChild('w')
    await t.rejects(sup.terminateChild('w'), { code: 'ERR_SUPERVISOR', reason: atom('not_found') })
  })

  await t.test('many of one kind', async t => {
    const many = await node.start(
      supervisor({
        strategy: 'simpleOneForOne',
        intensity: 5,
        children: [{ id: 'w', start: worker as any, args: [] as never, restart: 'transient' }],
      }),
    )
    const pids = []
    for (let id = 1; id <= 200; id++) pids.push((await many.startChild([id])) as Pid)
    t.equal(await node.call(pids[7] as Pid, atom('get')), 8)
    t.strictSame(await many.countChildren(), { specs: 1, active: 200, supervisors: 0, workers: 200 })
    await many.terminateChild(pids[0] as Pid)
    t.equal((await many.whichChildren()).length, 199)
    await node.run(async self => {
      self.monitor(many.pid)
      self.send(many.pid, tuple(atom('system'), tuple(self.pid, self.makeRef()), tuple(atom('terminate'), atom('shutdown'))))
      await self.receive()
      await self.receive()
    })
    for (const pid of pids) if (await node.isAlive(pid)) t.fail('it lives')
  })

  await t.test('children depend on the arguments', async t => {
    const sup = supervisor((count: number) => ({
      strategy: 'oneForAll' as const,
      children: Array.from({ length: count }, (_, index) => ({ id: index, start: worker, args: [index + 1] })),
    }))
    const ref = await node.start(sup, { args: [3] })
    t.strictSame((await ref.whichChildren()).map(({ id }) => id), [2, 1, 0]) // prettier-ignore
  })
})
