import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import {
  atom,
  equals,
  ExitError,
  format,
  get,
  type LogEvent,
  match,
  any,
  Node,
  type NodeProcess,
  type Pid,
  type Term,
  type Tuple,
  tuple,
} from '../../src/index.js'
import { application, ApplicationError, type Env, genServer, type RestartType, reply, supervisor } from '../../src/otp/index.js'
import { version } from '../../src/otp/version.js'

let started = 0
const startNode = (): Promise<Node> =>
  Node.start({ name: `apps-${process.pid}-${++started}@127.0.0.1`, cookie: 'secret', epmd: false, output: () => {} })

const counter = genServer({ init: (n: number) => n, call: { get: n => reply(n, n) } })
const sup = supervisor({ children: [{ id: 'counter', start: counter, args: [10], name: 'counter' }] })

/** What the application controller told, without pids */
function reports(node: Node): string[] {
  const seen: string[] = []
  node.on('logger', ({ level, report }: LogEvent) => {
    const label = format(get(report as Map<Term, Term>, atom('label')) as Term)
    if (label.includes('application')) seen.push(`${level} ${format(get(report as Map<Term, Term>, atom('report')) as Term)}`)
  })
  return seen
}

const reasonOf = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(() => 'nothing', (thrown: unknown) => thrown) // prettier-ignore
  return error instanceof ApplicationError ? format(error.reason) : String(error)
}

t.test('an application starts and stops what it has', async t => {
  await using node = await startNode()
  const seen: unknown[] = []
  const shop = application({
    name: 'shop',
    vsn: '1.2',
    description: 'Sells apples',
    applications: ['kernel', 'stdlib'],
    env: { port: 8080, hosts: ['a', 'b'] },
    async start(this: NodeProcess, type) {
      seen.push(type, await node.applications.getApplication(this.pid))
      return { supervisor: await this.startLink(sup), state: { opened: 1 } }
    },
    prepStop(state) {
      seen.push(['prepStop', state, node.whereis('counter') !== undefined])
      return { opened: state.opened + 1 }
    },
    async stop(state) {
      await Promise.resolve()
      seen.push(['stop', state, node.whereis('counter') !== undefined])
    },
  })
  const told = reports(node)
  await node.applications.start(shop)
  t.equal(await node.call('counter', atom('get')), 10)
  t.strictSame(node.applications.whichApplications().map(({ name }) => name), ['shop', 'stdlib', 'kernel']) // prettier-ignore
  t.strictSame(node.applications.whichApplications()[0], { name: 'shop', description: 'Sells apples', vsn: '1.2' })
  t.equal(await node.applications.getApplication(node.whereis('counter') as Pid), 'shop')
  t.equal(await node.applications.getApplication(node.whereis('rex') as Pid), undefined)
  t.equal(node.applications.getEnv(shop, 'port'), 8080)
  await node.applications.stop(shop)
  t.strictSame(seen, ['normal', 'shop', ['prepStop', { opened: 1 }, true], ['stop', { opened: 2 }, false]])
  t.strictSame(told, [
    `info [{application,shop},{started_at,'${node.name}'}]`,
    'notice [{application,shop},{exited,stopped},{type,temporary}]',
  ])
  t.equal(await reasonOf(node.applications.stop('shop')), '{not_started,shop}')
  t.strictSame(node.applications.whichApplications().map(({ name }) => name), ['stdlib', 'kernel']) // prettier-ignore
  t.ok(node.applications.loadedApplications().some(({ name }) => name === 'shop'))
  node.applications.unload('shop')
  t.equal(node.applications.getEnv('shop', 'port'), undefined)
})

