/** What a module imports, when it is loaded again: what has changed is read anew, and what has not is shared. */
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { Node } from 'beamlet'
import type { GenServer } from 'beamlet/otp'
import { uniqueName } from './support.js'

interface Given {
  readonly node: Node
  write(file: string, text: string): URL
  /** The value of `calc:value()`, as text */
  value(): Promise<string>
}

async function given(t: Test, schedulers: { count: number; execArgv?: string[] } = { count: 1, execArgv: [] }): Promise<Given> {
  const folder = t.testdir()
  const node = await Node.start({
    name: uniqueName(),
    cookie: 'secret',
    epmd: false,
    listen: false,
    schedulers: { ...schedulers, spare: false },
  })
  node.on('crash', () => {})
  t.teardown(() => node.close())
  return {
    node,
    write(file, text) {
      mkdirSync(dirname(`${folder}/${file}`), { recursive: true })
      writeFileSync(`${folder}/${file}`, text)
      return pathToFileURL(`${folder}/${file}`)
    },
    value: async () => String(await node.rpc.call(node.name, 'calc', 'value')),
  }
}

/** Counts how often it was evaluated, in the whole OS process. */
const counted = (key: string, text: string): string => `globalThis['${key}'] = (globalThis['${key}'] ?? 0) + 1\n${text}`

t.test(
  'a change in a file that is imported, also by one that is imported, is there after the next load; what has not changed is shared',
  async t => {
    const { node, write, value } = await given(t)
    const key = `deep ${node.name}`
    write('shared.mjs', counted(key, `export const shared = 's'; export const count = () => globalThis['${key}']`))
    write('lib/deep.mjs', `export const deep = 1`)
    write(
      'middle.mjs',
      `import { deep } from './lib/deep.mjs'\nimport { shared } from './shared.mjs'\nexport const middle = () => deep + shared`,
    )
    const url = write(
      'calc.mjs',
      `import { middle } from './middle.mjs'; import { count } from './shared.mjs'
     export const value = async () => middle() + count() + (await import('./late.mjs')).late`,
    )
    write('late.mjs', `export const late = 'a'`)
    await node.code.load('calc', url)
    t.equal(await value(), '1s1a')
    write('lib/deep.mjs', `export const deep = 2`)
    t.equal(await value(), '1s1a', 'nothing is read before it is loaded')
    await node.code.load('calc', url)
    t.equal(await value(), '2s1a')
    await node.code.reload('calc')
    t.equal(await value(), '2s1a')
    write('lib/deep.mjs', `export const deep = 3`)
    write('late.mjs', `export const late = 'b'`)
    await node.code.reload('calc')
    t.equal(await value(), '3s1b', 'what it imports later, too')
    write('shared.mjs', counted(key, `export const shared = 'z'; export const count = () => globalThis['${key}']`))
    await node.code.reload('calc')
    t.equal(await value(), '3z2b', 'all that import it get the one that is new')
    t.strictSame(
      (await node.code.versions('calc')).map(({ number }) => number),
      [5, 4],
    )
  },
)

t.test('how much text each version had read is told: its own, and that of files which came with it', async t => {
  const { node, write } = await given(t)
  const bytes = async () => (await node.code.versions('calc')).map(({ bytes }) => bytes)
  const [dep, calc] = [`export const dep = 'ä'`, `import { dep } from './dep.mjs'\nexport const value = () => dep`]
  write('dep.mjs', dep)
  const url = write('calc.mjs', calc)
  await node.code.load('calc', url)
  t.strictSame(await bytes(), [Buffer.byteLength(calc) + Buffer.byteLength(dep)])
  await node.code.reload('calc')
  t.strictSame(await bytes(), [calc.length, Buffer.byteLength(calc) + Buffer.byteLength(dep)], 'what it imports is shared')
  write('dep.mjs', `export const dep = 2`)
  await node.code.reload('calc')
  t.strictSame(await bytes(), [calc.length + 20, calc.length])
  await node.code.reload('calc')
  t.strictSame(await bytes(), [calc.length, calc.length + 20])
  await node.code.load('calc', { value: () => 1 })
  t.strictSame(await bytes(), [0, calc.length])
  const data = 'data:text/javascript,export const value = () => 1'
  await node.code.load('calc', data)
  t.strictSame(await bytes(), [data.length, 0])
})

t.test('the version before keeps what it has, and what is written back is what it was', async t => {
  const { node, write, value } = await given(t)
  write('dep.mjs', `export const dep = 1`)
  const url = write(
    'calc.mjs',
    `import { dep } from './dep.mjs'\nexport const value = () => dep\nexport async function stays() { await this.receive(); return dep }`,
  )
  await node.code.load('calc', url)
  const stays = node.rpc.call(node.name, 'calc', 'stays', [], { timeout: 60_000 })
  const killed = t.rejects(stays, { code: 'ERR_RPC_EXIT' })
  await new Promise(resolve => setImmediate(resolve))
  write('dep.mjs', `export const dep = 2`)
  await node.code.reload('calc')
  t.equal(await value(), '2')
  write('dep.mjs', `export const dep = 1`)
  await node.code.reload('calc', { purge: 'kill' })
  t.equal(await value(), '1')
  await killed
})

