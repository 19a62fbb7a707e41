import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { text, tuple, atom, format } from '../../src/index.js'
import { Beamlet, fails, type RunOptions } from './beamlet.js'
import { type Machine, machine } from './peers.js'

/** Starts a file of that text, and tells when it is up. */
async function started(
  t: Test,
  here: Machine,
  file: string,
  source: string,
  options: readonly string[] = [],
  run: RunOptions = {},
  beside: Parameters<Test['testdir']>[0] = {},
) {
  const path = join(t.testdir(beside), file)
  writeFileSync(path, source)
  const env = { ERL_EPMD_PORT: String(here.epmdPort), BEAMLET_COOKIE: 'secret', ...run.env }
  const command = new Beamlet(['start', path, ...options], { ...run, env })
  t.teardown(() => command[Symbol.asyncDispose]())
  return command
}

t.test('a default export is called with the node', async t => {
  const here = await machine(t)
  const source = `
    import { atom, tuple } from 'beamlet'
    export default async node => {
      node.spawn(async self => {
        for await (const [from, message] of self) self.send(from, tuple(atom('echo'), message))
      }, { name: 'echo' })
      console.log('the file has run on', node.name)
      setInterval(() => {}, 1000)   // keeps nobody waiting
    }`
  const command = await started(t, here, 'echo.mjs', source, ['--name', 'echo@127.0.0.1'])
  await command.said(/^beamlet: echo@127\.0\.0\.1 is up, at port \d+\n/)
  const node = await here.node('peer')
  const answer = await new Promise(resolve => {
    node.spawn(async self => {
      self.send({ name: 'echo', node: 'echo@127.0.0.1' }, tuple(self.pid, 'hello'))
      resolve(await self.receive())
    })
  })
  t.strictSame(answer, tuple(atom('echo'), Buffer.from('hello')))
  const down = new Promise(resolve => node.once('nodedown', (name, { reason }) => resolve([name, reason])))
  command.signal('SIGTERM')
  t.strictSame(await down, ['echo@127.0.0.1', 'connection_closed'])
  const { code, signal, stdout, stderr } = await command.ended
  t.strictSame([code, signal, stdout], [0, null, 'the file has run on echo@127.0.0.1\n'])
  t.match(stderr, /\nbeamlet: echo@127\.0\.0\.1 closes\n$/)
  t.strictSame(here.server.nodes().map(({ name }) => name), ['peer'], 'the name is free') // prettier-ignore
})

t.test('functions are loaded as code', async t => {
  const here = await machine(t)
  const node = await here.node('peer')
  for (const [file, source] of [
    ['calc.mjs', 'export const add = (a, b) => a + b'],
    ['calc.mjs', 'export default { add: (a, b) => a + b }'],
  ] as const) {
    await t.test(source, async t => {
      const command = await started(t, here, file, source, ['--name', 'calc@127.0.0.1', '--hidden'])
      await command.said(/calc@127\.0\.0\.1 is up, hidden, at port/)
      t.equal(await node.rpc.call('calc@127.0.0.1', 'calc', 'add', [1, 2]), 3)
      command.signal('SIGINT')
      t.match(await command.ended, { code: 0, signal: null })
    })
  }
})

t.test('the name of the node comes from the file', async t => {
  const here = await machine(t)
  const command = await started(t, here, 'my service.v2.mjs', 'export default () => {}')
  const [, name] = await command.said(/^beamlet: (\S+) is up/)
  t.match(name, /^my_service_v2@[^.]+$/)
  const again = await started(t, here, 'my service.v2.mjs', 'export default () => {}')
  fails(t, await again.ended, 3, 'EPMD_NAME_TAKEN', /my_service_v2/)
})

t.test('TypeScript, by the loader of the user', async t => {
  const here = await machine(t)
  const source = `
    import { text, type Node, type Term } from 'beamlet'
    export default async (node: Node): Promise<void> => {
      await node.code.load('shout', { shout: (term: Term): string => text(term as Buffer).toUpperCase() })
    }`
  const loader = { node: ['--import=@tapjs/typescript/import'], env: { TS_NODE_TRANSPILE_ONLY: '1' } }
  const command = await started(t, here, 'shout.ts', source, ['--name', 'shout@127.0.0.1'], loader)
  await command.said(/is up/)
  const node = await here.node('peer')
  t.equal(text((await node.rpc.call('shout@127.0.0.1', 'shout', 'shout', ['hello'])) as Buffer), 'HELLO')
})

