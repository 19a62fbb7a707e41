/** What a node tells of itself by rpc: to be compared with a BEAM node's answers, see interop/builtins.test.ts. */
import t from 'tap'
import { atom, Pid, type Term, tuple } from '../../src/index.js'
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
  await t.rejects(ask('erlang', 'process_info', elsewhere), { code: 'ERR_RPC_ERROR', reason: atom('badarg') })
  await t.rejects(ask('erlang', 'process_info', elsewhere, atom('links')), { code: 'ERR_RPC_ERROR', reason: atom('badarg') })
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

t.test('a node without EPMD has no names to tell', async t => {
  const { start, close } = await cluster()
  t.teardown(close)
  const node = await start({ epmd: false, listen: { host: '127.0.0.1', port: 0 } })
  t.strictSame(await node.rpc.call(node.name, 'net_adm', 'names'), tuple(atom('error'), atom('address')))
})
