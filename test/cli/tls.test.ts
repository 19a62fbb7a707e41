import t from 'tap'
import { Authority, folder } from '../net/certificates.js'
import { fails } from './beamlet.js'
import { machine } from './peers.js'

t.test('--tls', async t => {
  const { write } = folder(t)
  const here = await machine(t)
  const authority = new Authority()
  const { cert, key } = authority.issue()
  const files = `{certfile, "${write('cert', cert)}"}, {keyfile, "${write('key', key)}"}, {cacertfile, "${write('ca', authority.cert)}"}, {verify, verify_peer}`
  const optfile = write('dist.conf', `[{server, [${files}, {fail_if_no_peer_cert, true}]}, {client, [${files}]}].`)
  const node = await here.node('secured', { tls: { optfile } })
  const plain = await here.node('plain')
  await node.code.load('calc', { add: (a: number, b: number) => a + b })

  t.match(await here.run(['ping', node.name, '--tls', optfile]), { code: 0, stdout: 'pong\n', stderr: '' })
  t.match(await here.run(['call', node.name, 'calc', 'add', '[1, 2]', '--tls', optfile]), { code: 0, stdout: '3\n' })
  fails(t, await here.run(['call', node.name, 'calc', 'add']), 3, 'NET_TLS_NEEDED', /speaks TLS/)
  fails(t, await here.run(['send', plain.name, 'x', 'y', '--tls', optfile]), 3, 'NET_TLS_CLOSED', /speaks no TLS/)
  fails(t, await here.run(['send', plain.name, 'x', 'y', '--tls', '/no/such.conf']), 2, 'TLS_OPTFILE', /cannot be read \(ENOENT\)/)
})
