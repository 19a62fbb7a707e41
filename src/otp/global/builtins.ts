/** What other nodes may call of `global` by rpc. Source: the manual of global, and global.erl, resolve_it. */
import { atom, Pid, type Term } from '../../term/index.js'
import type { Builtins } from '../rpc/builtins.js'
import type { GlobalService } from './service.js'

const nobody = atom('undefined')

export const globalBuiltins = (global: GlobalService): Builtins => ({
  global: {
    'whereis_name/1': (_, name) => global.whereis(name as Term) ?? nobody,
    'registered_names/0': () => global.server?.names.entries().map(({ name }) => name),
    // The node that joins our partition with another asks whose a name is.
    'resolve_it/4': (self, method, name, pid1, pid2) =>
      pid1 instanceof Pid && pid2 instanceof Pid ? global.methods.apply(self, method as Term, name as Term, pid1, pid2) : undefined,
  },
})
