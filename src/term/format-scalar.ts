import { Atom } from './atom.js'
import { isInteger, notATerm } from './compare-kind.js'
import { BitString, Float, LocalTerm } from './containers.js'
import { binaryOf, formatBinary, formatBitString } from './format-binary.js'
import { formatFloat } from './format-float.js'
import { formatAtom } from './format-text.js'
import { ExportFun, Fun } from './fun.js'
import { Pid, Port, Reference } from './identity.js'

/**
 * A term that holds no others; undefined for any other object.
 *
 * @param room the characters that will be kept, so that no large binary is printed in vain
 */
export function formatScalar(term: unknown, strings: boolean, room: number): string | undefined {
  switch (typeof term) {
    case 'number':
      if (!Number.isFinite(term)) throw notATerm(term)
      return isInteger(term) ? String(term) : formatFloat(term)
    case 'bigint':
    case 'boolean':
      return String(term)
    case 'string':
      return formatBinary(binaryOf(term), strings, room)
    case 'object':
      return term === null ? 'nil' : formatObject(term, strings, room)
    default:
      throw notATerm(term)
  }
}

function formatObject(term: object, strings: boolean, room: number): string | undefined {
  if (term instanceof Atom) return formatAtom(term.name)
  if (term instanceof Uint8Array) return formatBinary(term, strings, room)
  if (term instanceof Float) return formatFloat(term.value)
  if (term instanceof BitString) return formatBitString(term, room)
  if (term instanceof LocalTerm) return `#Local<${term.bytes.length} bytes>`
  const printsItself = term instanceof Pid || term instanceof Reference || term instanceof Port || term instanceof Fun
  return printsItself || term instanceof ExportFun ? term.toString() : undefined
}
