import t from 'tap'
import type { Kernel } from '../../src/node/kernel.js'
import { PidOutlet } from '../../src/observer/tracing/outlet.js'
import { atom, format, Pid, type Term } from '../../src/term/index.js'

t.test('while the way to who traces is busy nothing is kept, and then it is told how much it missed', async t => {
  const sent: string[] = []
  let isFree = false
  let drained = (): void => {}
  const kernel = {
    send: (_to: Pid, event: Term) => sent.push(format(event)) > 0 && isFree,
    drained: () => new Promise<void>(resolve => (drained = resolve)),
  }
  const outlet = new PidOutlet(kernel as unknown as Kernel, new Pid(atom('far@away'), 64, 0, 4))
  for (const event of [1, 2, 3]) outlet.take(event)
  t.strictSame(sent, ['1'])
  isFree = true
  drained()
  await Promise.resolve()
  outlet.take(4)
  t.strictSame(sent, ['1', '{drop,2}', '4'])
})
