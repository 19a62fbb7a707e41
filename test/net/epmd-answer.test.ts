import t from 'tap'
import type { EpmdEntry, EpmdRequest } from '../../src/dist/epmd.js'
import { answer, type EpmdAnswer } from '../../src/net/epmd-answer.js'
import { EpmdDirectory } from '../../src/net/epmd-directory.js'

const ts: EpmdEntry = { name: 'ts', port: 4001, hidden: true, highest: 6, lowest: 6, extra: Buffer.alloc(0) }
const local = { local: true, fd: 5 }
const remote = { local: false, fd: 6 }
const refused = { bytes: null, next: 'close' }

/** An EPMD that knows `ts`. */
function knowing(relaxed: boolean): (request: EpmdRequest, asker: typeof local) => EpmdAnswer {
  const directory = new EpmdDirectory(9, () => 100)
  directory.register(ts, 5)
  return (request, asker) => answer(request, asker, { directory, port: 4369, relaxed })
}

void t.test('other hosts may look up and list, and nothing else', t => {
  const ask = knowing(true)
  t.equal(ask({ op: 'portPlease2', name: 'ts' }, remote).bytes?.toString('hex'), '77000fa1480000060006000274730000')
  t.equal(ask({ op: 'names' }, remote).bytes?.toString('latin1', 4), 'name ts at port 4001\n')
  t.same(ask({ op: 'alive2', entry: { ...ts, name: 'other' } }, remote), refused)
  t.same(ask({ op: 'dump' }, remote), refused)
  t.same(ask({ op: 'kill' }, remote), refused)
  t.same(ask({ op: 'stop', name: 'ts' }, remote), refused)
  t.end()
})

void t.test('KILL ends an EPMD without nodes, and any when relaxed', t => {
  t.same(knowing(false)({ op: 'kill' }, local), { bytes: Buffer.from('NO'), next: 'close' })
  t.same(knowing(true)({ op: 'kill' }, local), { bytes: Buffer.from('OK'), next: 'shutdown' })
  const empty = { directory: new EpmdDirectory(9, () => 100), port: 4369, relaxed: false }
  t.same(answer({ op: 'kill' }, local, empty), { bytes: Buffer.from('OK'), next: 'shutdown' })
  t.end()
})

void t.test('STOP is obeyed only when relaxed', t => {
  t.same(knowing(false)({ op: 'stop', name: 'ts' }, local), refused)
  t.match(knowing(true)({ op: 'stop', name: 'ts' }, local), { bytes: Buffer.from('STOPPED'), next: 'drop', registered: { entry: ts } })
  t.same(knowing(true)({ op: 'stop', name: 'other' }, local), { bytes: Buffer.from('NOEXIST'), next: 'close' })
  t.end()
})
