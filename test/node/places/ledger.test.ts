import t from 'tap'
import { type Signal, TermPayload } from '../../../src/dist/signal.js'
import { Ledger } from '../../../src/node/places/ledger.js'
import { type Atom, atom, Pid, Reference } from '../../../src/term/index.js'

const here = atom('here@host') as Atom
const there = atom('there@host') as Atom
const inside = new Pid(here, 65, 0, 1)
const main = new Pid(here, 64, 0, 1)
const far = new Pid(there, 7, 0, 2)
const ref = (number: number): Reference => new Reference(here, 1, [number, 0, 0])
const reason = new TermPayload(atom('lost'))
const lost = (ledger: Ledger): Signal[] => [...ledger.lost(reason)]

t.test('what began and has not ended is told when the place is lost', async t => {
  const ledger = new Ledger()
  ledger.comesIn({ op: 'link', from: far, to: inside })
  ledger.goesOut({ op: 'link', from: inside, to: main })
  ledger.comesIn({ op: 'monitor', from: far, to: { name: atom('name') as Atom, node: here }, ref: ref(1) })
  ledger.goesOut({ op: 'monitor', from: inside, to: main, ref: ref(2) })
  ledger.goesOut({ op: 'spawnReply', ref: ref(3), to: far, link: false, monitor: true, result: inside })
  ledger.comesIn({ op: 'spawnReply', ref: ref(4), to: inside, link: true, monitor: false, result: new Pid(there, 8, 0, 2) })
  t.equal(ledger.size, 6)
  t.strictSame(lost(ledger), [
    { op: 'linkExit', from: inside, to: far, reason },
    { op: 'linkExit', from: inside, to: new Pid(there, 8, 0, 2), reason },
    { op: 'down', from: { name: atom('name'), node: here }, to: far, ref: ref(1), reason },
    { op: 'down', from: inside, to: far, ref: ref(3), reason },
    { op: 'linkExit', from: inside, to: main, reason },
    { op: 'demonitor', from: inside, to: main, ref: ref(2) },
  ])
  t.strictSame(lost(ledger), [], 'once')
})

t.test('what has ended is not', async t => {
  const ledger = new Ledger()
  ledger.comesIn({ op: 'link', from: far, to: inside })
  ledger.comesIn({ op: 'unlink', id: 1n, from: far, to: inside })
  ledger.goesOut({ op: 'link', from: inside, to: main })
  ledger.goesOut({ op: 'unlink', id: 1n, from: inside, to: main })
  ledger.goesOut({ op: 'link', from: inside, to: far })
  ledger.goesOut({ op: 'linkExit', from: inside, to: far, reason })
  ledger.goesOut({ op: 'link', from: inside, to: far })
  ledger.comesIn({ op: 'linkExit', from: far, to: inside, reason })
  ledger.comesIn({ op: 'monitor', from: far, to: inside, ref: ref(1) })
  ledger.comesIn({ op: 'demonitor', from: far, to: inside, ref: ref(1) })
  ledger.comesIn({ op: 'monitor', from: far, to: inside, ref: ref(2) })
  ledger.goesOut({ op: 'down', from: inside, to: far, ref: ref(2), reason })
  ledger.goesOut({ op: 'monitor', from: inside, to: far, ref: ref(3) })
  ledger.goesOut({ op: 'demonitor', from: inside, to: far, ref: ref(3) })
  ledger.goesOut({ op: 'monitor', from: inside, to: far, ref: ref(4) })
  ledger.comesIn({ op: 'down', from: far, to: inside, ref: ref(4), reason })
  t.equal(ledger.size, 0)
  t.strictSame(lost(ledger), [])
})

t.test('nor what a lost node has ended', async t => {
  const ledger = new Ledger()
  ledger.comesIn({ op: 'link', from: far, to: inside })
  ledger.comesIn({ op: 'link', from: main, to: inside })
  ledger.nodeLost(there)
  t.equal(ledger.areLinked(inside, far), false)
  t.equal(ledger.areLinked(inside, main), true)
  t.strictSame(lost(ledger), [{ op: 'linkExit', from: inside, to: main, reason }])
})
