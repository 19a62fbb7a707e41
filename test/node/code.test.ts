/** Versions of loaded modules, here and in the other places of a node. */
import { any, atom, match, type Node, type NodeProcess, type Pid, type Term, tuple } from 'beamlet'
import t from 'tap'
import { codeFolder } from './code-folder.js'

/** A module whose processes say which version they are, and go on in the current one when they are told to. */
const source = (version: number): string => `
export const vsn = ${version}
export const version = () => ${version}
export async function loop(count) {
  for (;;) {
    const message = await this.receive()
    if (String(message) === 'move') return this.tailCall({ module: 'calc', fun: 'loop', args: [count] })
    count++
    this.send(message, [${version}, count])
  }
}
export async function hold(to) {
  this.send(to, this.pid)
  return this.receive()
}
`

const ask = async (self: NodeProcess, pid: Pid): Promise<Term> => {
  self.send(pid, self.pid)
  return self.receive(match.list([any, any]), { timeout: 20_000 }) as Promise<Term>
}

/** Number, is it current, how many run it */
const versions = async (node: Node): Promise<unknown[]> =>
  (await node.code.versions('calc')).map(({ number, current, processes }) => [number, current, processes])

const end = async (self: NodeProcess, pid: Pid): Promise<Term> =>
  (await self.receive(match([atom('DOWN'), any, any, pid, any]), { timeout: 20_000 })).elements[4]

for (const on of ['main', 'pool', 'isolated'] as const) {
  t.test(`on ${on}: new calls get the new version, and a process stays in its own until it moves`, async t => {
    const { node, write } = await codeFolder(t)
    // A place that starts later reads the file as it is then, so each version has a file of its own.
    const version = (number: number): URL => write(source(number), `calc-${number}.mjs`)
    await node.code.load('calc', version(1), { on })
    const calls = (): Promise<Term> => node.rpc.call(node.name, 'calc', 'version')
    await node.run(async self => {
      const pid = node.spawn({ module: 'calc', fun: 'loop', args: [0] }, { on })
      self.monitor(pid)
      t.strictSame(await ask(self, pid), [1, 1])
      await node.code.load('calc', version(2), { on })
      t.equal(await calls(), 2)
      t.strictSame(await ask(self, pid), [1, 2], 'it goes on in the old one')
      t.strictSame(await versions(node), [[2, true, 0], [1, false, 1]]) // prettier-ignore
      self.send(pid, 'move')
      t.strictSame(await ask(self, pid), [2, 3], 'with its state')
      t.strictSame(await versions(node), [[2, true, 1], [1, false, 0]]) // prettier-ignore
      t.equal(await node.code.softPurge('calc'), true)
      t.strictSame(await versions(node), [[2, true, 1]])

      await node.code.load('calc', version(3), { on })
      await t.rejects(node.code.load('calc', version(4), { on, purge: 'soft' }), { code: 'ERR_CODE_IN_USE' })
      t.equal(await node.code.softPurge('calc'), false)
      t.strictSame([await calls(), await ask(self, pid)], [3, [2, 4]], 'and all is as it was')
      await node.code.load('calc', version(5), { on })
      t.equal(await end(self, pid), atom('killed'), 'there is no room for a third')
      t.equal(await calls(), 5)
    })
  })
}

t.test('a place that never comes round holds up nobody, and a purge kills who computes there in the old version', async t => {
  const { node, write } = await codeFolder(t)
  const version = (number: number): URL =>
    write(
      `${source(number)}\nexport function spin(to) { this.send(to, this.pid); setImmediate(() => { for (;;); }); return this.receive() }`,
      `calc-${number}.mjs`,
    )
  await node.code.load('calc', version(1))
  await node.run(async self => {
    const pid = node.spawn({ module: 'calc', fun: 'spin', args: [self.pid] }, { on: 'isolated' })
    self.monitor(pid)
    t.equal(String(await self.receive(undefined, { timeout: 20_000 })), String(pid))
    await node.code.load('calc', version(2))
    t.equal(await node.rpc.call(node.name, 'calc', 'version'), 2)
    await t.rejects(node.code.load('calc', version(3), { purge: 'soft' }), { code: 'ERR_CODE_IN_USE' })
    await node.code.load('calc', version(3))
    t.equal(await end(self, pid), atom('killed'))
    t.equal(await node.rpc.call(node.name, 'calc', 'version'), 3)
  })
})

t.test('whoever is within a call runs its version', async t => {
  const { node, write } = await codeFolder(t)
  await node.code.load('calc', write(source(1)))
  await node.run(async self => {
    const answer = self.rpc.call(node.name, 'calc', 'hold', [self.pid])
    const [pid] = [await self.receive()]
    await node.code.load('calc', write(source(2)))
    t.strictSame(await versions(node), [[2, true, 0], [1, false, 1]]) // prettier-ignore
    self.send(pid as Pid, 7)
    t.equal(await answer, 7)
    t.strictSame(await versions(node), [[2, true, 0], [1, false, 0]]) // prettier-ignore
  })
})

t.test('purge kills who runs the old version, delete leaves the current one to those who run it', async t => {
  const { node, write } = await codeFolder(t)
  await node.code.load('calc', write(source(1)))
  t.ok(node.code.isLoaded(atom('calc') as never))
  await node.run(async self => {
    const [pid] = self.spawnMonitor({ module: 'calc', fun: 'loop', args: [0] })
    t.strictSame(await ask(self, pid), [1, 1])
    t.equal(node.code.delete('calc'), true)
    t.notOk(node.code.isLoaded(atom('calc') as never))
    await t.rejects(self.rpc.call(node.name, 'calc', 'version'), /undef/)
    t.strictSame(await ask(self, pid), [1, 2])
    t.equal(node.code.delete('calc'), false)
    t.equal(await node.code.purge('calc'), true)
    t.equal(await end(self, pid), atom('killed'))
    t.equal(await node.code.purge('calc'), false)
  })
})

t.test('a file that does not load changes nothing', async t => {
  const { node, write } = await codeFolder(t)
  await node.code.load('calc', write(source(1)))
  const before = await node.code.versions('calc')
  for (const broken of ['export const = 1', 'throw new Error("no")', 'export const none = 1'])
    await t.rejects(node.code.load('calc', write(broken)), { code: 'ERR_CODE_MODULE' })
  t.strictSame(await node.code.versions('calc'), before)
  await node.code.load('calc', write(source(2)))
  t.strictSame((await node.code.versions('calc')).map(({ vsn, number }) => [vsn, number]), [[2, 2], [1, 1]]) // prettier-ignore
})

t.test('functions given as such have versions, too', async t => {
  const { node } = await codeFolder(t)
  await node.code.load('calc', { version: () => tuple(1) })
  await node.code.load('calc', { version: () => tuple(2) })
  t.strictSame((await node.code.versions('calc')).map(({ url, vsn }) => [url, vsn]), [[null, 2], [null, 1]]) // prettier-ignore
})
