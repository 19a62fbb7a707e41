/**
 * Which text prints as text, and how: atoms with or without quotes, strings with escapes.
 *
 * Source: stdlib's io_lib, `write_atom/1`, `write_string/2` and `printable_unicode_list/1`.
 */

/** What cannot stand as an atom without quotes. `maybe` and `else` are keywords from OTP 27 on. */
export const reservedWords: ReadonlySet<string> = new Set(
  (
    'after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let maybe not of or orelse ' +
    'receive rem try when xor'
  ).split(' '),
)

/** Latin-1 letters count as letters in Erlang's grammar, others do not. */
const BARE_ATOM = /^[a-zß-öø-ÿ][a-zA-Zß-öø-ÿÀ-ÖØ-Þ0-9_@]*$/

/** `ok`, `'DOWN'`, `'it\'s'` … as Erlang would print the atom of that name. */
export function formatAtom(name: string): string {
  return BARE_ATOM.test(name) && !reservedWords.has(name) ? name : quote(name, "'")
}

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\b': '\\b',
  '\f': '\\f',
  '\x1b': '\\e',
  '\x7f': '\\d',
  '\\': '\\\\',
}

const octal = (c: string): string => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`

/** The text between quotes. Control characters without a name of their own become three octal digits. */
export function quote(text: string, mark: "'" | '"'): string {
  const escape = (c: string): string => (c === mark ? `\\${c}` : (NAMED_ESCAPES[c] ?? octal(c)))
  return mark + text.replace(mark === '"' ? /["\\\p{Cc}]/gu : /['\\\p{Cc}]/gu, escape) + mark
}

/** Would the shell show this code point as a character? */
export function isPrintable(c: number): boolean {
  if (c < 0x20) return (c >= 8 && c <= 13) || c === 27
  return c < 0x7f || (c >= 0xa0 && c < 0xd800) || (c > 0xdfff && c < 0xfffe) || (c > 0xffff && c <= 0x10ffff)
}
