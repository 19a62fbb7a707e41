import t from 'tap'
import { heard, notDistribution } from '../../src/net/other-protocols.js'

t.test('who speaks, by the first bytes', async t => {
  const cases: [Buffer, string | undefined][] = [
    [Buffer.from('1503030002020a', 'hex'), 'speaks TLS'],
    [Buffer.from('1603010200', 'hex'), 'speaks TLS'],
    [Buffer.from('1503', 'hex'), 'speaks TLS'],
    [Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'speaks HTTP'],
    [Buffer.from('GET / HTTP/1.1\r\n'), 'speaks HTTP'],
    [Buffer.from('<!doctype html>'), 'speaks HTTP'],
    [Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 'speaks SSH'],
    [Buffer.from('220 mail.example.com ESMTP\r\n'), 'speaks SMTP or FTP'],
    [Buffer.from('-ERR unknown command\r\n'), 'speaks Redis'],
    [Buffer.from('RFB 003.008\n'), 'speaks VNC'],
    [Buffer.from('Welcome!\r\n'), 'says "Welcome!"'],
    [Buffer.from('000373', 'hex'), undefined],
    [Buffer.from([200, 1, 2, 3, 4]), undefined],
    [Buffer.alloc(0), undefined],
  ]
  for (const [bytes, expected] of cases) t.equal(heard(bytes), expected, JSON.stringify(bytes.toString('latin1')))
})

t.test('an error for what is no node', async t => {
  const cause = new Error('what the handshake said')
  t.match(notDistribution('h:1', Buffer.from('1503030002020a', 'hex'), cause), { code: 'NET_TLS_NEEDED', cause })
  t.match(notDistribution('h:1', Buffer.from('SSH-2.0'), cause), {
    code: 'NET_OTHER_PROTOCOL',
    says: 'What is at h:1 speaks SSH: it is no Erlang node.',
  })
  t.equal(notDistribution('h:1', Buffer.alloc(4), cause), undefined)
})
