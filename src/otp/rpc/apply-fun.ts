/** A fun of the BEAM has no code here: it is applied on its node. An external fun is applied where the one who sent it is. */
import type { Process } from '../../process/index.js'
import { type Atom, atom, ExportFun, type Fun, type Term } from '../../term/index.js'
import * as erpc from './erpc.js'
import type { CallOptions } from '../gen/gen.js'

/** @throws RpcError with what the fun raised. */
export function applyFun(self: Process, fun: Fun | ExportFun, node: Atom, args: readonly Term[], options?: CallOptions): Promise<Term> {
  return new Promise((resolve, reject) => {
    self.spawn(async worker => {
      const called =
        fun instanceof ExportFun
          ? erpc.call(worker, node, fun.module, fun.fun, args, options)
          : erpc.call(worker, fun.pid.node, atom('erlang'), atom('apply'), [fun, args], options)
      await called.then(resolve, reject)
    })
  })
}
