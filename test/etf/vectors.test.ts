/** Real BEAM nodes as the measure: what they write is read and written again byte for byte, what they refuse is refused. */
import t from 'tap'
import { copy, decode, encode, EtfError } from '../../src/etf/index.js'
import { equals, LocalTerm } from '../../src/term/index.js'
import { bytesOf, type Release, releases, type Vector, vectorsOf } from './vectors.js'

/** Read, but written in other bytes than that release writes. */
const written: Record<string, (release: Release) => boolean> = {
  // OTP 25 writes a port of 28 bits with the older tag; since 27 all have V4_PORT_EXT.
  'every kind in one tuple': release => release === '25',
  PORT_EXT: release => release === '25',
  'PORT_EXT of 28 bits': release => release === '25',
  NEW_PORT_EXT: release => release === '25',
  'port of this node': release => release === '25',
  'port node@host, 0, 1': release => release === '25',
  'port node@host, 5, 3': release => release === '25',
  'port node@host, 16#fffffff, 4': release => release === '25',
  "port 'n\\x{f6}d@host', 7, 9": release => release === '25',
  // Since 27 the BEAM forgets who made a fun, and writes the pid of init.
  'NEW_FUN_EXT with a wrong size': release => release !== '25',
  'NEW_FUN_EXT with an old pid': release => release !== '25',
  // The keys of a map come in another order than that node's own.
  'MAP_EXT with keys out of order': () => true,
  'MAP_EXT with 0.0 and -0.0': () => true,
  '#{c => 3, a => 1, b => 2}, [deterministic,{minor_version,2}]': () => true,
  'keyed(50), deterministic': () => true,
}

/** Refused by the BEAM, read here. */
const accepted: Record<string, (release: Release) => boolean> = {
  // They are equal before OTP 27.
  'MAP_EXT with 0.0 and -0.0': release => release === '25',
  // A flag of a coming release is carried through.
  'RECORD_EXT with a reserved flag': () => true,
}

/** binary_to_term ignores what follows; `trailing: 'ignore'` does too. */
const trailing = (name: string): boolean => name.startsWith('bytes after')

const isException = (table: typeof written, { name }: Vector, release: Release): boolean => table[name]?.(release) ?? false

const codeOf = (bytes: Buffer): string | undefined => {
  try {
    decode(bytes, { floats: 'exact' })
    return undefined
  } catch (error) {
    return error instanceof EtfError ? error.code : String(error)
  }
}

for (const release of releases) {
  t.test(`OTP ${release}`, async t => {
    const vectors = vectorsOf(release)
    const of = (...kinds: Vector['kind'][]): Vector[] => vectors.filter(({ kind }) => kinds.includes(kind))
    t.ok(of('term').length >= 400, `${of('term').length} terms`)
    t.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length, 'each has a name of its own')

    t.test('terms come back byte for byte', async t => {
      for (const vector of of('term', 'encoded')) {
        const ignore = trailing(vector.name) ? ({ trailing: 'ignore' } as const) : {}
        const term = decode(bytesOf(vector.hex), { floats: 'exact', ...ignore })
        const canonical = vector.canonical ?? vector.hex
        const again = encode(term).toString('hex')
        if (isException(written, vector, release)) {
          t.not(again, canonical, vector.name)
          t.ok(equals(term, decode(bytesOf(canonical), { floats: 'exact' })), vector.name)
        } else t.equal(again, canonical, vector.name)
        t.equal(encode(copy(term, { floats: 'exact' })).toString('hex'), again, `a copy of ${vector.name}`)
      }
    })

    t.test('without exact floats, the term arrives that a copy of the exact one is', async t => {
      for (const { name, hex } of of('term')) {
        const term = decode(bytesOf(hex))
        t.ok(equals(term, copy(decode(bytesOf(hex), { floats: 'exact' }))), name)
        t.ok(equals(decode(encode(term)), term), `${name}, sent on`)
      }
    })

    t.test('what the BEAM refuses is refused', async t => {
      for (const vector of of('refused')) {
        const code = codeOf(bytesOf(vector.hex))
        if (isException(accepted, vector, release)) t.equal(code, undefined, vector.name)
        else t.match(code, /^ETF_/, vector.name)
      }
    })

    t.test('local encodings are carried', { skip: release === '25' && 'they begin with OTP 26' }, async t => {
      t.ok(of('local').length > 0)
      for (const { name, hex } of of('local')) {
        const term = decode(bytesOf(hex))
        t.ok(term instanceof LocalTerm, name)
        t.equal(encode(term).toString('hex'), hex, name)
        t.equal(encode(copy(term)).toString('hex'), hex, `a copy of ${name}`)
      }
    })

    t.test('no beginning of a term is a term', async t => {
      for (const { name, hex } of of('term', 'encoded')) {
        const bytes = bytesOf(hex)
        const wrong = lengths(bytes.length)
          .filter(length => !trailing(name) || length < 3)
          .filter(length => !codeOf(bytes.subarray(0, length))?.startsWith('ETF_'))
        t.strictSame(wrong, [], name)
      }
    })
  })
}

/** Every length below `size`; of a long one the first and the last, and some between. */
function lengths(size: number): number[] {
  const step = Math.ceil(size / 500)
  return Array.from({ length: size }, (_, i) => i).filter(i => i < 300 || size - i < 100 || i % step === 0)
}
