/** An exception of another node, as the Erlang shell shows its own. */
import { Atom, format, type RpcError, type Term, text, Tuple } from '../index.js'

/** Characters: an argument may be a whole state */
const longestTerm = 2000

/**
 *     exception error: badarith
 *       in function fails:now/1 (fails.erl, line 3)
 *       in call from calc:add/2
 */
export function describe({ class: kind, reason, stacktrace }: RpcError): string {
  const frames = Array.isArray(stacktrace) ? (stacktrace as readonly Term[]) : []
  const lines = frames.map((frame, index) => `  ${index === 0 ? 'in function' : 'in call from'} ${frameOf(frame)}`)
  return [`exception ${kind}: ${format(reason, { limit: longestTerm })}`, ...lines].join('\n')
}

/** `{Module, Function, ArityOrArgs, Location}` or `{Fun, ArityOrArgs, Location}` */
function frameOf(frame: Term): string {
  const parts: readonly Term[] = frame instanceof Tuple ? frame.elements : []
  const location = parts.at(-1)
  const [module, fun, arity] = parts
  if (parts.length !== 4 || !(module instanceof Atom)) return format(frame, { limit: longestTerm })
  return `${format(module)}:${format(fun as Term)}${callOf(arity as Term)}${place(location)}`
}

const callOf = (arity: Term): string =>
  Array.isArray(arity) ? `(${arity.map(arg => format(arg as Term, { limit: longestTerm })).join(', ')})` : `/${format(arity)}`

function place(location: Term | undefined): string {
  if (!Array.isArray(location)) return ''
  const get = (key: string): Term | undefined =>
    (location as readonly Term[]).find((entry): entry is Tuple => entry instanceof Tuple && entry.tag === key)?.elements[1]
  const [file, line] = [get('file'), get('line')]
  return Array.isArray(file) ? ` (${text(file as Term)}${line === undefined ? '' : `, line ${format(line)}`})` : ''
}