t.test('files that import each other', async t => {
  const { node, write, value } = await given(t)
  write('a.mjs', `import { b } from './b.mjs'\nexport const a = 1\nexport const sum = () => a + b`)
  write('b.mjs', `import { a } from './a.mjs'\nexport const b = 10\nexport const back = () => a`)
  const url = write('calc.mjs', `import { sum } from './a.mjs'; import { back } from './b.mjs'\nexport const value = () => [sum(), back()]`)
  await node.code.load('calc', url)
  t.equal(await value(), '11,1')
  write('a.mjs', `import { b } from './b.mjs'\nexport const a = 2\nexport const sum = () => a + b`)
  await node.code.reload('calc')
  t.equal(await value(), '12,2', 'one of each, and both the new one')
  write('b.mjs', `import { a } from './a.mjs'\nexport const b = 20\nexport const back = () => a`)
  await node.code.reload('calc')
  t.equal(await value(), '22,2')
})

t.test('a file that does not load leaves all as it is, and is read again when it is mended', async t => {
  const { node, write, value } = await given(t)
  write('dep.mjs', `export const dep = 1`)
  const url = write('calc.mjs', `import { dep } from './dep.mjs'\nexport const value = () => dep`)
  await node.code.load('calc', url)
  for (const broken of ['export const = 2', 'throw new Error("no")', 'export const other = 1']) {
    write('dep.mjs', broken)
    await t.rejects(node.code.reload('calc'), { code: 'ERR_CODE_MODULE' }, broken)
    t.equal(await value(), '1')
  }
  write('dep.mjs', `export const dep = 2`)
  await node.code.reload('calc')
  t.equal(await value(), '2')
})

t.test('packages are shared, by whichever way they come; a file behind a link is followed', async t => {
  const { node, write, value } = await given(t)
  const key = `package ${node.name}`
  write('node_modules/pack/package.json', '{"name":"pack","type":"module","exports":"./index.js"}')
  const pack = (text: string): URL => write('node_modules/pack/index.js', counted(key, text))
  pack(`export const pack = 'p'`)
  const real = write('real/linked.mjs', `export const linked = 1`)
  write('calc.mjs', '')
  symlinkSync(real, new URL('../linked.mjs', real))
  const url = write(
    'calc.mjs',
    `import { pack } from 'pack'; import * as same from './node_modules/pack/index.js'; import { linked } from './linked.mjs'
     import { Node } from 'beamlet'
     export const value = () => [pack, same.pack, linked, globalThis['${key}'], Node === globalThis['${key} node']]`,
  )
  ;(globalThis as Record<string, unknown>)[`${key} node`] = Node
  await node.code.load('calc', url)
  t.equal(await value(), 'p,p,1,1,true')
  pack(`export const pack = 'q'`)
  write('real/linked.mjs', `export const linked = 2`)
  await node.code.reload('calc')
  t.equal(await value(), 'p,p,2,1,true')
})

t.test('in every place, and by an upgrade of what the program itself has imported', async t => {
  const { node, write } = await given(t, { count: 2, execArgv: [] })
  const source = (version: number): string => `
    import { genServer, reply } from 'beamlet/otp'
    import { dep } from './dep.mjs'
    export const vsn = ${version}
    export const server = genServer({ module: import.meta.url, init: () => 0, call: { get: n => reply(dep, n) } })`
  write('dep.mjs', `export const dep = 1`)
  const url = write('calc.mjs', source(1))
  const { server } = (await import(url.href)) as { server: GenServer<[], any, any, any> }
  const refs = [await node.start(server, {}), await node.start(server, { on: 'pool' }), await node.start(server, { on: 'isolated' })]
  const all = async (): Promise<unknown[]> => Promise.all(refs.map(async ref => ref.with({ timeout: 60_000 }).call('get')))
  t.strictSame(await all(), [1, 1, 1])
  // The clock of files is coarser than the one that says when the module was imported.
  for (const now = Date.now(), dep = new URL('./dep.mjs', url); statSync(dep).ctimeMs <= now;) write('dep.mjs', `export const dep = 2`)
  await node.code.upgrade('calc', url, { timeout: 60_000 })
  t.strictSame(await all(), [2, 2, 2])
  write('dep.mjs', `export const dep = 3`)
  await node.code.upgrade('calc', url, { timeout: 60_000 })
  t.strictSame(await all(), [3, 3, 3])
})

t.test('TypeScript, by whatever loads it', async t => {
  const { node, write, value } = await given(t, { count: 1 })
  write('dep.ts', `export const dep: number = 1`)
  const url = write('calc.ts', `import { dep } from './dep.js'\nexport const value = (): number => dep`)
  await node.code.load('calc', url)
  t.equal(await value(), '1')
  write('dep.ts', `export const dep: number = 2`)
  await node.code.reload('calc')
  t.equal(await value(), '2')
})
