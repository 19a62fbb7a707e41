/**
 * `{via, Module, Name}`: names that a module of loaded code keeps (`node.code.load`). What is asked of it, each with `this` = the process that asks:
 *
 *   registerName(name, pid)   true, or false when another process has the name; it may be async
 *   unregisterName(name)      after an init that did not succeed; a module learns of other ends by a monitor of its own
 *   whereisName(name)         the pid, or undefined, at once
 *   send(name, message)       at once
 *
 * `yes`, `no` and `undefined` as atoms are taken, too.
 *
 * Source: gen.erl (where, register_name, unregister_name), the manual of gen_server (server_name()).
 */
import type { Code } from '../../node/code.js'
import { type Process, ProcessError, type ViaNames } from '../../process/index.js'
import { type Atom, atom, Pid, type Sendable } from '../../term/index.js'

export const viaNames = (code: Code): ViaNames => {
  const ask = (self: Process, module: Atom, fun: string, ...args: readonly Sendable[]): unknown => {
    if (code.find(module, atom(fun) as Atom, args.length)) return code.apply(self, module, atom(fun) as Atom, args)
    const remedy = `load it with node.code.load('${module.name}', …), here and in each place where it is needed; a module of a BEAM node cannot be asked`
    throw new ProcessError('ERR_VIA', `There is no function ${fun} of a module '${module.name}' here: ${remedy}.`)
  }
  const atOnce = (what: unknown, module: Atom, fun: string): unknown => {
    if (!(what instanceof Promise)) return what
    // What comes of it concerns nobody any more.
    what.catch(() => {})
    throw new ProcessError('ERR_VIA', `The function ${fun} of the module '${module.name}' is async: it has to return at once.`)
  }
  return {
    whereis(self, module, name) {
      const found = atOnce(ask(self, module, 'whereisName', name), module, 'whereisName')
      return found instanceof Pid ? found : undefined
    },
    async register(self, module, name) {
      const answer = await ask(self, module, 'registerName', name, self.pid)
      return answer === true || answer === atom('yes')
    },
    unregister: (self, module, name) => ask(self, module, 'unregisterName', name),
    send: (self, module, name, message) => void atOnce(ask(self, module, 'send', name, self.host.copy(message)), module, 'send'),
  }
}
