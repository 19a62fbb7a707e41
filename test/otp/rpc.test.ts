/** Remote calls between TypeScript nodes, and what rex does besides. */
import t from 'tap'
import { atom, format, type NodeProcess, type Pid, type RpcError, tuple } from '../../src/index.js'
import { cluster } from '../node/support.js'

t.test('each class of error', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [node, far] = [await start(), await start()]
  await far.code.load('m', {
    async die(this: NodeProcess) {
      this.exit(this.pid, atom('kill'))
      await this.receive()
    },
    give: (x: number) => x,
  })
  for (const target of [far, node]) {
    if (target === node) await node.code.load('m', { die: () => Promise.reject(new Error('other')), give: (x: number) => x })
    const failure = (fun: string): Promise<RpcError> =>
      node.rpc
        .call(target.name, 'm', fun)
        .then(value => Promise.reject(new Error(format(value))))
        .catch((error: RpcError) => error)
    const { class: kind, signal } = await failure('die')
    t.strictSame([kind, signal], target === far ? ['exit', true] : ['error', false])
    t.match(await failure('none'), { class: 'error', reason: atom('undef'), signal: false })
    t.equal(await node.rpc.blockCall(target.name, 'm', 'give', [1]), 1)
  }
  const abort = AbortSignal.abort(new Error('enough'))
  await t.rejects(node.rpc.multicall([far.name], 'm', 'give', [1], { signal: abort }), /enough/)
  await t.rejects(node.rpc.sbcast('x', 1, [far.name], { signal: abort }), /enough/)
  await t.rejects(node.rpc.multicall([far.name], 'm', 'give', [() => {}] as never), { code: /^ETF_/ })
})

t.test('rex runs block calls one after the other, and prints for C nodes', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const printed: string[] = []
  const [node, far] = [await start(), await start({ output: text => printed.push(text) })]
  const order: number[] = []
  await far.code.load('m', {
    async step(n: number) {
      order.push(n)
      await new Promise(resolve => setImmediate(resolve))
      order.push(n)
      return n
    },
    async print(this: NodeProcess) {
      this.send(this.groupLeader, tuple(atom('io_request'), this.pid, 1, tuple(atom('put_chars'), atom('unicode'), 'text')))
      await this.receive()
    },
  })
  await Promise.all([1, 2, 3].map(n => node.rpc.blockCall(far.name, 'm', 'step', [n])))
  t.strictSame(order, [1, 1, 2, 2, 3, 3])
  await node.run(async self => {
    const call = (leader: string | Pid): void =>
      void self.send({ name: 'rex', node: far.name }, tuple(self.pid, tuple(atom('call'), atom('m'), atom('print'), [], typeof leader === 'string' ? atom(leader) : leader))) // prettier-ignore
    call('send_stdout_to_caller')
    t.equal(format(await self.receive()), '{rex_stdout,<<"text">>}')
    t.equal(format(await self.receive()), '{rex,ok}')
    t.strictSame(printed, [])
    call('user')
    t.equal(format(await self.receive()), '{rex,ok}')
    t.strictSame(printed, ['text'])
  })
})
