import t from 'tap'
import { checkDomain, type Host, NodeNameError, ownNodeName, parseNodeName } from '../../src/node/node-name.js'

/** A machine of that name, whose full name is found as given. */
const machine = (hostname: string, full?: string): Host => ({ hostname: () => hostname, fullName: async () => full })

void t.test('a name has an alive part and a host', t => {
  t.same(parseNodeName('erl@127.0.0.1'), { full: 'erl@127.0.0.1', alive: 'erl', host: '127.0.0.1' })
  t.same(parseNodeName('a-B_9@håst'), { full: 'a-B_9@håst', alive: 'a-B_9', host: 'håst' })
  t.same(parseNodeName('x@::1').host, '::1')
  t.end()
})

void t.test('what is no name says why', t => {
  const wrong: [string, string][] = [
    ['', 'NAME_FORMAT'],
    ['ts', 'NAME_FORMAT'],
    ['@host', 'NAME_FORMAT'],
    ['ts@', 'NAME_FORMAT'],
    ['ts@a@b', 'NAME_FORMAT'],
    ['t.s@host', 'NAME_CHARACTERS'],
    ['t s@host', 'NAME_CHARACTERS'],
    ['å@host', 'NAME_CHARACTERS'],
    ['ts@ho st', 'NAME_CHARACTERS'],
    ['ts@日本', 'NAME_CHARACTERS'],
    ['ts@host\n', 'NAME_CHARACTERS'],
    [`ts@${'h'.repeat(253)}`, 'NAME_LENGTH'],
  ]
  for (const [name, code] of wrong) t.throws(() => parseNodeName(name), { code }, name)
  t.throws(() => parseNodeName('ts'), NodeNameError)
  t.equal(parseNodeName(`ts@${'h'.repeat(252)}`).full.length, 255)
  t.end()
})

void t.test('our own name is short or long by its host', async t => {
  t.equal((await ownNodeName('ts@myhost')).domain, 'short')
  t.equal((await ownNodeName('ts@myhost.example')).domain, 'long')
  t.equal((await ownNodeName('ts@127.0.0.1')).domain, 'long')
  t.equal((await ownNodeName('ts@::1')).domain, 'long')
})

void t.test('-name takes a host without a dot; -sname takes none with one', async t => {
  t.equal((await ownNodeName('ts@localhost', { domain: 'long' })).domain, 'long')
  await t.rejects(ownNodeName('ts@a.b', { domain: 'short' }), { code: 'NAME_SHORT_LONG' })
})

void t.test('a name without a host gets the host’s', async t => {
  t.same(await ownNodeName('ts', { host: machine('myhost.example') }), { full: 'ts@myhost', alive: 'ts', host: 'myhost', domain: 'short' })
  t.equal((await ownNodeName('ts', { domain: 'long', host: machine('myhost.example') })).full, 'ts@myhost.example')
  t.equal((await ownNodeName('ts', { domain: 'long', host: machine('myhost', 'myhost.example') })).full, 'ts@myhost.example')
  await t.rejects(ownNodeName('ts', { domain: 'long', host: machine('myhost') }), { code: 'NAME_NO_DOMAIN', message: /name@host.domain/ })
  await t.rejects(ownNodeName('t s'), { code: 'NAME_CHARACTERS' })
})

void t.test('this machine has a name', async t => {
  const { host, domain } = await ownNodeName('ts')
  t.match(host, /^[^.]+$/)
  t.equal(domain, 'short')
})

void t.test('short and long names do not mix', t => {
  const reaches: ['short' | 'long', string, boolean][] = [
    ['short', 'a@host', true],
    ['short', 'a@host.example', false],
    ['short', 'a@127.0.0.1', false],
    ['long', 'a@host.example', true],
    ['long', 'a@127.0.0.1', true],
    ['long', 'a@::1', true],
    ['long', 'a@localhost', false],
  ]
  for (const [domain, peer, reachable] of reaches) {
    const check = (): void => checkDomain(domain, parseNodeName(peer))
    if (reachable) t.doesNotThrow(check, `${domain} to ${peer}`)
    else t.throws(check, { code: 'NAME_SHORT_LONG', message: domain === 'short' ? /has a short name/ : /has a long name/ })
  }
  t.end()
})
