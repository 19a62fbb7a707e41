/** An integer of any base and length. */

/** Number while safe, else bigint; undefined when a digit is none of that base. */
export function integerOf(digits: string, base: number): number | bigint | undefined {
  if (!isNumeral(digits, base)) return undefined
  const small = Number.parseInt(digits, base)
  if (Number.isSafeInteger(small)) return small
  return bigIntOf(digits, base)
}

function isNumeral(digits: string, base: number): boolean {
  for (const digit of digits) if (!(Number.parseInt(digit, 36) < base)) return false
  return digits !== ''
}

const PREFIXES: Readonly<Record<number, string>> = { 2: '0b', 8: '0o', 10: '', 16: '0x' }

/** JavaScript reads four bases; in the others, two halves are joined, so that the cost is that of a multiplication. */
function bigIntOf(digits: string, base: number): bigint {
  const prefix = PREFIXES[base]
  if (prefix !== undefined) return BigInt(prefix + digits)
  if (digits.length <= 10) return BigInt(Number.parseInt(digits, base))
  const low = digits.length >> 1
  return bigIntOf(digits.slice(0, -low), base) * BigInt(base) ** BigInt(low) + bigIntOf(digits.slice(-low), base)
}
