/** What the fields of identities, funs and records may hold. Each function tells what is wrong, or nothing. */
import { Atom, ExportFun, type Fun, type NativeRecord, Pid, Port, type Reference } from '../term/index.js'

export function faultOf(value: Pid | Port | Reference | ExportFun): string | undefined {
  if (value instanceof ExportFun) return faultOfExportFun(value)
  if (!(value.node instanceof Atom) || !isU32(value.creation))
    return `A ${value.kind} needs an atom for its node, and a creation of 32 bits.`
  if (value instanceof Pid) return isU32(value.id) && isU32(value.serial) ? undefined : 'The id and the serial of a pid have 32 bits.'
  if (value instanceof Port) return isU64(value.id) ? undefined : 'The id of a port is a bigint of 64 bits.'
  const { words } = value
  return words.length >= 1 && words.length <= 5 && words.every(isU32) ? undefined : 'A reference has one to five words of 32 bits.'
}

/** OTP 27 dies of an arity above 255: none is ever sent. */
function faultOfExportFun({ module, fun, arity }: ExportFun): string | undefined {
  return isAtom(module) && isAtom(fun) && isU8(arity) ? undefined : 'An export fun needs two atoms, and an arity of 0 to 255.'
}

export function faultOfFun(fun: Fun): string | undefined {
  if (!isAtom(fun.module) || !isU8(fun.arity) || !isU32(fun.index))
    return 'A fun needs an atom for its module, an arity of 8 bits and an index of 32.'
  if (!(fun.uniq instanceof Uint8Array) || fun.uniq.length !== 16) return 'The uniq of a fun has 16 bytes.'
  if (!Number.isSafeInteger(fun.oldIndex) || !Number.isSafeInteger(fun.oldUniq)) return 'The oldIndex and oldUniq of a fun are integers.'
  if (fun.free.length > 255) return 'A fun closes over at most 255 values.'
  return fun.pid instanceof Pid ? faultOf(fun.pid) : 'A fun needs the pid of its maker.'
}

export function faultOfRecord(record: NativeRecord): string | undefined {
  return isAtom(record.module) && isAtom(record.name) && isU8(record.flags) && record.fields.every(([field]) => isAtom(field))
    ? undefined
    : 'A native record needs atoms for its module, name and fields, and flags of 8 bits.'
}

const isAtom = (value: unknown): boolean => value instanceof Atom
const isU8 = (value: number): boolean => (value & 0xff) === value
const isU32 = (value: number): boolean => value >>> 0 === value
const isU64 = (value: bigint): boolean => typeof value === 'bigint' && BigInt.asUintN(64, value) === value
