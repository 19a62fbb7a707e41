/**
 * Exceptions as text, with their stack traces: what crash reports hold.
 *
 * Source: erl_error.erl (format_exception) of OTP 29. What is not told are the texts that BEAM modules keep for their own errors (`error_info`).
 */
import { Atom, ExportFun, Fun, isInteger, type Term, Tuple } from '../../term/index.js'
import { formatAtom } from '../../term/format-text.js'
import { ioLibFormat } from '../io/io-lib-format.js'
import { autoImported, operators } from './erl-internal.js'

/** Prints a term that begins at that column, from 1. */
type Print = (term: Term, column: number) => string

interface Frame {
  readonly module: string
  readonly fun: string
  /** The arity, or the arguments */
  readonly args: number | readonly Term[]
  readonly info: readonly Term[]
}

/** `exception error: …` with the frames of the stack below it; the first line begins at `indent` columns. */
export function formatException(kind: string, reason: Term, stack: Term, indent: number): string {
  const print: Print = (term, column) => ioLibFormat(`~.${column}tp`, [term])
  const frames = framesOf(stack)
  const space = ' '.repeat(indent)
  const start = `exception ${kind}: `
  if (!frames) return start + print(new Tuple([reason, stack]) as Term, indent + start.length + 1)
  const [first] = frames
  const isCall =
    kind === 'error' && first && ((nameOf(reason) === 'function_clause' && typeof first.args === 'object') || nameOf(reason) === 'undef')
  const shown = isCall ? frames.slice(1) : frames
  const explained = isCall ? explainCall(nameOf(reason) as string, first, space, start, print) : explain(kind, reason, space, start, print)
  const lines = withoutInner(shown).map((frame, i) => frameText(frame, i === 0, `${space}  `, print))
  return [start + explained, ...lines].join('\n')
}

function framesOf(stack: Term): Frame[] | undefined {
  if (!Array.isArray(stack)) return undefined
  const frames: Frame[] = []
  for (const entry of stack as readonly Term[]) {
    const [module, fun, args, info] = entry instanceof Tuple && entry.length === 4 ? (entry.elements as readonly Term[]) : []
    const [m, f] = [nameOf(module), nameOf(fun)]
    if (m === undefined || f === undefined || !(Number.isInteger(args) || Array.isArray(args)) || !Array.isArray(info)) return undefined
    frames.push({ module: m, fun: f, args: args as number | Term[], info })
  }
  return frames
}

/** Frames of the interpreter and of proc_lib at the end say nothing. */
function withoutInner(frames: readonly Frame[]): readonly Frame[] {
  let end = frames.length
  while (end > 0 && ['erl_eval', 'proc_lib'].includes((frames[end - 1] as Frame).module)) end--
  return frames.slice(0, end)
}

const nameOf = (term: Term | undefined): string | undefined =>
  term instanceof Atom ? term.name : typeof term === 'boolean' ? String(term) : term === null ? 'nil' : undefined

/** Reasons that stand for themselves */
const plain: Readonly<Record<string, string>> = {
  badarg: 'bad argument',
  badarith: 'an error occurred when evaluating an arithmetic expression',
  if_clause: 'no true branch found when evaluating an if expression',
  noproc: 'no such process or port',
  notalive: 'the node cannot be part of a distributed system',
  system_limit: 'a system limit has been reached',
  timeout_value: 'bad receive timeout value',
}

/** `{Reason, Value}` */
const valued: Readonly<Record<string, string>> = {
  badarg: 'bad argument: ',
  badkey: 'bad key: ',
  badmap: 'bad map: ',
  badfun: 'bad function ',
  badmatch: 'no match of right hand side value ',
  case_clause: 'no case clause matching ',
  else_clause: 'no else clause matching ',
  try_clause: 'no try clause matching ',
  bad_filter: 'bad filter ',
  bad_generator: 'bad generator ',
  bad_generators: 'bad generators: ',
}

function explain(kind: string, reason: Term, space: string, start: string, print: Print): string {
  const name = nameOf(reason)
  if (kind === 'error' && name !== undefined && Object.hasOwn(plain, name)) return plain[name] as string
  if (kind === 'exit' && name === 'calling_self') return 'the current process attempted to call itself'
  const [tag, value] = reason instanceof Tuple && reason.length === 2 ? [reason.tag ?? '', reason.elements[1] as Term] : ['', null]
  if (kind === 'error' && Object.hasOwn(valued, tag)) return valueText(valued[tag] as string, value, space, start, print)
  if (kind === 'error' && tag === 'badarity' && value instanceof Tuple) {
    const [fun, args] = value.elements as readonly [Term, Term]
    if ((fun instanceof Fun || fun instanceof ExportFun) && Array.isArray(args))
      return `${funText(fun)} called with ${countText(args.length)}`
  }
  if (kind === 'error' && tag === 'unbound') return ioLibFormat('variable ~w is unbound', [value])
  return print(reason, space.length + 1 + start.length)
}

