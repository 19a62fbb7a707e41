/** The callbacks of `get_until` that an I/O server knows: those which `io:read`, `io:parse_erl_exprs` and `io:fread` ask for. */
import { Atom, isInteger, type Term, text, Tuple } from '../../term/index.js'
import { type Scanned, scanTokens } from './erl-scan.js'
import { fread } from './io-lib-fread.js'

/** Takes all that has been read for this request; undefined: more is wanted. */
export type Step = (text: string, ended: boolean) => Scanned | undefined

/** undefined: there is no such function here. */
export function getUntil(module: Term, fun: Term, args: Term): Step | undefined {
  if (!(module instanceof Atom && fun instanceof Atom && Array.isArray(args))) return undefined
  const [first] = args as readonly Term[]
  switch (`${module.name}:${fun.name}/${args.length + 2}`) {
    case 'erl_scan:tokens/3':
    case 'erl_scan:tokens/4': {
      const [line, column] = first instanceof Tuple ? (first.elements as readonly Term[]) : [first]
      if (!isInteger(line) || !(column === undefined || isInteger(column))) return undefined
      return (text, ended) => scanTokens(text, { line: Number(line), column: column === undefined ? null : Number(column) }, ended)
    }
    case 'io_lib:fread/3': {
      const format = first instanceof Atom ? first.name : text(first as Term)
      return (text, ended) => fread(format, text, ended)
    }
    default:
      return undefined
  }
}
