import fc from 'fast-check'
import t, { type Test } from 'tap'
import { EpmdError } from '../../src/dist/epmd-error.js'
import * as epmd from '../../src/dist/epmd.js'
import type { EpmdEntry, EpmdRequest } from '../../src/dist/epmd.js'
import { sayings } from '../net/epmd-transcript.js'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const ts: EpmdEntry = { name: 'ts', port: 4001, hidden: true, highest: 6, lowest: 5, extra: bytes('0102') }

const entry: fc.Arbitrary<EpmdEntry> = fc.record({
  name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(name => epmd.isEpmdName(name)),
  port: fc.integer({ min: 0, max: 65535 }),
  hidden: fc.boolean(),
  highest: fc.integer({ min: 0, max: 65535 }),
  lowest: fc.integer({ min: 0, max: 65535 }),
  extra: fc.uint8Array({ maxLength: 300 }).map(extra => Buffer.from(extra)),
})

/** Undefined for every beginning, the whole for the whole. */
function splitEverywhere<T>(t: Test, read: (bytes: Buffer) => T | undefined, whole: Buffer, expected: T): void {
  for (let length = 0; length < whole.length; length++) t.equal(read(whole.subarray(0, length)), undefined, `${length} bytes are too few`)
  t.same(read(whole), expected)
}

void t.test('each request has these bytes, however they are cut', async t => {
  const requests: [string, string, EpmdRequest][] = [
    ['ALIVE2', '0011 78 0fa1 48 00 0006 0005 0002 7473 0002 0102', { op: 'alive2', entry: ts }],
    ['PORT_PLEASE2', '0003 7a 7473', { op: 'portPlease2', name: 'ts' }],
    ['NAMES', '0001 6e', { op: 'names' }],
    ['DUMP', '0001 64', { op: 'dump' }],
    ['KILL', '0001 6b', { op: 'kill' }],
    ['STOP', '0003 73 7473', { op: 'stop', name: 'ts' }],
  ]
  for (const [name, hex, request] of requests) {
    await t.test(name, async t => {
      t.equal(epmd.encodeRequest(request).toString('hex'), bytes(hex).toString('hex'))
      splitEverywhere(t, epmd.readRequest, bytes(hex), request)
    })
  }
})

void t.test('each reply has these bytes, however they are cut', async t => {
  splitEverywhere(t, epmd.readAliveReply, bytes('76 00 6b033982'), { creation: 0x6b033982 })
  splitEverywhere(t, epmd.readAliveReply, bytes('79 00 0003'), { creation: 3 })
  splitEverywhere(t, epmd.readPortReply, bytes('77 00 0fa1 48 00 0006 0005 0002 7473 0002 0102'), ts)
  splitEverywhere(t, epmd.readPortReply, bytes('77 01'), null)
  splitEverywhere(t, epmd.readKillReply, Buffer.from('OK'), true)
  splitEverywhere(t, epmd.readKillReply, Buffer.from('NO'), false)
  splitEverywhere(t, epmd.readStopReply, Buffer.from('STOPPED'), true)
  splitEverywhere(t, epmd.readStopReply, Buffer.from('NOEXIST'), false)
  t.equal(epmd.encodeAliveReply({ creation: 0x6b033982 }, 6).toString('hex'), '76006b033982')
  t.equal(epmd.encodeAliveReply({ creation: 3 }, 5).toString('hex'), '79000003')
  t.equal(epmd.encodePortReply(ts).toString('hex'), '77000fa14800000600050002747300020102')
  t.equal(epmd.encodePortReply(null).toString('hex'), '7701')
})

void t.test('a refusal is one whatever creation follows it', async t => {
  t.same(epmd.readAliveReply(bytes('76 01')), { creation: null })
  t.same(epmd.readAliveReply(bytes('76 01 00000063')), { creation: null })
  t.same(epmd.readAliveReply(bytes('79 02 0063')), { creation: null })
  t.equal(epmd.encodeAliveReply({ creation: null }, 6).toString('hex'), '760100000063')
  t.equal(epmd.encodeAliveReply({ creation: null }, 5).toString('hex'), '79010063')
})

void t.test('lists are lines after the port', async t => {
  const names = { epmdPort: 4369, names: [{ name: 'a b', port: 1 }, { name: 'å', port: 65535 }] } // prettier-ignore
  t.equal(epmd.encodeNamesReply(names).toString('latin1', 4), Buffer.from('name a b at port 1\nname å at port 65535\n').toString('latin1'))
  t.same(epmd.readNamesReply(epmd.encodeNamesReply(names)), names)
  t.same(epmd.readNamesReply(bytes('00001111')), { epmdPort: 4369, names: [] })
  const dump = { epmdPort: 4369, active: [{ name: 'a', port: 1, fd: 5 }, { name: 'c', port: 3, fd: 7 }], old: [{ name: 'b', port: 2, fd: 6 }] } // prettier-ignore
  t.same(epmd.readDumpReply(epmd.encodeDumpReply(dump)), dump)
})