t.test('order, and what is refused', async t => {
  await using node = await startNode()
  const { applications } = node
  const low = application({ name: 'low' })
  const mid = application({ name: 'mid', applications: [low, 'kernel'], start: sup })
  const top = application({ name: 'top', applications: [mid, 'low'] })
  const broken = application({ name: 'broken', applications: [top], start: () => tuple(atom('error'), atom('no')) })
  t.equal(await reasonOf(applications.start(mid)), '{not_started,low}')
  t.equal(await reasonOf(applications.start('nope')), '{"no such file or directory","nope.app"}')
  t.equal(await reasonOf(applications.start(low, 'odd' as RestartType)), '{invalid_restart_type,odd}')
  t.strictSame(await applications.ensureAllStarted(top), ['low', 'mid', 'top'])
  t.strictSame(await applications.ensureAllStarted([top, mid]), [])
  t.equal(await reasonOf(applications.start(mid)), '{already_started,mid}')
  await applications.ensureStarted(mid)
  t.throws(() => applications.load(mid), { code: 'ERR_APPLICATION' })
  t.throws(() => applications.unload('mid'), { code: 'ERR_APPLICATION' })
  t.throws(() => applications.load({ name: 'no' }), { code: 'ERR_APPLICATION' })
  await applications.stop('low')
  t.equal(await reasonOf(applications.ensureAllStarted(broken)), '{broken,{no,{broken,start,[normal,[]]}}}')
  t.strictSame(applications.whichApplications().map(({ name }) => name), ['top', 'mid', 'stdlib', 'kernel']) // prettier-ignore
  const [a, b] = [application({ name: 'a', applications: ['b'] }), application({ name: 'b', applications: ['a'] })]
  applications.load(a)
  applications.load(b)
  t.equal(await reasonOf(applications.ensureAllStarted(a)), '{a,{circular_dependency,[a,b,a]}}')
  t.equal(await reasonOf(applications.stop('kernel')), 'not_allowed')
  t.throws(() => application({ name: 'true' }), { code: 'ERR_NAME' })
  t.throws(() => application({ name: 'odd', start: {} as never }), { code: 'ERR_BADARG' })
  const both = await Promise.allSettled([applications.start(application({ name: 'twice', start: sup2() })), applications.start('twice')])
  t.strictSame(both.map(({ status }) => status), ['fulfilled', 'fulfilled']) // prettier-ignore
})

t.test('included applications', async t => {
  await using node = await startNode()
  const { applications } = node
  t.throws(() => application({ name: 'a', startPhases: { go: 1 } }), { code: 'ERR_BADARG', message: /no start/ })
  t.throws(() => application({ name: 'a', start: sup, applicationStarter: true }), { code: 'ERR_BADARG', message: /startPhases/ })
  const phases = { startPhases: { go: 1 }, applicationStarter: true, startPhase: () => undefined }
  const broken = application({ name: 'broken', env: { bad: (() => 1) as never } })
  const whole = application({ name: 'whole', includedApplications: [application({ name: 'sound' }), broken] })
  t.throws(() => applications.load(whole), { code: 'ETF_TERM' })
  t.strictSame(applications.loadedApplications().map(({ name }) => name), ['kernel', 'stdlib'], 'none is loaded when one cannot be') // prettier-ignore
  const inner = application({ name: 'inner', start: sup2(), ...phases })
  applications.load(application({ name: 'outer', start: sup2(), includedApplications: [inner], ...phases }))
  applications.unload('inner')
  t.throws(() => applications.load(application({ name: 'odd', includedApplications: ['inner'] })), { code: 'ERR_APPLICATION' })
  applications.load(application({ name: 'inner', start: sup2(), includedApplications: ['outer'], ...phases }))
  t.equal(await reasonOf(applications.start('outer')), '{circular_dependency,[outer,inner,outer]}')
  t.equal(applications.startType('outer'), 'local')
  await applications.start(application({ name: 'alone', start: sup2() }))
  applications.load(application({ name: 'around', includedApplications: ['alone'] }))
  t.throws(() => applications.unload('around'), { message: /\{running,alone\}/ })
  applications.unload('outer')
  t.strictSame(applications.loadedApplications().map(({ name }) => name), ['kernel', 'stdlib', 'alone', 'around']) // prettier-ignore
})

/** One whose child has no name */
const sup2 = () => supervisor({ children: [{ id: 'counter', start: counter, args: [1] }] })

