/**
 * Numbers of any size, integers and floats in one order, by exact value: a sign, the exponent of the highest binary digit, and the
 * digits below it, seven a byte, of which the lowest bit says that there are more. Those of a negative number are inverted.
 */
import { isInteger } from '../term/compare-kind.js'
import { Float } from '../term/index.js'
import type { KeyBytes } from './key-bytes.js'

const NEGATIVE = 0x10
const NEGATIVE_ZERO = 0x11
const ZERO = 0x12
const POSITIVE = 0x13

/** Is this term a float in Erlang? */
export const isFloat = (term: number | bigint | Float): boolean => term instanceof Float || (typeof term === 'number' && !isInteger(term))

/** May an integer and a float have this value? */
export const isWhole = (value: number | bigint): boolean => typeof value === 'bigint' || Number.isInteger(value)

/** @param exact tells -0.0 from 0.0 */
export function writeNumber(bytes: KeyBytes, value: number | bigint, exact: boolean): void {
  if (value === 0 || value === 0n) return bytes.u8(exact && Object.is(value, -0) ? NEGATIVE_ZERO : ZERO)
  const negative = value < 0
  bytes.u8(negative ? NEGATIVE : POSITIVE)
  const inverted = negative ? 0xff : 0
  if (typeof value === 'number') writeDouble(bytes, Math.abs(value), inverted)
  else writeBig(bytes, negative ? -value : value, inverted)
}

const double = new DataView(new ArrayBuffer(8))

function writeDouble(bytes: KeyBytes, value: number, inverted: number): void {
  let exponent = exponentOf(value)
  let normal = value
  if (exponent === -1023) {
    // subnormal: the digits begin further down
    normal = value * 2 ** 54
    exponent = exponentOf(normal)
    writeExponent(bytes, exponent - 54, inverted)
  } else writeExponent(bytes, exponent, inverted)
  // All exact: divisions and products by powers of two
  let rest = normal / 2 ** exponent - 1
  do {
    rest *= 128
    const digits = Math.floor(rest)
    rest -= digits
    bytes.u8(((digits << 1) | Number(rest > 0)) ^ inverted)
  } while (rest > 0)
}

function exponentOf(value: number): number {
  double.setFloat64(0, value)
  return ((double.getUint16(0) >> 4) & 0x7ff) - 1023
}

function writeBig(bytes: KeyBytes, value: bigint, inverted: number): void {
  const hex = value.toString(16)
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  const first = Math.clz32(digits[0]!) - 24
  writeExponent(bytes, digits.length * 8 - first - 1, inverted)
  let lowest = digits.length - 1
  while (digits[lowest] === 0) lowest--
  const lastBit = lowest * 8 + Math.clz32(digits[lowest]! & -digits[lowest]!) - 24
  let at = first + 1
  do {
    const pair = ((digits[at >> 3] ?? 0) << 8) | (digits[(at >> 3) + 1] ?? 0)
    const seven = (pair >> (9 - (at & 7))) & 0x7f
    at += 7
    bytes.u8(((seven << 1) | Number(at <= lastBit)) ^ inverted)
  } while (at <= lastBit)
}

/** One byte for what is common, five for the rest: 0x50 below −48, 0x60 to 0xEF up to 95, 0xF0 above. */
function writeExponent(bytes: KeyBytes, exponent: number, inverted: number): void {
  if (exponent >= -48 && exponent <= 95) return bytes.u8((exponent + 0x90) ^ inverted)
  bytes.u8((exponent < 0 ? 0x50 : 0xf0) ^ inverted)
  const biased = exponent + 2 ** 31
  bytes.u32(inverted === 0 ? biased : 0xffff_ffff - biased)
}
