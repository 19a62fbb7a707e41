/** `beamlet doctor` and TLS: real nodes with -proto_dist inet_tls. */
import t from 'tap'
import { startEpmd } from '../src/interop/index.js'
import { Authority, type CertificateOptions, type Folder, folder } from '../test/net/certificates.js'
import { plain } from '../test/diagnosed.js'
import { at, cookie } from './support/command.js'
import { eachOtp } from './support/each-otp.js'

const authority = new Authority()

function optfile({ write }: Folder, name: string, options: CertificateOptions = {}): string {
  const { cert, key } = authority.issue(options)
  const own = `{certfile, "${write(`${name}.pem`, cert)}"}, {keyfile, "${write(`${name}.key`, key)}"}, {cacertfile, "${write('ca.pem', authority.cert)}"}`
  const client = `{client, [${own}, {verify, verify_peer}]}`
  return write(`${name}.conf`, `[{server, [${own}, {verify, verify_peer}, {fail_if_no_peer_cert, true}]}, ${client}].\n`)
}

t.test('doctor and TLS', async t => {
  const made = folder(t)
  await eachOtp(t, async (t, { otp, start }) => {
    await using epmd = await startEpmd({ otp })
    const run = at(epmd.port)
    const good = optfile(made, 'good')
    const tls = (file: string) => start({ epmdPort: epmd.port, cookie, args: ['-proto_dist', 'inet_tls', '-ssl_dist_optfile', file] })
    const beam = await tls(good)
    const doctor = async (...args: string[]): Promise<{ code: number | null; said: string }> => {
      const { code, stdout, stderr } = await run('doctor', ...args)
      t.equal(stderr, '')
      return { code, said: plain(stdout) }
    }

    await t.test('a node with TLS, and a doctor with the same optfile', async t => {
      const { code, said } = await doctor(beam.name, '--tls', good)
      t.equal(code, 0)
      t.match(
        said,
        /\nok {6}port .*\nok {6}tls {9}TLSv1\.[23] with TLS_\w+; the certificate of CN=127\.0\.0\.1 is for DNS:127\.0\.0\.1, IP Address:127\.0\.0\.1, from CN=Beamlet test authority, valid until \d{4}-\d\d-\d\d\.\nok {6}handshake .*(?:\nok .*)+\n$/,
      )
    })

    await t.test('a node with TLS, and a doctor without', async t => {
      beam.expectLog(/TLS|tls/)
      const { code, said } = await doctor(beam.name)
      t.equal(code, 3)
      t.match(said, /\nok {6}port .*\nfailed {2}tls .*speaks TLS.* \[NET_TLS_NEEDED\]\n/)
    })

    await t.test('a node without TLS, and a doctor with it', async t => {
      const bare = await start({ epmdPort: epmd.port, cookie })
      const { code, said } = await doctor(bare.name, '--tls', good, '--timeout', '1000')
      t.equal(code, 3)
      t.match(said, /\nok {6}port .*\nfailed {2}tls .*did not finish TLS within 1000 ms.* \[NET_TLS_SILENT\]\n/)
    })

    await t.test('a certificate that has expired, and one for another host', async t => {
      const lastYear = new Date(Date.now() - 365 * 86_400_000)
      const old = await tls(optfile(made, 'old', { notBefore: new Date(lastYear.getTime() - 86_400_000), notAfter: lastYear }))
      old.expectLog(/TLS|tls/)
      t.match((await doctor(old.name, '--tls', good)).said, /\nfailed {2}tls .*has expired.* \[NET_TLS_EXPIRED\]\n/)
      const other = await tls(optfile(made, 'other', { hosts: ['other.example.com'] }))
      other.expectLog(/TLS|tls/)
      t.match((await doctor(other.name, '--tls', good)).said, /\nfailed {2}tls .*other\.example\.com.* \[NET_TLS_HOST_NAME\]\n/)
    })
  })
})
