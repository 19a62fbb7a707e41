import t from 'tap'
import { type Signal, TermPayload } from '../../../src/dist/signal.js'
import { Backlog } from '../../../src/node/places/backlog.js'
import { type Atom, atom, Pid } from '../../../src/term/index.js'

const node = atom('here@host') as Atom
const pid = (number: number): Pid => new Pid(node, number, 0, 1)
const to = pid(64)

/** With 10 bytes for each and 100 for all */
function setUp() {
  const processes = new Map<Pid, { readonly name: string }>()
  const ended: string[] = []
  let waiting = 0
  const backlog = new Backlog({
    limit: 10,
    max: 100,
    find: (pid: Pid) => processes.get(pid),
    overflow: process => {
      ended.push(process.name)
      for (const [pid, other] of processes) if (other === process) processes.delete(pid)
    },
  })
  const process = (name: string) => {
    const from = pid(65 + 64 * processes.size)
    processes.set(from, { name })
    const signal: Signal = { op: 'send', from, to, message: new TermPayload(null) }
    return (bytes: number): void => backlog.grew(signal, bytes, (waiting += bytes))
  }
  const drained = (): void => {
    waiting = 0
    backlog.drained()
  }
  return { process, ended, drained, backlog }
}

t.test('who has the most in it pays, whoever overflows it', async t => {
  const { process, ended } = setUp()
  const [much, some] = [process('much'), process('some')]
  much(90)
  some(9)
  t.strictSame(ended, [])
  some(20)
  t.strictSame(ended, ['much'])
  some(1)
  t.strictSame(ended, ['much', 'some'], 'what is there of a dead one is no excuse')
})

t.test('who has little in it pays for nobody, and may go on', async t => {
  const { process, ended } = setUp()
  const [much, little] = [process('much'), process('little')]
  much(100)
  for (let i = 0; i < 10; i++) little(1)
  t.strictSame(ended, [])
  much(1)
  t.strictSame(ended, ['much'])
})

t.test('when it has drained, all begin anew', async t => {
  const { process, ended, drained } = setUp()
  const [first, second] = [process('first'), process('second')]
  first(100)
  drained()
  second(90)
  first(20)
  t.strictSame(ended, ['second'])
})

t.test('what no process sent counts for none', async t => {
  const { backlog, ended } = setUp()
  backlog.grew({ op: 'send', from: pid(1), to, message: new TermPayload(null) }, 1000, 1000)
  t.strictSame(ended, [])
})
