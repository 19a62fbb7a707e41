import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { toJson } from '../../src/cli/json.js'
import { decode, encode } from '../../src/etf/index.js'
import { atom, Atom, Fun, LocalTerm, NativeRecord, parse, Pid, Port, Reference, type Sendable, type Term } from '../../src/term/index.js'
import { sendables } from '../etf/sendables.js'
import { bytesOf, releases, vectorsOf } from '../etf/vectors.js'
import { nested, wrappings } from '../term/arbitrary-term.js'
import { fromJson } from './json-inverse.js'

/** The term as another node receives it. */
const received = (term: Sendable): Term => decode(encode(term), { floats: 'exact' })

/** The bytes of what comes back from JSON */
const throughJson = (term: Term): string => encode(fromJson(toJson(term))).toString('hex')

t.test('the table of docs/cli.md', async t => {
  const page = readFileSync('docs/cli.md', 'utf8')
  const [, section = ''] = page.split('## Terms as JSON')
  const rows = [...section.matchAll(/^\| `(.+)` \| `(.+)` \|$/gm)].map(
    ([, erlang = '', json = '']) => [erlang.replaceAll('\\|', '|'), json] as const,
  )
  t.ok(rows.length >= 18, `${rows.length} rows`)
  for (const [erlang, json] of rows) t.equal(toJson(received(parse(erlang))), json, erlang)
})

t.test('what has no literal', async t => {
  const node = Atom.intern('erl@127.0.0.1')
  const pid = new Pid(node, 85, 0, 1_700_000_000)
  const whole = '"node":"erl@127.0.0.1","id":85,"serial":0,"creation":1700000000'
  t.equal(toJson(pid), `{"$pid":{${whole}}}`)
  t.equal(toJson(new Port(node, 2n ** 64n - 1n, 1)), '{"$port":{"node":"erl@127.0.0.1","id":"18446744073709551615","creation":1}}')
  t.equal(toJson(new Reference(node, 1, [1, 2, 3])), '{"$reference":{"node":"erl@127.0.0.1","words":[1,2,3],"creation":1}}')
  const fun = new Fun({ arity: 1, uniq: Buffer.alloc(16), index: 2, module: node, oldIndex: 3, oldUniq: 4, pid, free: [5, atom('six')] })
  t.equal(
    toJson(fun),
    '{"$closure":{"module":"erl@127.0.0.1","arity":1,"index":2,"uniq":"AAAAAAAAAAAAAAAAAAAAAA==","oldIndex":3,"oldUniq":4,' +
      `"pid":{"$pid":{${whole}}},"free":[5,{"$atom":"six"}]}}`,
  )
  const record = new NativeRecord(Atom.intern('shop'), Atom.intern('item'), [[Atom.intern('price'), 5]], 1)
  t.equal(toJson(record), '{"$record":{"module":"shop","name":"item","flags":1,"fields":[["price",5]]}}')
  t.equal(toJson(new LocalTerm(Buffer.from([1, 2]))), '{"$local":"AQI="}')
})

t.test('a key that looks like one of ours', async t => {
  t.equal(toJson(received({ $atom: 'ok' })), '{"$map":[[{"$atom":"$atom"},"ok"]]}')
  t.equal(toJson(new Map([[Atom.intern('__proto__'), 1]])), '{"__proto__":1}')
})

t.test('nothing is lost', async t => {
  for (const release of releases) {
    let count = 0
    for (const { kind, name, hex } of vectorsOf(release)) {
      if (kind !== 'term' && kind !== 'local') continue
      // Our own way back is recursive.
      if (/nested \d{4}/.test(name)) continue
      const term = decode(bytesOf(hex), { floats: 'exact' })
      if (throughJson(term) !== encode(term).toString('hex')) t.fail(`OTP ${release}: ${name}`, { json: toJson(term).slice(0, 200) })
      else count++
    }
    t.ok(count >= 400, `${count} terms of OTP ${release}`)
  }
  fc.assert(
    fc.property(sendables, sent => {
      const term = received(sent)
      JSON.parse(toJson(term))
      return throughJson(term) === encode(term).toString('hex')
    }),
  )
  t.pass('terms of every kind')
})

t.test('as deep as a message may be nested', async t => {
  for (const [name, wrap] of Object.entries(wrappings)) {
    const json = toJson(nested(10_000, 1, wrap))
    t.ok(json.length > 20_000, name)
  }
})
