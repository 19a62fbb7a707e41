import t from 'tap'
import { Tls } from '../../src/net/tls.js'
import type { TlsOptions } from '../../src/net/tls-options.js'
import { Authority, folder } from './certificates.js'

const authority = new Authority()
const good = { ...authority.issue(), ca: authority.cert }
const locked = authority.issue({ passphrase: 'open sesame' })
const damaged = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

t.test('certificates and keys, as texts and as files', async t => {
  const { write } = folder(t)
  const [cert, key, ca] = [write('node.pem', good.cert), write('node.key', good.key), write('ca.pem', good.ca)]
  const both = write('both.pem', good.key + good.cert)
  const optfile = write('dist.conf', `[{server, [{certfile, "${both}"}]}, {client, [{cacertfile, "${ca}"}]}].`)
  const right: readonly TlsOptions[] = [
    good,
    { cert, key, ca },
    { cert: Buffer.from(good.cert), key: Buffer.from(good.key), ca: Buffer.from(good.ca) },
    { cert: both, ca },
    { ...locked, passphrase: 'open sesame', ca },
    { ca, server: { cert, key } },
    { cert, key, verify: false },
    { optfile },
  ]
  for (const options of right) await t.resolves(Tls.open(options, { listens: true }))
  await t.resolves(Tls.open({ ca }, { listens: false }), 'who is not dialled needs no certificate')
})

const key = authority.issue().key
const wrong: readonly [options: TlsOptions, code: string, message: RegExp][] = [
  [{ ca: good.ca }, 'TLS_MISSING', /give tls\.server a cert and a key/],
  [{ cert: good.cert, key: good.key }, 'TLS_MISSING', /give tls\.client a ca \(cacertfile\), or say verify: false/],
  [{ ...good, server: { ca: undefined } }, 'TLS_MISSING', /give tls\.server a ca/],
  [{ cert: good.cert, ca: good.ca }, 'TLS_MISSING', /tls\.client\.key holds a certificate and no key/],
  [{ ...good, cert: '/no/such.pem' }, 'TLS_FILE', /tls\.client\.cert, '\/no\/such\.pem', cannot be read \(ENOENT\)/],
  [{ ...good, ca: '/' }, 'TLS_FILE', /tls\.client\.ca, '\/', cannot be read \(EISDIR\)/],
  [{ ...good, ca: '/etc/hostname' }, 'TLS_PEM', /\/etc\/hostname holds no certificate in PEM/],
  [{ ...good, cert: key }, 'TLS_PEM', /tls\.client\.cert holds no certificate in PEM/],
  [{ ...good, ca: good.ca + damaged }, 'TLS_PEM', /A certificate in tls\.client\.ca is damaged/],
  [{ ...good, cert: damaged }, 'TLS_PEM', /A certificate in tls\.client\.cert is damaged/],
  [{ ...good, key: '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n' }, 'TLS_PEM', /The key of tls\.client is damaged/],
  [{ ...good, key }, 'TLS_KEY_MISMATCH', /The key of tls\.client is not that of its certificate/],
  [{ ...locked, ca: good.ca }, 'TLS_PASSPHRASE', /is encrypted: give its passphrase/],
  [{ ...locked, ca: good.ca, passphrase: 'open barley' }, 'TLS_PASSPHRASE', /does not open with that passphrase/],
  [{ ...good, ciphers: 'ROT13' }, 'TLS_CIPHERS', /no such cipher among 'ROT13'/],
  [{ ...good, minVersion: 'SSLv2' as never }, 'TLS_OPTION', /OpenSSL does not take what tls\.client says: .*SSLv2/],
  [{ ...good, optfile: 'dist.conf' }, 'TLS_OPTION', /tls\.optfile says everything: leave tls\.\w+ out/],
]

t.test('what is wrong with them is told before anybody listens', async t => {
  for (const [options, code, message] of wrong) await t.rejects(Tls.open(options, { listens: true }), { code, message }, String(message))
})
