/**
 * What is told of modules: those that are loaded, those whose behaviours run here, and Beamlet's own. Nothing of it is loaded or changed for who asks.
 *
 * Source: the manuals of code and erlang (function_exported/3), and the reference manual's "Modules" (module_info/0, 1).
 */
import type { Kernel } from '../node/kernel.js'
import type { Builtins } from '../otp/rpc/builtins.js'
import { behaviours } from '../otp/gen/start.js'
import { sendRequest, receiveResponse } from '../otp/gen/gen.js'
import { ErlangError, ExitError, type Process, ProcessError, type To } from '../process/index.js'
import { Atom, atom, Pid, Tuple, type Sendable, type Term, tuple } from '../term/index.js'

/** Of every module that is known: `Module:module_info/0` and `/1`. */
export function serveModuleInfo({ code }: Kernel<any>): void {
  const moduleInfo = (module: Atom) => {
    if (!code.isLoaded(module) && !behaviours.has(module) && !standing.has(module)) return undefined
    return (...args: Term[]): Sendable => {
      const all = infoOf(code, module)
      if (args.length === 0) return [...all].map(([key, value]) => tuple(atom(key), value as Term))
      const found = args[0] instanceof Atom ? all.get(args[0].name) : undefined
      if (args.length === 1 && found !== undefined) return found
      throw new ErlangError(atom(args.length === 1 ? 'badarg' : 'undef'), [tuple(module, atom('module_info'), args, [])])
    }
  }
  code.generated.set(atom('module_info') as Atom, moduleInfo)
}

/** Modules of OTP for which processes here stand, though nobody can call them */
const standing = new Map<Atom, Atom | null>([
  [atom('supervisor') as Atom, atom('gen_server') as Atom],
  [atom('gen_event') as Atom, null],
])

function infoOf(code: Kernel['code'], module: Atom): Map<string, Sendable> {
  const exports = [...(code.functionsOf(module) ?? [])].map(([name, fun]) => tuple(name, fun.length))
  const generated = [0, 1].map(arity => tuple(atom('module_info'), arity))
  const behaviour = standing.get(module) ?? behaviours.get(module)
  return new Map<string, Sendable>([
    ['module', module],
    ['exports', [...exports, ...generated]],
    ['functions', [...exports, ...generated]],
    ['attributes', behaviour ? [tuple(atom('behaviour'), [behaviour])] : []],
    ['compile', []],
  ])
}

export function moduleBuiltins({ code }: Kernel<any>): Builtins {
  const ensure = (module: unknown): Sendable | undefined => {
    if (!(module instanceof Atom)) return undefined
    return code.isLoaded(module) ? tuple(atom('module'), module) : tuple(atom('error'), atom('nofile'))
  }
  return {
    erlang: {
      'function_exported/3': (_, module, fun, arity) =>
        module instanceof Atom && fun instanceof Atom && Number.isInteger(arity)
          ? code.find(module, fun, arity as number) !== undefined
          : undefined,
      'module_loaded/1': (_, module) => (module instanceof Atom ? code.isLoaded(module) : undefined),
      // Of JavaScript's heap a process has no part that could be cleared for it alone.
      'garbage_collect/1': (_, pid) => (pid instanceof Pid ? true : undefined),
    },
    code: {
      'ensure_loaded/1': (_, module) => ensure(module),
    },
    sys: {
      'get_status/1': (self, to) => ask(self, 'get_status', to, 5000, [to]),
      'get_status/2': (self, to, timeout) => ask(self, 'get_status', to, timeout, [to, timeout]),
      'get_state/1': (self, to) => state(self, to, 5000, [to]),
      'get_state/2': (self, to, timeout) => state(self, to, timeout, [to, timeout]),
    },
  }
}

async function state(self: Process, to: Term, timeout: Term, args: Term[]): Promise<Term | undefined> {
  const told = await ask(self, 'get_state', to, timeout, args)
  if (!(told instanceof Tuple)) return told
  const [outcome, value] = told.elements as readonly Term[]
  if (outcome === atom('ok')) return value
  throw new ErlangError(value as Term)
}

/** A system message. What fails is the exit that sys makes of it: `{Reason, {sys, Fun, Args}}`. */
async function ask(self: Process, request: string, to: Term, timeout: Term, args: Term[]): Promise<Term | undefined> {
  const ms = timeout === atom('infinity') ? Infinity : timeout
  if (typeof ms !== 'number' || !(ms >= 0)) return undefined
  const target = to instanceof Tuple && to.length === 2 ? { name: to.elements[0] as Atom, node: to.elements[1] as Atom } : to
  if (!(target instanceof Pid || target instanceof Atom || (target as object) !== to)) return undefined
  const fails = (why: Term): ExitError => new ExitError(tuple(why, tuple(atom('sys'), atom(request), args)))
  try {
    const known = target instanceof Atom ? { name: target, node: self.pid.node } : (target as To)
    return await receiveResponse(self, sendRequest(self, known, atom(request), atom('system') as Atom), { timeout: ms })
  } catch (error) {
    if (error instanceof ExitError) throw fails(error.reason)
    if (error instanceof ProcessError && error.code === 'ERR_TIMEOUT') throw fails(atom('timeout'))
    throw error
  }
}
