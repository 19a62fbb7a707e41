/**
 * Floats as the BEAM prints them: the fewest digits that read back as the same float, in whichever notation is shorter.
 *
 * Source: `erlang:float_to_list(Float, [short])`.
 */

/** From here on neighbouring floats are more than 1 apart, and OTP always writes an exponent. */
const EXPONENT_ONLY = 2 ** 53

/** `0.1`, `1.0e3`, `-0.0`, `1.0e22`. The value is finite. */
export function formatFloat(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  const [mantissa = '', exponent = '0'] = size.toExponential().split('e')
  const scientific = `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}e${Number(exponent)}`
  if (size >= EXPONENT_ONLY) return sign + scientific
  const decimal = plainDecimal(mantissa.replace('.', ''), Number(exponent))
  return sign + (decimal.length <= scientific.length ? decimal : scientific)
}

/** The digits `d1 d2 …` stand for d1.d2… × 10^exponent. */
function plainDecimal(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${whole}.${digits.slice(exponent + 1) || '0'}`
}
