import t from 'tap'
import { tlsFault, tlsSilence } from '../../src/net/tls-faults.js'

const peers = { dialled: { remoteAddress: '10.0.0.1:4711', dialled: 'host' }, dials: { remoteAddress: '10.0.0.1:4711', dialled: null } }

const coded = (code: string): Error => Object.assign(new Error(code), { code })
/** As OpenSSL words it: 3.0 and 3.5 name the alerts differently, and number them alike. */
const alert = (number: number): Error =>
  new Error(`error:0A000${number}:SSL routines:ssl3_read_bytes:an alert:rec.c:1601:SSL alert number ${number}\n`)

const codes: readonly [cause: Error | undefined, code: string][] = [
  [undefined, 'NET_TLS_CLOSED'],
  [coded('ECONNRESET'), 'NET_TLS_CLOSED'],
  [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'NET_TLS_PLAIN'],
  [coded('ERR_SSL_UNSUPPORTED_PROTOCOL'), 'NET_TLS_VERSION'],
  [coded('ERR_SSL_NO_SHARED_CIPHER'), 'NET_TLS_CIPHERS'],
  [coded('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE'), 'NET_TLS_NO_CERT'],
  [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'NET_TLS_HOST_NAME'],
  [coded('CERT_HAS_EXPIRED'), 'NET_TLS_EXPIRED'],
  [coded('CERT_NOT_YET_VALID'), 'NET_TLS_EXPIRED'],
  [coded('INVALID_PURPOSE'), 'NET_TLS_PURPOSE'],
  [coded('CERT_CHAIN_TOO_LONG'), 'NET_TLS_UNTRUSTED'],
  [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'NET_TLS_UNTRUSTED'],
  [coded('ERR_SSL_SOMETHING_ELSE'), 'NET_TLS_FAILED'],
  ...[40, 42, 43, 44, 45, 46, 48, 49, 51, 80].map((number): [Error, string] => [alert(number), 'NET_TLS_REFUSED']),
  [alert(70), 'NET_TLS_VERSION'],
  [alert(71), 'NET_TLS_CIPHERS'],
  [alert(116), 'NET_TLS_NO_CERT'],
]

t.test('each cause has a code, names the peer, and says what to do, on both sides', async t => {
  for (const peer of Object.values(peers)) {
    for (const [cause, code] of codes) {
      const fault = tlsFault(cause, peer)
      t.match(fault, { code, cause, says: /10\.0\.0\.1:4711/, remedy: /^[A-Z].*\.$/ })
    }
    t.match(tlsSilence(peer, 7000), { code: 'NET_TLS_SILENT', says: /within 7000 ms\.$/, remedy: /^It hangs/ })
  }
})

t.test('the two sides are told apart', async t => {
  const both = (cause: Error | undefined): (string | undefined)[] =>
    [tlsFault(cause, peers.dialled), tlsFault(cause, peers.dials)].map(({ message }) => message)
  const [dialled, dials] = both(alert(40))
  t.match(dialled, /demands a certificate of this node/)
  t.match(dials, /not for the host that was dialled/)
  t.match(both(undefined), [/speaks no TLS/, /^((?!speaks no TLS).)*$/])
  t.match(both(coded('INVALID_PURPOSE')), [/lacks serverAuth/, /lacks clientAuth/])
  t.match(both(coded('ERR_SSL_WRONG_VERSION_NUMBER')), [/What is at 10/, /dialled without TLS/])
})
