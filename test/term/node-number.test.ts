import t from 'tap'
import { atom, hostNode, Pid, Port, Reference } from '../../src/term/index.js'

t.test('0 for a node of this program, else a number that the node keeps', async t => {
  const [here, there] = [atom('here@x'), atom('there@x')]
  const first = (identity: Pid): number => Number(/^<(\d+)\./.exec(String(identity))![1])
  const [local, remote] = [new Pid(here, 85, 1, 2), new Pid(there, 85, 1, 2)]
  const numberOfHere = first(local)
  t.ok(numberOfHere > 0)
  t.not(first(remote), numberOfHere)
  t.not(first(remote), 0)

  const unhost = hostNode(here)
  t.equal(String(local), '<0.85.1>')
  t.equal(String(new Port(here, 2n ** 40n, 2)), '#Port<0.1099511627776>')
  t.equal(String(new Reference(here, 2, [1, 2, 3])), '#Ref<0.3.2.1>')
  t.not(first(remote), 0)

  // the same name again, as when a node restarts before the old one has closed
  const unhostAgain = hostNode(here)
  unhost()
  unhost()
  t.equal(first(local), 0, 'closing twice counts once')
  unhostAgain()
  t.equal(first(local), numberOfHere)
})
