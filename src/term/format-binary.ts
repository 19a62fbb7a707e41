/** Binaries, bit strings and lists of characters as Erlang prints them: as text where they are text. */
import { TermError } from './error.js'
import { isPrintable, quote } from './format-text.js'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * `<<"text">>`, `<<"é"/utf8>>`, or `<<0,1,2>>`. Bytes that are no UTF-8 may still be printable Latin-1, as in `<<"é">>`.
 *
 * Of a large binary no more is looked at than fills the room: that many characters, and some, which the caller cuts.
 */
export function formatBinary(bytes: Uint8Array, strings: boolean, room: number): string {
  if (bytes.length === 0) return '<<>>'
  const text = strings ? textOf(bytes.subarray(0, characterStart(bytes, 4 * room + 4))) : undefined
  return text ?? `<<${bytes.subarray(0, room + 1).join(',')}>>`
}

/** That many bytes or up to three less, so that no character of UTF-8 is cut in two. */
function characterStart(bytes: Uint8Array, length: number): number {
  if (bytes.length <= length) return bytes.length
  let start = length
  while (start > length - 3 && (bytes[start]! & 0xc0) === 0x80) start--
  return start
}

function textOf(bytes: Uint8Array): string | undefined {
  // the usual binary that is no text shows it early, before any decoding
  let ascii = true
  for (const byte of bytes) {
    if (byte >= 0x80) ascii = false
    else if (!isPrintable(byte)) return undefined
  }
  const [text, encoding] = ascii ? [latin1(bytes), ''] : decode(bytes)
  if (!ascii) for (const c of text) if (!isPrintable(c.codePointAt(0)!)) return undefined
  return `<<${quote(text, '"')}${encoding}>>`
}

/** What is not all ASCII. */
function decode(bytes: Uint8Array): [text: string, encoding: '' | '/utf8'] {
  try {
    return [utf8.decode(bytes), '/utf8']
  } catch {
    // no UTF-8: what is left is Latin-1, in which all bytes are characters
    return [latin1(bytes), '']
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** `<<1,2,5:3>>` */
export function formatBitString({ bytes, bits }: { readonly bytes: Uint8Array; readonly bits: number }, room = Infinity): string {
  const whole = bytes.subarray(0, Math.min(bytes.length - 1, room))
  return `<<${whole.join(',')}${whole.length > 0 ? ',' : ''}${bytes.at(-1)! >> (8 - bits)}:${bits}>>`
}

/** `"text"` for a list of printable characters; undefined for any other list, the empty one among them. */
export function formatCharlist(list: readonly unknown[]): string | undefined {
  if (list.length === 0) return undefined
  for (const c of list) if (!Number.isInteger(c) || !isPrintable(c as number)) return undefined
  return quote(fromCodePoints(list as readonly number[]), '"')
}

/** Above some ten thousand arguments `String.fromCodePoint` overflows the stack. */
const PIECE = 4096

/** All of them valid. */
export function fromCodePoints(codes: readonly number[]): string {
  let text = ''
  for (let i = 0; i < codes.length; i += PIECE) text += String.fromCodePoint(...codes.slice(i, i + PIECE))
  return text
}

/** The binary that a string is sent as. @throws TermError ERR_TERM_TEXT */
export function binaryOf(string: string): Buffer {
  if (string.isWellFormed()) return Buffer.from(string)
  throw new TermError('ERR_TERM_TEXT', 'A string with a lone surrogate has no UTF-8 form: no binary can hold it.')
}
