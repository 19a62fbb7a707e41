import t from 'tap'
import { inText } from '../../src/cli/doctor.js'
import { plain } from '../diagnosed.js'
import { machine } from './peers.js'

t.test('a node that answers', async t => {
  const here = await machine(t)
  const node = await here.node('patient')
  const { code, stdout, stderr } = await here.run(['doctor', node.name, '--timeout', 'infinity'])
  t.strictSame([code, stderr], [0, ''])
  t.equal(
    plain(stdout),
    [
      'ok      name        patient@127.0.0.1 has a long name, and so has this node, beamlet_NEW@127.0.0.1.',
      'ok      host        127.0.0.1 is an address.',
      'ok      epmd        EPMD at 127.0.0.1:PORT knows patient: a hidden node at port PORT, of protocol 6 to 6.',
      'ok      port        127.0.0.1:PORT takes the connection.',
      'ok      tls         The connection is a plain one, without TLS.',
      'ok      handshake   patient@127.0.0.1 answers ok; its creation is CREATION.',
      'ok      flags       26 flags, as OTP 29 or later has them: all that must be, and all that Beamlet uses.',
      "ok      cookie      The cookies agree; this node's is from BEAMLET_COOKIE.",
      'ok      visibility  The connection is hidden, for both nodes are: nodes() does not list it, nodes(hidden) does.',
      'ok      ping        A ping is answered: pong.',
      '',
    ].join('\n'),
  )
  t.match(stdout, / takes the connection\. \(\d+(?:\.\d)? ms\)\n/, 'each step tells its time')
})

t.test('one that does not', async t => {
  const here = await machine(t)
  await here.register('patient', 4001)
  const { code, stdout, stderr } = await here.run(['doctor', 'patent@127.0.0.1'])
  t.strictSame([code, stderr], [3, ''])
  t.equal(
    plain(stdout),
    [
      'ok      name        patent@127.0.0.1 has a long name, and so has this node, beamlet_NEW@127.0.0.1.',
      'ok      host        127.0.0.1 is an address.',
      "failed  epmd        EPMD at 127.0.0.1:PORT knows no node 'patent'; it knows patient. [EPMD_NO_SUCH_NODE]",
      '                    Did you mean patient?',
      '-       port        not reached',
      '-       tls         not reached',
      '-       handshake   not reached',
      '-       flags       not reached',
      '-       cookie      not reached',
      '-       visibility  not reached',
      '-       ping        not reached',
      '',
    ].join('\n'),
  )
})

t.test('without a cookie all is tried that needs none', async t => {
  const here = await machine(t)
  const node = await here.node('patient')
  const { code, stdout } = await here.run(['doctor', node.name], { env: { BEAMLET_COOKIE: '' } })
  t.equal(code, 2)
  t.match(stdout, /\nok {6}flags .*\nfailed {2}cookie {6}No cookie was found, .* \[COOKIE_NONE\]\n {20}Give one \(--cookie\)/)
})

t.test('--json: a line for each step that was taken', async t => {
  const here = await machine(t)
  await here.register('patient', 4001)
  const { code, stdout } = await here.run(['doctor', 'patent@127.0.0.1', '--json'])
  const lines = stdout.trimEnd().split('\n').map(line => JSON.parse(line)) // prettier-ignore
  t.strictSame([code, lines.map(({ step, ok }) => [step, ok])], [3, [['name', true], ['host', true], ['epmd', false]]]) // prettier-ignore
  t.strictSame(
    { ...lines[2], milliseconds: 1 },
    {
      step: 'epmd',
      ok: false,
      says: `EPMD at 127.0.0.1:${here.epmdPort} knows no node 'patent'; it knows patient.`,
      code: 'EPMD_NO_SUCH_NODE',
      remedy: 'Did you mean patient?',
      details: { registered: [{ name: 'patient', port: 4001 }] },
      milliseconds: 1,
    },
  )
})

t.test('without a node: this machine', async t => {
  const here = await machine(t)
  await here.register('shop', 4001)
  const { stdout } = await here.run(['doctor'])
  t.match(
    plain(stdout),
    /^\w+ +host +.*\n(?: {20}.*\n)?ok {6}epmd {8}EPMD runs at port PORT and knows shop at port PORT\.\nok {6}cookie {6}A cookie is there, from BEAMLET_COOKIE\.\nok {6}listen {6}A port can be had for others to dial\.\n$/,
  )
})

t.test('only the mark is coloured', async t => {
  const step = { step: 'port', milliseconds: 12, details: {} } as const
  t.equal(inText(true)({ ...step, ok: true, says: 'It is.' }), '\u001b[32mok\u001b[39m      port        It is. (12 ms)')
  const failed = { ...step, ok: false, says: 'It is not.', code: 'NET_REFUSED', remedy: 'Look.' }
  t.equal(inText(true)(failed), `\u001b[31mfailed\u001b[39m  port        It is not. [NET_REFUSED]\n${' '.repeat(20)}Look.`)
  t.notMatch(inText(false)(failed), '\u001b')
})