void t.test('lines that are no names are skipped', async t => {
  const lines = 'nonsense\nname a at port 1\nname b at port many\nname  at port 2\nname c at port 3 \nname d at port 4'
  t.same(epmd.readNamesReply(Buffer.concat([bytes('00001111'), Buffer.from(lines)])).names, [
    { name: 'a', port: 1 },
    { name: 'd', port: 4 },
  ])
})

void t.test('what real clients and servers said is read, and written again byte for byte', async t => {
  for (const { means, sends, gets } of sayings) {
    if (!/^(?:ALIVE2|PORT_PLEASE2|NAMES|DUMP|KILL|STOP)/.test(means) || gets === '') continue
    const request = epmd.readRequest(bytes(sends))
    const ended = /^(?:STOP|PORT_PLEASE2.*NUL)/.test(means)
    if (!t.ok(request, means) || request === undefined || ended) continue
    t.equal(epmd.encodeRequest(request).toString('hex'), sends, means)
    if (request.op !== 'portPlease2') continue
    const entry = epmd.readPortReply(bytes(gets))
    t.equal(epmd.encodePortReply(entry ?? null).toString('hex'), gets, means)
  }
})

void t.test('garbage and lying lengths are EPMD_FORMAT', async t => {
  const requests: [string, string][] = [
    ['a length of 0', '0000'],
    ['a length that is longer than any request', '0bf2'],
    ['an unknown request', '0001 ff'],
    ['bytes after the request', '0001 6e 00'],
    ['a name that is longer than the request', '000e 78 0fa0 4d 00 0006 0005 0009 61 0000'],
    ['extra bytes that are longer than the request', '000e 78 0fa0 4d 00 0006 0005 0001 61 0009'],
    ['an ALIVE2 without a body', '0001 78'],
    ['a NUL in the name', '000f 78 0fa0 4d 00 0006 0005 0002 6100 0000'],
    ['a name that is no UTF-8', '000e 78 0fa0 4d 00 0006 0005 0001 ff 0000'],
    ['a lookup of nothing', '0001 7a'],
    ['a lookup of a NUL', '0002 7a 00'],
    ['a lookup of a name with a NUL in it', '0004 7a 610062'],
  ]
  for (const [name, hex] of requests) t.throws(() => epmd.readRequest(bytes(hex)), { code: 'EPMD_FORMAT' }, name)
  t.throws(() => epmd.readAliveReply(Buffer.from('HTTP/1.1')), { code: 'EPMD_FORMAT' })
  t.throws(() => epmd.readPortReply(Buffer.from('SSH-2.0')), { code: 'EPMD_FORMAT' })
  t.throws(() => epmd.readPortReply(bytes('77 00 0fa1 48 00 0006 0005 0001 ff 0000')), { code: 'EPMD_FORMAT' })
  t.throws(() => epmd.readNamesReply(bytes('000011')), { code: 'EPMD_FORMAT' })
  t.throws(() => epmd.readDumpReply(bytes('')), { code: 'EPMD_FORMAT' })
  t.throws(() => epmd.readKillReply(Buffer.from('K')), { code: 'EPMD_FORMAT' })
  t.throws(() => epmd.readStopReply(Buffer.from('NOEXIT')), { code: 'EPMD_FORMAT' })
  t.throws(() => epmd.encodeRequest({ op: 'alive2', entry: { ...ts, extra: Buffer.alloc(4000) } }), { code: 'EPMD_FORMAT' })
})

void t.test('whatever the bytes, reading ends in a value, in undefined or in EPMD_FORMAT', async t => {
  const readers = [epmd.readRequest, epmd.readAliveReply, epmd.readPortReply, epmd.readNamesReply, epmd.readDumpReply, epmd.readKillReply, epmd.readStopReply] // prettier-ignore
  const tags = fc.constantFrom(...['000178', '00207a', '7600', '7700', '7900', '00001111', ''].map(bytes))
  fc.assert(
    fc.property(tags, fc.uint8Array({ maxLength: 80 }), (head, tail) => {
      for (const read of readers) {
        try {
          read(Buffer.concat([head, tail]))
        } catch (error) {
          if (!(error instanceof EpmdError) || error.code !== 'EPMD_FORMAT') throw error
        }
      }
    }),
    { numRuns: 500 },
  )
  t.pass('no other error')
})

void t.test('every entry comes back as it went', async t => {
  fc.assert(
    fc.property(entry, entry => {
      t.same(epmd.readRequest(epmd.encodeRequest({ op: 'alive2', entry })), { op: 'alive2', entry })
      t.same(epmd.readPortReply(epmd.encodePortReply(entry)), entry)
    }),
    { numRuns: 100 },
  )
})

void t.test('names that EPMD can hold', async t => {
  for (const name of ['a', 'a b', 'å', 'n'.repeat(255), '😀'.repeat(255)]) t.ok(epmd.isEpmdName(name), name)
  for (const name of ['', 'n'.repeat(256), 'a\nname b at port 1', 'a\0', '\ud800']) t.notOk(epmd.isEpmdName(name), JSON.stringify(name))
})