const countText = (count: number): string => ['no arguments', 'one argument', 'two arguments'][count] ?? `${count} arguments`

function funText(fun: Fun | ExportFun): string {
  if (fun instanceof ExportFun) return callee(fun.module.name, fun.fun.name, fun.arity)
  return ioLibFormat('~w', [fun])
}

const lineEnds = (text: string): number => text.split('\n').length - 1

/** A value of several lines begins on one of its own, where that makes it shorter. */
function valueText(text: string, value: Term, space: string, start: string, print: Print): string {
  const behind = print(value, space.length + text.length + start.length + 1)
  if (lineEnds(behind) < 2) return text + behind
  const below = print(value, space.length + 1 + start.length)
  return lineEnds(below) < lineEnds(behind) ? `${text}\n${space}${' '.repeat(start.length)}${below}` : text + behind
}

function explainCall(reason: string, { module, fun, args, info }: Frame, space: string, start: string, print: Print): string {
  if (reason === 'undef') return `undefined function ${callee(module, fun, arityOf(args))}`
  return `${callText('no function clause matching ', space + ' '.repeat(start.length), module, fun, args as readonly Term[], print)} ${place(info)}`
}

const arityOf = (args: Frame['args']): number => (typeof args === 'number' ? args : args.length)

/** `m:f/1`; of erlang, what is auto-imported or an operator by its name alone */
const callee = (module: string, fun: string, arity: number): string => `${calleeName(module, fun, arity)}/${arity}`

function calleeName(module: string, fun: string, arity: number): string {
  if (module === 'erlang' && autoImported.has(`${fun}/${arity}`)) return ioLibFormat('~w', [Atom.intern(fun)])
  if (isOperator(module, fun, arity)) return fun === '/' ? "'/'" : fun
  return `${ioLibFormat('~w', [Atom.intern(module)])}:${formatAtom(fun)}`
}

const isOperator = (module: string, fun: string, arity: number): boolean => module === 'erlang' && operators.has(`${fun}/${arity}`)

function place(info: readonly Term[]): string {
  const of = (key: string): Term | undefined =>
    info.flatMap(entry => (entry instanceof Tuple && entry.tag === key ? [entry.elements[1] as Term] : []))[0]
  const [file, line] = [of('file'), of('line')]
  return file === undefined || line === undefined ? '' : ioLibFormat('(~ts:~w)', [file, line])
}

function frameText({ module, fun, args, info }: Frame, first: boolean, space: string, print: Print): string {
  const origin = !first ? 'in call from' : isOperator(module, fun, arityOf(args)) ? 'in operator ' : 'in function '
  const head = `${space}${origin} ${callee(module, fun, arityOf(args))}`
  if (typeof args === 'number') return `${head} ${place(info)}`
  const called = `${space}   called as `
  return `${head}\n${called}${callText('', called, module, fun, args, print)}`
}

/** `m:f(A, B)`, or an operator between its arguments. @param before what stands on the line, its length counts */
function callText(text: string, before: string, module: string, fun: string, args: readonly Term[], print: Print): string {
  if (isOperator(module, fun, args.length)) return text + operatorText(text, before, fun, args, print)
  const name = calleeName(module, fun, args.length)
  const [behind, below] = [before.length + text.length + name.length, before.length + name.length]
  const [one, two] = [argsText(args, behind, print), argsText(args, below, print)]
  const tooFar = lineEnds(argsText([Atom.intern('a2345'), Atom.intern('b2345')], behind, print)) > 0
  return tooFar || lineEnds(two) < lineEnds(one) ? `${text}\n${before}${name}${two}` : text + name + one
}

function operatorText(text: string, before: string, operator: string, [a, b]: readonly Term[], print: Print): string {
  const column = text.length + before.length
  if (b === undefined) return `${operator} ${print(a as Term, column + operator.length + 2)}`
  const [left, right] = [print(a as Term, column + 1), print(b, column + 1)]
  const line = `\n${' '.repeat(column)}`
  if (lineEnds(left) > 0) return left + line + operator + line + right
  const behind = print(b, column + operator.length + 2 + left.length + 1)
  return lineEnds(right) < lineEnds(behind) ? left + line + operator + line + right : `${left} ${operator} ${behind}`
}

/** In parentheses; a list of characters is no string here. */
function argsText(args: readonly Term[], column: number, print: Print): string {
  const [first, ...rest] = args
  const all = print([...args], column + 1)
  if (!all.startsWith('"') || !isInteger(first)) return `(${all.slice(1, -1)})`
  const digits = String(first)
  const printed = print([Atom.intern('a'.repeat(digits.length)), ...rest], column + 1)
  return `(${digits}${printed.slice(1 + digits.length, -1)})`
}
