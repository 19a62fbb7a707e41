/** Calls and casts of a genStatem are those of any of its states. */
import type { Atom, Node } from '../../src/index.js'
import { atom } from '../../src/index.js'
import { genStatem, keep, next, reply } from '../../src/otp/index.js'

export async function use(node: Node): Promise<void> {
  const door = genStatem({
    init: (code: number) => next('locked', { code }),
    states: {
      locked: { call: { enter: (data, code: number) => reply(code === data.code, next('open', data)) } },
      open: {
        call: { enter: data => keep(data, { postpone: true }), count: data => reply(data.code, keep(data)) },
        cast: { lock: data => next('locked', data) },
      },
    },
    handleEvent: (event, _state, data) => (event.type === 'call' ? reply(atom('no'), keep(data)) : keep(data)),
  })
  const ref = await node.start(door, { args: [1] })
  const entered: boolean = await ref.call('enter', 1)
  const count: number = await ref.call('count')
  ref.cast('lock')
  // @ts-expect-error no such call
  await ref.call('leave')
  // @ts-expect-error no such cast
  ref.cast('enter')
  // @ts-expect-error init wants a number
  await node.start(door)
  const atoms: Atom = atom('x')
  void [entered, count, atoms]
}
