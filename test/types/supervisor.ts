/** The arguments of a child are those that its start takes. */
import type { Node, Pid } from '../../src/index.js'
import { genServer, reply, supervisor } from '../../src/otp/index.js'

export async function use(node: Node): Promise<void> {
  const counter = genServer({ init: (start: number) => start, call: { get: n => reply(n, n) } })
  const plain = genServer({ init: () => 0 })
  const sup = supervisor({
    strategy: 'oneForOne',
    intensity: 3,
    period: 5,
    children: [
      { id: 'counter', start: counter, args: [10], restart: 'permanent' },
      { id: 'plain', start: plain },
      { id: 'code', start: { module: 'm', fun: 'f', args: [1] } },
    ],
  })
  const ref = await node.start(sup, { name: 'sup' })
  const pid: Pid | null = await ref.startChild({ id: 'more', start: counter, args: [1] })
  const nested = supervisor({ children: [{ id: 'sup', start: sup }] })
  // @ts-expect-error a number is wanted
  supervisor({ children: [{ id: 'counter', start: counter, args: ['ten'] }] })
  // @ts-expect-error the counter wants an argument
  supervisor({ children: [{ id: 'counter', start: counter }] })
  // @ts-expect-error no such strategy
  supervisor({ strategy: 'often' })
  // @ts-expect-error an argument is missing
  await ref.startChild({ id: 'more', start: counter })
  const made = supervisor((count: number) => ({ children: [{ id: count, start: counter, args: [count] }] }))
  await node.start(made, { args: [1] })
  const found = supervisor((count: number) => ({ children: [{ id: count, start: plain }] }), { module: import.meta.url })
  await node.start(found, { args: [1] })
  const { servers, vsn } = await node.code.upgrade('m', new URL('./m.js', import.meta.url), { extra: [1], timeout: 100, purge: 'soft' })
  const moved: readonly Pid[] = servers
  void [moved, vsn]
  // @ts-expect-error it is started with a count
  await node.start(made)
  void [pid, nested]
}
