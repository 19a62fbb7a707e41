/**
 * Floats as `~f`, `~e` and `~g` print them: of 21 significant digits, rounded half up.
 *
 * Source: io_lib_format.erl (fwrite_e, fwrite_f, fwrite_g, float_data).
 */

/** `0.d1 d2 … d21 × 10^exponent` */
interface Digits {
  readonly sign: string
  readonly digits: string
  readonly exponent: number
}

function digitsOf(value: number): Digits {
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential(20).split('e')
  return { sign: value < 0 || Object.is(value, -0) ? '-' : '', digits: mantissa.replace('.', ''), exponent: Number(exponent) + 1 }
}

/** `whole` digits, a point, and `decimals` digits; and whether rounding made one more. */
function rounded(digits: string, whole: number, decimals: number): [text: string, carried: boolean] {
  const wanted = whole + decimals
  const kept = digits.slice(0, wanted).padEnd(wanted, '0')
  const up = (digits[wanted] ?? '0') >= '5'
  const sum = String(BigInt(kept) + (up ? 1n : 0n)).padStart(wanted, '0')
  const carried = sum.length > wanted
  const all = carried ? sum.slice(1) : sum
  return [`${all.slice(0, whole)}.${all.slice(whole)}`, carried]
}

/** `~f`, with 1 decimal or more */
export function fixed(value: number, decimals: number): string {
  const { sign, digits, exponent } = digitsOf(value)
  const [padded, whole] = exponent > 0 ? [digits, exponent] : ['0'.repeat(1 - exponent) + digits, 1]
  const [text, carried] = rounded(padded, whole, decimals)
  return sign + (carried ? '1' : '') + text
}

/** `~e`, with 2 digits or more, and an exponent without leading zeros */
export function exponential(value: number, precision: number): string {
  const { sign, digits, exponent } = digitsOf(value)
  const [text, carried] = rounded(digits, 1, precision - 1)
  const power = carried ? exponent : exponent - 1
  return `${sign}${carried ? `1${text.slice(1)}` : text}e${power < 0 ? '' : '+'}${power}`
}

/** `~g`: fixed from 0.1 up to 10000, exponential elsewhere; undefined: it takes what `~f` cannot print. */
export function general(value: number, precision: number): string {
  const size = Math.abs(value)
  const power = size < 0.1 ? -2 : size < 1 ? -1 : size < 10 ? 0 : size < 100 ? 1 : size < 1000 ? 2 : size < 10_000 ? 3 : Infinity
  if ((precision <= 1 && power === -1) || (precision - 1 > power && power >= -1)) return fixed(value, precision - 1 - power)
  return exponential(value, Math.max(2, precision))
}
