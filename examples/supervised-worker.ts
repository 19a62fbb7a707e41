/**
 * A worker that breaks at a bad job, and the supervisor that starts it again. Erlang sees all of it: the children, the exit, and its reason.
 *
 *     make start FILE=examples/supervised-worker.ts
 *
 *     $ erl -name me@127.0.0.1 -setcookie secret
 *     > [{worker, Pid, worker, _}] = supervisor:which_children({shop, 'supervised-worker@127.0.0.1'}), is_pid(Pid).
 *     true
 *     > gen_server:call({worker, 'supervised-worker@127.0.0.1'}, {divide, 42, 6}).
 *     7
 *     > {Class, {{{Error, Text}, _Stack}, _Call}} = try gen_server:call({worker, 'supervised-worker@127.0.0.1'}, {divide, 1, 0}) catch C:R -> {C, R} end, {Class, Error, Text}.
 *     {exit,'RangeError',<<"1 cannot be divided by 0">>}
 *     > [{worker, Next, worker, _}] = supervisor:which_children({shop, 'supervised-worker@127.0.0.1'}), is_pid(Next) andalso Next =/= Pid.
 *     true
 *     > gen_server:call({worker, 'supervised-worker@127.0.0.1'}, {divide, 42, 6}).
 *     7
 *     > supervisor:count_children({shop, 'supervised-worker@127.0.0.1'}).
 *     [{specs,1},{active,1},{supervisors,0},{workers,1}]
 */
import type { Node } from 'beamlet'
import { genServer, reply, supervisor } from 'beamlet/otp'

const worker = genServer({
  init: () => ({ done: 0 }),
  call: {
    divide(state, a: number, b: number) {
      if (b === 0) throw new RangeError(`${a} cannot be divided by 0`)
      return reply(a / b, { done: state.done + 1 })
    },
  },
})

const shop = supervisor({
  strategy: 'oneForOne',
  intensity: 3,
  period: 5,
  children: [{ id: 'worker', start: worker, name: 'worker', restart: 'permanent' }],
})

export default async function (node: Node): Promise<void> {
  node.on('crash', (pid, { error }) => console.log(`${String(pid)} crashed, and starts again: ${String(error)}`))
  await node.start(shop, { name: 'shop' })
}
