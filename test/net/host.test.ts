import t from 'tap'
import { addressesOf, reasonOf, unknownHost } from '../../src/net/host.js'
import { ManualClock } from './epmd-clock.js'

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`getaddrinfo ${code}`), { code })

t.test('a host without an address: a sentence for each way', async t => {
  t.match(unknownHost('web1.example.com', failure('ENOTFOUND')), [
    "The host 'web1.example.com' has no address (ENOTFOUND).",
    { remedy: 'Look at its spelling, and at its entry in DNS or /etc/hosts.' },
  ])
  t.match(unknownHost('web1', failure('ENOTFOUND')), [
    "The host 'web1' has no address (ENOTFOUND).",
    { remedy: /A short name is the host's own: this machine must know it as 'web1', without a domain\.$/ },
  ])
  t.match(unknownHost('web1', failure('EAI_AGAIN')), ["The host 'web1' could not be looked up, for no DNS server answered (EAI_AGAIN)."])
})

t.test('addresses', async t => {
  t.strictSame(await addressesOf('127.0.0.1', 1000), ['127.0.0.1'])
  t.ok((await addressesOf('localhost', 7000)).length > 0)
  const clock = new ManualClock()
  await t.rejects(addressesOf('no-such-host.invalid', 7000, clock), { code: 'NET_UNKNOWN_HOST', cause: { code: /ENOTFOUND|EAI_AGAIN/ } })
  t.same(clock.waits, [], 'no timer is left')
  const late = addressesOf('localhost', 7000, clock)
  clock.advance(7000)
  await t.rejects(late, { code: 'NET_TIMEOUT', says: "The host 'localhost' was not looked up within 7000 ms." })
})

t.test('a reason in one line', async t => {
  t.equal(reasonOf(failure('EPIPE')), 'getaddrinfo EPIPE')
  t.equal(reasonOf(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })), 'ECONNREFUSED')
})
