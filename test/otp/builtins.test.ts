/** What a node tells of itself by rpc: to be compared with a BEAM node's answers, see interop/builtins.test.ts. */
import t from 'tap'
import { atom, match, Pid, type Term, tuple } from '../../src/index.js'
import { cluster } from '../node/support.js'

t.test('what is told of processes, and what is not', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const [node, far] = [await start(), await start()]
  const ask = (module: string, fun: string, ...args: Term[]): Promise<Term> => node.rpc.call(far.name, module, fun, args)
  const held = far.spawn(async self => void (await self.receive()), { name: 'held' })
  t.strictSame(await ask('erlang', 'process_info', held, atom('registered_name')), tuple(atom('registered_name'), atom('held')))
  t.strictSame(await ask('erlang', 'process_info', held, [atom('links'), atom('memory')]), [tuple(atom('links'), []), tuple(atom('memory'), 0)]) // prettier-ignore
  t.equal(await ask('erlang', 'is_process_alive', held), true)
  const elsewhere = new Pid(held.node, held.id | 1, held.serial, held.creation)
  t.equal(await ask('erlang', 'process_info', elsewhere), atom('undefined'), 'there is no such place')
  t.equal(await ask('erlang', 'process_info', elsewhere, atom('links')), atom('undefined'))
  const before = new Pid(held.node, held.id, held.serial, held.creation - 1)
  t.equal(await ask('erlang', 'process_info', before), atom('undefined'), 'one of an earlier life of the node')
  t.equal(await ask('erlang', 'is_process_alive', before), false)
  for (const [module, fun, ...args] of [
    ['erlang', 'halt'],
    ['erlang', 'exit', held, atom('kill')],
    ['erlang', 'unregister', atom('held')],
    ['erlang', 'get_cookie'],
    ['erlang', 'disconnect_node', atom(node.name)],
    ['net_kernel', 'stop'],
    ['pg', 'join', 1, held],
  ] as const) {
    await t.rejects(ask(module, fun, ...args), { code: 'ERR_RPC_ERROR', reason: atom('undef') }, `${module}:${fun}`)
  }
  t.equal(await far.isAlive(held), true)
  await t.rejects(far.code.load('erlang', { node: () => 1 }), { code: 'ERR_CODE_RESERVED' })
  far.pg.join('x', held)
  t.strictSame(await ask('pg', 'get_members', Buffer.from('x')), [held])
  t.strictSame(await ask('pg', 'which_groups'), [Buffer.from('x')])
  t.strictSame(await ask('pg', 'get_members', atom('nowhere'), 1), [])
  t.strictSame(far.registered().includes('nowhere'), false, 'asking for a scope starts none')
})

t.test('messages that wait, a label, and what is in the dictionary', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start()
  const ask = (module: string, fun: string, ...args: Term[]): Promise<Term> => node.rpc.call(node.name, module, fun, args)
  const never = match(atom('never'))
  const pid = node.spawn(async self => {
    self.label = tuple(atom('shop'), 7)
    self.send(self.pid, 'first')
    self.send(self.pid, 'second')
    await self.receive(never)
  })
  const info = (item: Term): Promise<Term> => ask('erlang', 'process_info', pid, item)
  t.strictSame(await info(atom('messages')), tuple(atom('messages'), [Buffer.from('first'), Buffer.from('second')]))
  t.strictSame(await info(atom('label')), tuple(atom('label'), tuple(atom('shop'), 7)))
  t.strictSame(await ask('proc_lib', 'get_label', pid), tuple(atom('shop'), 7))
  const key = tuple(atom('dictionary'), atom('$process_label'))
  t.strictSame(await info([key, tuple(atom('dictionary'), 1)]), [tuple(key, tuple(atom('shop'), 7)), tuple(tuple(atom('dictionary'), 1), atom('undefined'))]) // prettier-ignore
  await t.rejects(info([tuple(atom('dictionary'), 1, 2)]), { code: 'ERR_RPC_ERROR', reason: atom('badarg') })
  node.exit(pid, atom('kill'))
  t.equal(await ask('proc_lib', 'get_label', pid), atom('undefined'))
})

t.test('a node without EPMD has no names to tell', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start({ epmd: false, listen: { host: '127.0.0.1', port: 0 } })
  t.strictSame(await node.rpc.call(node.name, 'net_adm', 'names'), tuple(atom('error'), atom('address')))
})
