/**
 * What a node tells of its applications by rpc and erpc (`erpc:execute_call/4`), as a BEAM node would. It starts, stops and sets nothing for others: see builtins.ts.
 *
 * Source: the manual of application; application_controller.erl and application_master.erl, which appmon and observer ask.
 */
import { ErlangError, ExitError, type Process } from '../../process/index.js'
import { Atom, atom, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import type { Applications } from './applications.js'
import { restartTypes } from './controller.js'
import type { Builtins } from '../rpc/builtins.js'
import { askMaster } from './master-call.js'
import type { ProcessGroups } from '../process-info/groups.js'

const undef = atom('undefined')

const noClause = (fun: string, arg: Term): never => {
  throw new ErlangError(atom('function_clause'), [tuple(atom('application'), atom(fun), [arg], [])])
}

const error = (why: string, about: unknown): Sendable => tuple(atom('error'), tuple(atom(why), about as Term))

const isRestartType = (type: unknown): boolean => type instanceof Atom && restartTypes.includes(type.name)

const ok = (value: Sendable | undefined): Sendable => (value === undefined ? undef : tuple(atom('ok'), value))

export function applicationBuiltins({ controller }: Applications, groups: ProcessGroups): Builtins {
  const { loaded } = controller
  const textOf = (key: unknown): string | undefined => (key instanceof Atom ? key.name : undefined)
  const env = (name: unknown, key: unknown): Term | undefined => loaded.env(name as Atom, textOf(key) ?? '')
  const allEnv = (name: unknown): Sendable => loaded.allEnv(name as Atom).map(([key, value]) => tuple(atom(key), value))
  const key = (name: unknown, wanted: unknown): Sendable => ok(loaded.key(name as Atom, textOf(wanted) ?? ''))
  const allKeys = (name: unknown): Sendable => ok(loaded.keys(name as Atom))
  const ofCaller = ({ groupLeader }: Process): Atom | undefined => controller.withMaster(groupLeader)
  const master = (name: unknown): Pid | undefined => controller.master(name as Atom)
  const which = (): Sendable => controller.which()
  const list = (): Sendable => loaded.list()
  const info = (): Sendable => controller.info()
  return {
    application: {
      'which_applications/0': which,
      'which_applications/1': (_, timeout) => {
        const isTimeout = timeout === atom('infinity') || (Number.isInteger(timeout) && (timeout as number) >= 0)
        return isTimeout ? which() : noClause('which_applications', timeout as Term)
      },
      'loaded_applications/0': list,
      'info/0': info,
      'get_env/1': (self, name) => ok(env(ofCaller(self), name)),
      'get_env/2': (_, name, par) => ok(env(name, par)),
      'get_env/3': (_, name, par, other) => env(name, par) ?? (other as Term),
      'get_all_env/0': self => allEnv(ofCaller(self)),
      'get_all_env/1': (_, name) => allEnv(name),
      'get_key/1': (self, wanted) => key(ofCaller(self), wanted),
      'get_key/2': (_, name, wanted) => key(name, wanted),
      'get_all_key/0': self => (ofCaller(self) ? allKeys(ofCaller(self)) : []),
      'get_all_key/1': (_, name) => allKeys(name),
      'get_application/0': self => ok(ofCaller(self)),
      'get_application/1': async (self, of) => {
        if (of instanceof Atom) return ok(loaded.withModule(of))
        if (!(of instanceof Pid)) return noClause('get_application', of as Term)
        if (of.node !== self.pid.node)
          throw new ErlangError(atom('badarg'), [tuple(atom('erlang'), atom('process_info'), [of, atom('group_leader')], [])])
        const leader = await groups.leaderOf(of)
        return ok(leader && controller.withMaster(leader))
      },
      'get_supervisor/1': async (self, name) => {
        const pid = master(name)
        const child = pid && (await askMaster(self, pid, 'get_child'))
        return child instanceof Tuple ? ok(child.elements[0] as Pid) : undef
      },
      // As a node says it that knows of no distributed application. One that has no `dist_ac` waits for it for ever.
      'takeover/2': (_, name, type) =>
        error(isRestartType(type) ? 'not_running_distributed' : 'invalid_restart_type', isRestartType(type) ? name : type),
      'permit/2': (_, name, flag) => {
        if (typeof flag !== 'boolean') throw new ExitError(tuple(atom('badarg'), tuple(atom('application'), atom('permit'), [name, flag])))
        return loaded.get(name as Atom) ? tuple(atom('error'), atom('not_allowed')) : error('not_loaded', name)
      },
      'start_type/0': self => {
        const name = ofCaller(self)
        return name ? controller.startType(name) : undef
      },
    },
    application_controller: {
      'which_applications/0': which,
      'which_applications/1': which,
      'loaded_applications/0': list,
      'info/0': info,
      'get_env/2': (_, name, par) => ok(env(name, par)),
      'get_all_env/1': (_, name) => allEnv(name),
      'get_key/2': (_, name, wanted) => key(name, wanted),
      'get_all_key/1': (_, name) => allKeys(name),
      'get_master/1': (_, name) => master(name) ?? undef,
      'get_application/1': (_, leader) => ok(leader instanceof Pid ? controller.withMaster(leader) : undefined),
    },
    application_master: {
      'get_child/1': (self, pid) => (pid instanceof Pid ? askMaster(self, pid, 'get_child') : undefined),
    },
  }
}