t.test('the end', async t => {
  const here = await machine(t)

  await t.test('comes also while the default export still runs', async t => {
    const command = await started(t, here, 'runs.mjs', 'export default () => new Promise(() => setInterval(() => {}, 1000))')
    await command.said(/is up/)
    command.signal('SIGTERM')
    t.match(await command.ended, { code: 0, signal: null })
  })

  const keeps = `
    import { genServer, noreply } from 'beamlet/otp'
    const keeper = genServer({
      init: () => null,
      call: { keep() { const from = this.from(); return noreply(from, from) } },
      cast: { answer: from => (from.reply('answered'), null) },
    })
    export default node => node.start(keeper, { name: 'keeper' })`

  await t.test('comes with SIGTERM when what runs has ended: it drains', async t => {
    const command = await started(t, here, 'drains.mjs', keeps, ['--name', 'drains@127.0.0.1'])
    await command.said(/is up/)
    const node = await here.node('drainer')
    const to = { name: 'keeper', node: 'drains@127.0.0.1' }
    const kept = node.call(to, atom('keep'), { timeout: 60_000 })
    await node.rpc.call(to.node, 'erlang', 'node', [], { timeout: 60_000 }) // the call has arrived
    command.signal('SIGTERM')
    await command.said(/drains@127\.0\.0\.1 drains\n/)
    node.cast(to, atom('answer'))
    t.equal(text((await kept) as Buffer), 'answered')
    t.match(await command.ended, { code: 0, signal: null, stderr: /drains\nbeamlet: drains@127\.0\.0\.1 closes\n$/ })
  })

  await t.test('comes when its time is over, with what still ran; or at once', async t => {
    const node = await here.node('waiter')
    for (const [ms, says] of [
      ['100', /drains\nbeamlet: [12] still ran after 100 ms, and (?:was|were) ended\nbeamlet: \S+ closes\n$/],
      ['0', /port \d+\nbeamlet: \S+ closes\n$/],
    ] as const) {
      const command = await started(t, here, 'ends.mjs', keeps, ['--name', 'ends@127.0.0.1', '--drain', ms])
      await command.said(/is up/)
      const kept = node
        .call({ name: 'keeper', node: 'ends@127.0.0.1' }, atom('keep'), { timeout: 60_000 })
        .catch((error: Error) => error.message)
      await node.rpc.call('ends@127.0.0.1', 'erlang', 'node', [], { timeout: 60_000 })
      command.signal('SIGTERM')
      t.match(await kept, /shutdown|noconnection/)
      t.match(await command.ended, { code: 0, signal: null, stderr: says })
    }
    const wrong = await started(t, here, 'ends.mjs', keeps, ['--drain', 'long'])
    fails(t, await wrong.ended, 2, 'CLI_USAGE', /'long' is no time for --drain/)
  })

  await t.test('comes at once with a second signal', async t => {
    const command = await started(t, here, 'clings.mjs', 'export default node => { node.close = () => new Promise(() => {}) }')
    await command.said(/is up/)
    command.signal('SIGTERM')
    await command.said(/drains/)
    command.signal('SIGTERM')
    t.match(await command.ended, { code: null, signal: 'SIGTERM' })
  })

  await t.test('comes when the file closes the node', async t => {
    const command = await started(t, here, 'leaves.mjs', 'export default node => { setTimeout(() => node.close(), 10) }')
    const { code, signal, stderr } = await command.ended
    t.strictSame([code, signal], [0, null])
    t.match(stderr, /^beamlet: \S+ is up, at port \d+\n$/)
  })

  await t.test('comes when nobody reads what it prints', async t => {
    const source = 'export default () => { setInterval(() => console.log("is anybody there?"), 10) }'
    const command = await started(t, here, 'talks.mjs', source)
    await command.said(/is up/)
    command.process.stdout?.destroy()
    t.match(await command.ended, { code: 141, signal: null })
  })
})

t.test('an application is started, and the node lives as long as it does', async t => {
  const here = await machine(t)
  const node = await here.node('peer')
  const source = `
    import { application, supervisor } from 'beamlet/otp'
    const top = supervisor({ children: [] })
    const low = application({ name: 'low', stop: () => console.log('low stopped'), start: supervisor({ children: [] }) })
    export default application({
      name: 'shop', applications: [low], stop: () => console.log('shop stopped'),
      async start() { return this.startLink(top, { name: 'top' }) },
    })`
  const start = async (name: string) => {
    const command = await started(t, here, 'shop.mjs', source, ['--name', name])
    await command.said(/is up/)
    // It may be starting still.
    for (;;) {
      const running = await node.rpc.call(name, 'application', 'which_applications', [])
      if (format(running).includes('{shop,')) return command
    }
  }
  const told = await start('told@127.0.0.1')
  told.signal('SIGTERM')
  t.match(await told.ended, { code: 0, stdout: 'shop stopped\nlow stopped\n' })
  const ends = await start('ends@127.0.0.1')
  node.send({ name: 'top', node: 'ends@127.0.0.1' }, tuple(atom('$gen_cast'), atom('odd')))
  const { code, stdout, stderr } = await ends.ended
  t.strictSame([code, stdout], [1, 'shop stopped\nlow stopped\n'])
  t.match(
    stderr,
    /The default export of .*shop\.mjs failed\. \[CLI_PROGRAM\]\n.*The permanent application 'shop' has ended, so this node closes/,
  )
})

