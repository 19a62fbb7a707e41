/** Whatever the bytes: a term or an EtfError, soon, and in little memory. */
import fc from 'fast-check'
import t from 'tap'
import { copy, decode, encode, EtfError } from '../../src/etf/index.js'
import { bytesOf, vectorsOf } from './vectors.js'

const limits = { memory: 2 ** 26, atoms: 100_000 }

/** A term that was read can be copied and written, and reads back. */
function holds(bytes: Uint8Array): boolean {
  for (const floats of ['number', 'exact'] as const) {
    try {
      const term = decode(bytes, { floats, limits, trailing: 'ignore' })
      const again = encode(term)
      if (!encode(copy(term, { floats })).equals(again) || !encode(decode(again, { floats })).equals(again)) return false
    } catch (error) {
      if (!(error instanceof EtfError)) throw error
    }
  }
  return true
}

const small = vectorsOf('29')
  .map(({ hex }) => bytesOf(hex))
  .filter(bytes => bytes.length < 1000)
const tags = [
  67, 70, 77, 80, 82, 88, 89, 90, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 118, 119,
  120, 121,
]

t.test('bytes that begin like a term', async t => {
  const bytes = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(...tags), fc.constantFrom(0, 0, 0, 1, 2)), { maxLength: 200 })
  fc.assert(
    fc.property(bytes, rest => holds(Buffer.from([131, ...rest]))),
    { numRuns: 10_000 },
  )
  t.pass()
})

t.test('terms of a BEAM, damaged', async t => {
  const change = fc.tuple(fc.nat(10_000), fc.oneof(fc.nat(255), fc.constantFrom(...tags)), fc.constantFrom('set', 'cut', 'double'))
  const property = fc.property(fc.constantFrom(...small), fc.array(change, { minLength: 1, maxLength: 4 }), (original, changes) => {
    let bytes = Buffer.from(original)
    for (const [at, value, kind] of changes) {
      const place = 1 + (at % Math.max(bytes.length - 1, 1))
      if (kind === 'set') bytes[place] = value
      else if (kind === 'cut') bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)])
      else bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(1)])
    }
    return holds(bytes)
  })
  fc.assert(property, { numRuns: 10_000 })
  t.pass()
})
