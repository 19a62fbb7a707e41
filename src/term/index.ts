export { Atom, atom, atomCount, atomExists, type AtomOf } from './atom.js'
export { compare } from './compare.js'
export { BitString, Float, float, ImproperList, LocalTerm, NativeRecord } from './containers.js'
export { equals } from './equals.js'
export { NodeError, type NodeErrorOptions, TermError, TermSyntaxError } from './error.js'
export { format, type FormatOptions } from './format.js'
export { ExportFun, Fun, type FunParts } from './fun.js'
export { get } from './get.js'
export { Pid, Port, Reference } from './identity.js'
export {
  isAtom,
  isBinary,
  isBitstring,
  isBoolean,
  isFloat,
  isFun,
  isInteger,
  isList,
  isMap,
  isNumber,
  isPid,
  isPort,
  isRef,
  isTuple,
} from './match-guards.js'
export { any, match } from './match.js'
export type { Any, MapWith, Matched, Matcher, Pattern } from './match-types.js'
export { hostNode } from './node-number.js'
export { parse } from './parse.js'
export { charlist, text } from './text.js'
export { Tuple, tuple } from './tuple.js'
export type { Received, Sendable, SendableArray, SendableMap, SendableObject, Sent, Term, TermArray, TermMap } from './types.js'