t.test('a file that fails', async t => {
  const here = await machine(t)
  const failed = async (t: Test, file: string, source: string) => (await started(t, here, file, source)).ended

  await t.test('in its default export: the stack, and the node is closed', async t => {
    const source = 'export default async () => {\n  setInterval(() => {}, 1000)\n  throw new TypeError("oh no")\n}'
    const { code, stdout, stderr } = await failed(t, 'throws.mjs', source)
    t.strictSame([code, stdout], [1, ''])
    t.match(stderr, /beamlet: The default export of .*throws\.mjs failed\. \[CLI_PROGRAM\]\nTypeError: oh no\n {4}at .*throws\.mjs:3/)
    t.strictSame(here.server.nodes(), [])
  })

  await t.test('when it is loaded', async t => {
    const { code, stderr } = await failed(t, 'broken.mjs', 'import "./nowhere.mjs"')
    t.equal(code, 1)
    t.match(stderr, /^beamlet: .*broken\.mjs does not load\. \[CLI_PROGRAM\]\nError.*Cannot find module/)
    t.notMatch(stderr, /is up/)
  })

  await t.test('because it is none', async t => {
    const nowhere = new Beamlet(['start', 'nowhere.js'])
    fails(t, await nowhere.ended, 2, 'CLI_FILE', /There is no file nowhere\.js: look at its path/)
    fails(t, await failed(t, 'empty.mjs', 'export const answer = 42'), 2, 'CLI_FILE', /exports nothing to run/)
    fails(t, await failed(t, 'number.mjs', 'export default 42'), 2, 'CLI_FILE', /exports nothing to run/)
    fails(t, await failed(t, 'a.strange', ''), 2, 'CLI_FILE', /cannot read \.strange files by itself: give a loader/)
  })

  await t.test('in a process: it is told, and the node lives on', async t => {
    const source = 'export default node => { node.spawn(() => { throw new RangeError("only me") }) }'
    const command = await started(t, here, 'crashes.mjs', source, ['--name', 'crashes@127.0.0.1'])
    await command.said(/Error in process <0\.\d+\.\d+> on node crashes@127\.0\.0\.1: RangeError: only me/)
    t.match(await here.run(['ping', 'crashes@127.0.0.1']), { code: 0, stdout: 'pong\n' })
  })
})

t.test('--watch: its servers move to what is written, with their states, and stay where they are when that does not load', async t => {
  const here = await machine(t)
  const node = await here.node('peer')
  const source = (version: number): string => `
    import { genServer, reply } from 'beamlet/otp'
    import { step } from './lib/step.mjs'
    export const counter = genServer({
      module: import.meta.url,
      init: () => 0,
      call: { add: n => reply([${version}, n + 1, step()], n + 1) },
    })
    export default async node => void (await node.start(counter, { name: 'counter' }))
    `
  const libs = {
    'step.mjs': `import { size } from './size.mjs'\nexport const step = () => 'step ' + size`,
    'size.mjs': `export const size = 1`,
  }
  const command = await started(t, here, 'watched.mjs', source(1), ['--watch', '--name', 'watched@127.0.0.1'], {}, { lib: libs })
  const lib = (file: string, text: string): void => writeFileSync(join(t.testdirName, 'lib', file), text)
  await command.said(/is up/)
  const path = join(t.testdirName, 'watched.mjs')
  const add = async (): Promise<string> =>
    format(await node.call({ name: 'counter', node: 'watched@127.0.0.1' }, atom('add'), { timeout: 60_000 }))
  while ((await add().catch(() => '')) === '') continue
  writeFileSync(path, source(2))
  await command.said(/watched\.mjs is at version 2: 1 server has moved/)
  t.match(await add(), /^\[2,\d+,<<"step 1">>\]$/)
  writeFileSync(path, `${source(3)}\nexport const = 1\n`)
  await command.said(/watched\.mjs stays as it was: [^]*watched\.mjs:11\n/)
  t.match(await add(), /^\[2,/)
  writeFileSync(path, source(4))
  await command.said(/watched\.mjs is at version 3: 1 server has moved/)
  t.match(await add(), /^\[4,\d+,<<"step 1">>\]/)
  lib('size.mjs', `export const size = 2`)
  await command.said(/watched\.mjs is at version 4: 1 server has moved/)
  t.match(await add(), /^\[4,\d+,<<"step 2">>\]/, 'of a file that is imported by one that is imported')
  lib('size.mjs', `export const size = 3\nexport const = 1`)
  await command.said(/watched\.mjs stays as it was: [^]*lib\/size\.mjs:2\n/)
  t.match(await add(), /^\[4,\d+,<<"step 2">>\]/)
  lib('size.mjs', `export const size = 3`)
  await command.said(/watched\.mjs is at version 5: 1 server has moved/)
  t.match(await add(), /^\[4,\d+,<<"step 3">>\]/)
  command.signal('SIGTERM')
  t.match(await command.ended, { code: 0, signal: null })
})
