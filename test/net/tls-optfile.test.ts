import t from 'tap'
import { readOptfile } from '../../src/net/tls-optfile.js'
import { folder } from './certificates.js'

t.test('an optfile, as sides', async t => {
  const { write } = folder(t)
  const path = write(
    'dist.conf',
    `%% A comment
    [{server, [{certfile, "/etc/node.pem"}, {keyfile, <<"/etc/node.key">>}, {cacertfile, "/etc/ca" ".pem"}, {password, "s\u00e9same"},
               {verify, verify_peer}, {fail_if_no_peer_cert, false}, {depth, 2}, {dhfile, "/etc/dh.pem"},
               {versions, ['tlsv1.3', 'tlsv1.2', 'tlsv1.1']}, {ciphers, ["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]},
               {secure_renegotiate, true}, {reuse_sessions, false}, {ktls, true}, {crl_check, false}, {protocol, tls}, nodelay]},
     {client, [{certfile, "/etc/node.pem"}, {verify, verify_none}, {versions, ['tlsv1.2']}, {ciphers, "AES128-SHA:ECDHE-RSA-CHACHA20-POLY1305"},
               {server_name_indication, "db1"}]}].\n`,
  )
  t.strictSame(await readOptfile(path), {
    server: {
      cert: '/etc/node.pem',
      key: '/etc/node.key',
      ca: '/etc/ca.pem',
      passphrase: 's\u00c3\u00a9same',
      verify: true,
      requireCert: false,
      depth: 2,
      dhparam: '/etc/dh.pem',
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ciphers: 'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256',
    },
    client: {
      cert: '/etc/node.pem',
      verify: false,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: 'AES128-SHA:ECDHE-RSA-CHACHA20-POLY1305',
      serverName: 'db1',
    },
  })
})

t.test('defaults are those of OTP 26 and later', async t => {
  const { write } = folder(t)
  t.strictSame(await readOptfile(write('empty', '[].')), { server: { verify: false }, client: {} })
  const any = await readOptfile(write('any', '[{client, [{server_name_indication, disable}]}].'))
  t.strictSame(any, { server: { verify: false }, client: { serverName: false } })
})

t.test('the encoding is Latin-1, unless the file says otherwise', async t => {
  const { write } = folder(t)
  const text = '[{client, [{password, "\u00e9"}]}].'
  t.match((await readOptfile(write('latin1', text))).client, { passphrase: '\u00c3\u00a9' })
  t.match((await readOptfile(write('utf8', `%% coding: utf-8\n${text}`))).client, { passphrase: '\u00e9' })
})

const wrong: readonly [options: string, code: string, message: RegExp][] = [
  [
    '[{server, [{verify_fun, {inet_tls_dist, verify_client, []}}]}].',
    'TLS_OPTION',
    /verify_fun in the server part of .* Beamlet cannot do/,
  ],
  ['[{client, [{customize_hostname_check, []}]}].', 'TLS_OPTION', /customize_hostname_check in the client part/],
  ['[{client, [{crl_check, peer}]}].', 'TLS_OPTION', /crl_check .* cannot honour: peer/],
  ['[{client, [{fail_if_no_peer_cert, true}]}].', 'TLS_OPTION', /belongs to the server/],
  ['[{server, [{server_name_indication, "x"}]}].', 'TLS_OPTION', /belongs to the client/],
  ['[{server, [{verify, maybe}]}].', 'TLS_OPTION', /verify in the server part .* cannot honour: 'maybe'/],
  ['[{server, [{certfile, []}]}].', 'TLS_OPTION', /certfile/],
  ['[{server, [{depth, 256}]}].', 'TLS_OPTION', /depth/],
  ["[{server, [{versions, ['tlsv1.1']}]}].", 'TLS_OPTION', /versions/],
  ['[{server, [{versions, [dtls]}]}].', 'TLS_OPTION', /versions/],
  ['[{server, [{versions, 12}]}].', 'TLS_OPTION', /versions/],
  ['[{server, [{ciphers, []}]}].', 'TLS_OPTION', /ciphers/],
  ['[{server, [{ciphers, [{ecdhe, aes}]}]}].', 'TLS_OPTION', /ciphers/],
  ['[{server, [{ciphers, ["ROT13"]}]}].', 'TLS_CIPHERS', /no cipher 'ROT13'/],
  ['[{server, [{depth, 1}, {depth, 2}]}].', 'TLS_OPTION', /depth .* twice/],
  ['[{server, [{fail_if_no_peer_cert, true}]}].', 'TLS_OPTION', /nothing without \{verify, verify_peer\}/],
  ['[{server, [{a, b, c}]}].', 'TLS_OPTFILE', /holds what is no option: \{a,b,c\}/],
  ['[{server, []}, {server, []}].', 'TLS_OPTFILE', /'server' twice/],
  ['[{servers, []}].', 'TLS_OPTFILE', /'servers'/],
  ['[{server, none}].', 'TLS_OPTFILE', /server holds no list of options/],
  ['{server, []}.', 'TLS_OPTFILE', /the file holds no list of options/],
  ['[{server, [{certfile, os:getenv("CERT")}]}].', 'TLS_OPTFILE', /is no Erlang term; .*\(line 1, column 25\)/],
]

t.test('what cannot be honoured is refused by its name', async t => {
  const { write, path } = folder(t)
  for (const [options, code, message] of wrong) await t.rejects(readOptfile(write('wrong', options)), { code, message }, options)
  await t.rejects(readOptfile(`${path}/none`), { code: 'TLS_OPTFILE', message: /none cannot be read \(ENOENT\)/ })
})
