/**
 * Functions of OTP's own modules that other nodes may call by rpc and erpc (`erpc:execute_call/4`) or spawn, as on a BEAM node:
 * `rpc:call(Node, erlang, process_info, [Pid])`. They tell, and change nothing: other nodes are handed no shell.
 */
import type { Kernel } from '../../node/kernel.js'
import { ErlangError, type Process } from '../../process/index.js'
import { atom, type Sendable, Tuple, type Term } from '../../term/index.js'

/** What it answers; undefined is `badarg`. */
export type Builtin = (self: Process, ...args: any[]) => Sendable | undefined | Promise<Sendable | undefined>

/** By module, then by `function/arity` */
export type Builtins = Readonly<Record<string, Readonly<Record<string, Builtin>>>>

/** Makes them callable; a module may be in several tables. Nobody can load modules of these names. */
export function serveBuiltins(kernel: Kernel<any>, ...tables: readonly Builtins[]): void {
  const modules = new Map<string, Record<string, Builtin>>()
  for (const table of tables) {
    for (const [module, functions] of Object.entries(table)) modules.set(module, { ...modules.get(module), ...functions })
  }
  for (const [module, functions] of modules) kernel.code.reserve(module, callable(module, functions))
}

function callable(
  module: string,
  functions: Readonly<Record<string, Builtin>>,
): Record<string, (this: Process, ...args: Term[]) => unknown> {
  const names = new Set(Object.keys(functions).map(name => name.split('/')[0] as string))
  const made = [...names].map(name => [
    name,
    async function (this: Process, ...args: Term[]): Promise<Sendable> {
      const builtin = functions[`${name}/${args.length}`]
      const answer = await builtin?.(this, ...args)
      if (answer !== undefined) return answer
      throw new ErlangError(atom(builtin ? 'badarg' : 'undef'), [new Tuple([atom(module), atom(name), args, []]) as Term])
    },
  ])
  return Object.fromEntries(made)
}
