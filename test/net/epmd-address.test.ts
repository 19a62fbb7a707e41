import t from 'tap'
import { epmdPort, isLocalPeer, listenAddresses } from '../../src/net/epmd-address.js'

void t.test('the port is the one given, else ERL_EPMD_PORT, else 4369', t => {
  t.equal(epmdPort(4000, { ERL_EPMD_PORT: '5000' }), 4000)
  t.equal(epmdPort(undefined, { ERL_EPMD_PORT: '5000' }), 5000)
  t.equal(epmdPort(undefined, {}), 4369)
  for (const port of ['', 'x', '0', '65536', '1.5']) {
    t.throws(() => epmdPort(undefined, { ERL_EPMD_PORT: port }), { code: 'EPMD_PORT', message: /ERL_EPMD_PORT=/ }, `'${port}'`)
  }
  t.throws(() => epmdPort(70000, {}), { code: 'EPMD_PORT', message: /70000/ })
  t.end()
})

void t.test('a server listens at the loopback, and where ERL_EPMD_ADDRESS says', t => {
  t.same(listenAddresses(undefined, {}), ['127.0.0.1', '::1'])
  t.same(listenAddresses(undefined, { ERL_EPMD_ADDRESS: '10.0.0.7, 10.0.0.8' }), ['127.0.0.1', '::1', '10.0.0.7', '10.0.0.8'])
  t.same(listenAddresses('10.0.0.7', { ERL_EPMD_ADDRESS: '0.0.0.0' }), ['127.0.0.1', '::1', '10.0.0.7'])
  t.same(listenAddresses('0.0.0.0', {}), ['0.0.0.0', '::1'])
  t.same(listenAddresses(['0.0.0.0', '::'], {}), ['0.0.0.0', '::'])
  t.same(listenAddresses(['127.0.0.1', '::1'], {}), ['127.0.0.1', '::1'])
  t.throws(() => listenAddresses('myhost', {}), { code: 'EPMD_LISTEN', message: /myhost/ })
  t.end()
})

void t.test('local is what comes from the loopback, or from the address it dialled', t => {
  t.ok(isLocalPeer('127.0.0.1', '127.0.0.1'))
  t.ok(isLocalPeer('127.9.9.9', '127.0.0.1'))
  t.ok(isLocalPeer('::ffff:127.0.0.1', '::ffff:127.0.0.1'))
  t.ok(isLocalPeer('::1', '::1'))
  t.ok(isLocalPeer('10.0.0.7', '10.0.0.7'), 'this host, by its own address')
  t.notOk(isLocalPeer('10.0.0.8', '10.0.0.7'))
  t.notOk(isLocalPeer('::ffff:10.0.0.8', '::ffff:10.0.0.7'))
  t.notOk(isLocalPeer('fe80::127.0.0.1', '::1'))
  t.notOk(isLocalPeer(undefined, undefined), 'a socket that has gone')
  t.end()
})
