import { hostname } from 'node:os'
import t from 'tap'
import { ownName } from '../../src/node/own-name.js'
import { checkDomain, ownNodeName, parseNodeName } from '../../src/node/node-name.js'

const here = hostname().split('.')[0]

t.test('a new name for each run', async t => {
  const names = [1, 2, 3].map(() => ownName(undefined, '127.0.0.1'))
  t.equal(new Set(names).size, 3)
  for (const name of names) t.match(name, new RegExp(`^beamlet_${process.pid}_[0-9a-f]{8}@127\\.0\\.0\\.1$`))
})

t.test('a host that fits the target', async t => {
  t.equal(ownName('probe', 'thathost'), `probe@${here}`)
  t.equal(ownName('probe', '127.1.2.3'), 'probe@127.1.2.3')
  t.equal(ownName('probe', '::1'), 'probe@::1')
  for (const target of ['10.0.0.7', 'host.example.com', '2001:db8::1', 'localhost']) {
    const own = await ownNodeName(ownName('probe', target))
    t.doesNotThrow(() => checkDomain(own.domain, parseNodeName(`erl@${target}`)), `${own.full} dials erl@${target}`)
  }
})

t.test('a host that is given stays', async t => {
  t.equal(ownName('probe@myhost', '10.0.0.7'), 'probe@myhost')
})