t.test('a start that fails', async t => {
  await using node = await startNode()
  const failing = supervisor({ children: [{ id: 'x', start: () => tuple(atom('error'), atom('no')) }] })
  const starts: Record<string, [start: unknown, reason: RegExp]> = {
    refused: [() => tuple(atom('error'), atom('no')), /^\{no,\{refused,start,\[normal,\[\]\]\}\}$/],
    odd: [() => atom('odd'), /^\{bad_return,\{\{odd,start,\[normal,\[\]\]\},odd\}\}$/],
    crash: [
      () => {
        throw new ExitError(atom('crashed'))
      },
      /^\{bad_return,\{\{crash,start,\[normal,\[\]\]\},\{'EXIT',crashed\}\}\}$/,
    ],
    ends: [
      () => {
        throw new ExitError(atom('normal'))
      },
      /^\{\{'EXIT',normal\},\{ends,start,\[normal,\[\]\]\}\}$/,
    ],
    typo: [
      () => {
        throw new TypeError('typo')
      },
      /^\{bad_return,\{\{typo,start,\[normal,\[\]\]\},\{'EXIT',\{\{'TypeError',<<"typo">>\},/,
    ],
    thrown: [
      () => {
        throw atom('t')
      },
      /^\{bad_return,\{\{thrown,start,\[normal,\[\]\]\},t\}\}$/,
    ],
    child: [failing, /^\{\{shutdown,\{failed_to_start_child,x,no\}\},\{child,start,\[normal,\[\]\]\}\}$/],
    killed: [(self: NodeProcess) => self, /^killed$/],
  }
  for (const [name, [start, reason]] of Object.entries(starts)) {
    const own = name === 'killed' ? function (this: NodeProcess) { return this.exit(this.pid, atom('kill')), new Promise(() => {}) } : start // prettier-ignore
    t.match(await reasonOf(node.applications.start(application({ name, start: own as never }))), reason)
  }
  t.strictSame(node.applications.whichApplications().map(({ name }) => name), ['stdlib', 'kernel']) // prettier-ignore
})

t.test('start phases', async t => {
  await using node = await startNode()
  const run = async (name: string, out: unknown): Promise<readonly unknown[]> => {
    const seen: unknown[] = []
    const app = application({
      name,
      start: sup2(),
      startPhases: { first: 1, second: atom('two') },
      startPhase(phase, type, args) {
        seen.push([phase, type, args])
        if (phase === 'second') return out
        return undefined
      },
      stop: () => void seen.push('stop'),
    })
    const reason = await reasonOf(node.applications.start(app))
    return [...seen, reason]
  }
  const both = [['first', 'normal', 1], ['second', 'normal', atom('two')]] // prettier-ignore
  t.strictSame(await run('good', undefined), [...both, 'nothing'])
  t.strictSame(await run('ok', atom('ok')), [...both, 'nothing'])
  t.strictSame(await run('bad', tuple(atom('error'), atom('e'))), [...both, '{e,{bad,start_phase,[second,normal,two]}}'])
  t.strictSame(await run('worse', 5), [...both, '{bad_return_value,{{worse,start_phase,[second,normal,two]},5}}'])
  const none = application({ name: 'none', start: sup2(), startPhases: { go: [] } })
  t.equal(
    await reasonOf(node.applications.start(none)),
    "{bad_return_value,{{none,start_phase,[go,normal,[]]},{'EXIT',{undef,[{none,start_phase,[go,normal,[]],[]}]}}}}",
  )
  t.equal(format(node.applications.getKey('none', 'start_phases') as Term), '[{go,[]}]')
  t.equal(node.stats().processes, (await idle()).processes + 2 * 4, 'what did not start has left no process')
})

/** A node that has nothing to do */
async function idle(): Promise<{ processes: number }> {
  await using node = await startNode()
  return { processes: node.stats().processes }
}

t.test('the end of an application, and of the node with it', async t => {
  const end = async (t: Test, type: RestartType, why: Term): Promise<readonly [reports: string[], closed: boolean, order: string[]]> => {
    await using node = await startNode()
    const told = reports(node)
    const order: string[] = []
    const down = new Promise<string>(resolve => node.on('error', ({ code, message }) => resolve(`${code} ${message}`)))
    const over = new Promise<void>(resolve => node.on('logger', ({ report }) => /\{exited,/.test(format(report)) && resolve()))
    const other = application({ name: 'other', start: sup2(), stop: () => void order.push('other stopped') })
    const app = application({
      name: 'app',
      applications: [other],
      start(this: NodeProcess) {
        return this.spawnLink(async self => void (await self.receive(match(atom('end'))), self.exit(why as never)), { name: 'top' })
      },
      stop: () => void order.push('app stopped'),
    })
    await node.applications.ensureAllStarted(app, type)
    node.send('top', atom('end'))
    await over
    const closes = type === 'permanent' || (type === 'transient' && why !== atom('normal'))
    if (closes) t.match(await down, /^ERR_APPLICATION_DOWN .*\{application_terminated,app,/)
    if (closes) await node.close()
    return [told.filter(line => line.includes('exited')), node.whereis('application_controller') === undefined, [...order]]
  }
  const exited = (why: string, type: string): string[] => [`notice [{application,app},{exited,${why}},{type,${type}}]`]
  t.strictSame(await end(t, 'temporary', atom('boom')), [exited('boom', 'temporary'), false, ['app stopped']])
  t.strictSame(await end(t, 'transient', atom('normal')), [exited('normal', 'transient'), false, ['app stopped']])
  t.strictSame(await end(t, 'transient', atom('boom')), [exited('boom', 'transient'), true, ['app stopped', 'other stopped']])
  t.strictSame(await end(t, 'permanent', atom('normal')), [exited('normal', 'permanent'), true, ['app stopped', 'other stopped']])
})

t.test('a permanent application that does not start takes the node down', async t => {
  await using node = await startNode()
  const down = new Promise<string>(resolve => node.on('error', ({ message }) => resolve(message)))
  const app = application({ name: 'app', start: () => tuple(atom('error'), atom('no')) })
  t.equal(await reasonOf(node.applications.start(app, 'permanent')), '{no,{app,start,[normal,[]]}}')
  t.match(await down, /\{application_start_failure,app,\{no,/)
  await node.close()
  await t.rejects(node.applications.start(application({ name: 'late' })), { code: 'NODE_CLOSED' })
})

t.test('the end of the controller takes the node down', async t => {
  await using node = await startNode()
  const down = new Promise<string>(resolve => node.on('error', ({ message }) => resolve(message)))
  const stopped = new Promise<void>(
    resolve => void node.applications.start(application({ name: 'app', start: sup, stop: () => resolve() })),
  )
  await node.applications.ensureStarted('app')
  node.exit(node.whereis('application_controller') as Pid, atom('kill'))
  t.match(await down, /application_controller was ended/)
  await stopped
  await node.close()
})

t.test('close stops them in reverse order, as long as shutdown_timeout lets it', async t => {
  const node = await startNode()
  const order: string[] = []
  const one = application({
    name: 'one',
    start: sup2(),
    prepStop: () => void order.push('one'),
    stop: () => void order.push('one stopped'),
  })
  const two = application({
    name: 'two',
    applications: [one],
    start: sup2(),
    prepStop: () => void order.push('two'),
    stop: () => new Promise(() => {}),
  })
  await node.applications.ensureAllStarted(two)
  node.applications.setEnv('kernel', 'shutdown_timeout', 50)
  await node.close()
  t.strictSame(order, ['two', 'one', 'one stopped'])
})

t.test('what is left of an application ends with it', async t => {
  await using node = await startNode()
  const ends: Promise<string>[] = []
  const stray = (self: NodeProcess): void => {
    const pid = self.spawn(async child => {
      child.trapExit = true
      child.spawn(async grandchild => void (await grandchild.receive(match(atom('never')))))
      for await (const _ of child);
    })
    ends.push(node.run(async watcher => (watcher.monitor(pid), format(await watcher.receive()))))
  }
  const app = application({
    name: 'app',
    async start(this: NodeProcess) {
      stray(this)
      return this.startLink(sup2())
    },
  })
  await node.applications.start(app)
  const before = node.stats().processes
  await node.applications.stop(app)
  t.match((await Promise.all(ends))[0], /,killed\}$/)
  t.equal(before - node.stats().processes, 6 + 1, 'the stray two, those of the tree, the root, the master, and the watcher')
})

t.test('prepStop and stop that throw are told, and stop nothing from stopping', async t => {
  await using node = await startNode()
  const told: string[] = []
  node.on('logger', ({ report }) => void told.push(format(report)))
  const bad = (): never => {
    throw new ExitError(atom('bad'))
  }
  await node.applications.start(application({ name: 'app', start: sup2(), prepStop: bad, stop: bad }))
  await node.applications.stop('app')
  const errors = told.filter(line => line.includes('shutdown_error'))
  t.match(errors[0], /label => \{error_logger,error_report\}/)
  t.match(errors[0], /\{app,\{prep_stop,\[\[\]\]\}\},\{error_info,bad\}/)
  t.match(errors[1], /\{app,\{stop,\[\[\]\]\}\},\{error_info,bad\}/)
  t.equal(errors.length, 2)
})

t.test('the configuration', async t => {
  await using node = await startNode()
  const { applications } = node
  const app = application({ name: 'app', vsn: '1', modules: ['calc'], registered: ['counter'], env: { port: 1, name: 'x' } })
  applications.setEnv('app', 'port', 5, { persistent: true })
  applications.setEnv('app', 'name', 6)
  t.equal(applications.getEnv('app', 'port'), 5)
  applications.load(app)
  t.strictSame(applications.getAllEnv(app), { port: 5, name: Buffer.from('x') })
  applications.setEnv(app, 'port', 7)
  const port: number | undefined = applications.getEnv(app, 'port')
  t.equal(port, 7)
  applications.unload(app)
  t.strictSame(applications.getAllEnv(app), {})
  applications.load(app)
  t.equal(applications.getEnv(app, 'port'), 5)
  applications.unsetEnv(app, 'port', { persistent: true })
  t.equal(applications.getEnv(app, 'port'), undefined)
  t.equal(format(applications.getKey(app, 'registered') as Term), '[counter]')
  t.equal(applications.getKey(app, 'nothing' as never), undefined)
  t.equal(applications.getKey('nobody', 'vsn'), undefined)
  t.equal(await applications.getApplication('calc'), 'app')
  t.equal(await applications.getApplication('pg'), 'kernel')
  t.throws(() => applications.load(application({ name: 'unsendable', env: { f: (() => {}) as never } as Env })), { code: 'ETF_TERM' })
  t.ok(applications.loadedApplications().every(({ name }) => name !== 'unsendable'))
})

t.test('what the process application_controller answers', async t => {
  await using node = await startNode()
  const ask = async (request: Term): Promise<string> => format(await node.call('application_controller', request))
  t.match(await ask(atom('which_applications')), /^\[\{stdlib,"?.*\},\{kernel,.*\}\]$/)
  t.match(
    await ask(atom('info')),
    /^\[\{loaded,.*\{started,\[\{stdlib,permanent\},\{kernel,permanent\}\]\},.*\{running,\[\{stdlib,undefined\},\{kernel,undefined\}\]\},\{starting,\[\]\}\]$/,
  )
  t.equal(await ask(tuple(atom('start_type'), atom('x'))), 'local')
  t.equal(await ask(tuple(atom('stop_application'), atom('stdlib'))), '{error,not_allowed}')
  t.equal(await ask(tuple(atom('set_env'), atom('a'), atom('b'), 1, [])), '{error,not_allowed}')
  t.equal(await ask(atom('strange')), '{error,bad_request}')
  node.cast('application_controller', atom('strange'))
  node.send('application_controller', tuple(atom('EXIT'), node.whereis('rex') as Pid, atom('strange')))
  t.match(await ask(atom('which_applications')), /kernel/)
  const [{ vsn } = { vsn: '' }] = node.applications.whichApplications()
  t.equal(vsn, version, 'kernel and stdlib are this package')
  t.equal(version, (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version)
})

t.test('the master is the group leader: what its processes print goes on', async t => {
  const printed: string[] = []
  await using node = await Node.start({
    name: `apps-${process.pid}-io@127.0.0.1`,
    cookie: 'secret',
    epmd: false,
    output: text => void printed.push(text),
  })
  const app = application({
    name: 'app',
    start(this: NodeProcess) {
      return this.spawnLink(
        async self => {
          const ref = self.makeRef()
          self.send(self.groupLeader, tuple(atom('io_request'), self.pid, ref, tuple(atom('put_chars'), atom('unicode'), 'hello\n')))
          const [, , answer] = (await self.receive(match([atom('io_reply'), ref, any]))).elements
          await self.receive(match(tuple(atom('go'), answer)))
        },
        { name: 'printer' },
      )
    },
  })
  await node.applications.start(app)
  const leader = (await node.rpc.call(node.name, 'erlang', 'process_info', [
    node.whereis('printer') as Pid,
    atom('group_leader'),
  ])) as Tuple<[Term, Term]>
  await node.run(async self => {
    self.monitor('printer')
    self.send('printer', tuple(atom('go'), atom('ok')))
    await self.receive()
  })
  t.strictSame(printed, ['hello\n'])
  t.notOk(equals(leader.elements[1], node.whereis('user') as Pid))
})
