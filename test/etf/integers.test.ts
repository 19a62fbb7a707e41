import fc from 'fast-check'
import t from 'tap'
import { bytesOfInteger, integerFromBytes } from '../../src/etf/integers.js'

/** The formula of the specification. */
const sum = (bytes: Uint8Array): bigint => bytes.reduceRight((total, byte) => total * 256n + BigInt(byte), 0n)

t.test('from bytes', async t => {
  const property = fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(3), fc.boolean(), (digits, zeros, negative) => {
    const bytes = Buffer.concat([Buffer.of(255), digits, Buffer.alloc(zeros), Buffer.of(255)])
    const value = integerFromBytes(bytes, 1, digits.length + zeros, negative)
    const expected = negative ? -sum(digits) : sum(digits)
    return BigInt(value) === expected && (typeof value === 'number') === Number.isSafeInteger(Number(expected)) && !Object.is(value, -0)
  })
  fc.assert(property, {
    numRuns: 2000,
    examples: [
      [new Uint8Array(7).fill(255), 0, true],
      [Uint8Array.of(0, 0, 0, 0, 0, 0, 32), 0, false],
    ],
  })
  t.pass()
})

t.test('to bytes', async t => {
  const property = fc.property(fc.bigInt({ min: 1n }), magnitude => {
    const bytes = bytesOfInteger(magnitude)
    return sum(bytes) === magnitude && bytes.at(-1) !== 0
  })
  fc.assert(property, { numRuns: 1000 })
  t.pass()
})
