/** What names a server, and whom it stands for. Source: gen.erl (where, register_name, name). */
import { addressOf, type Process, type Processes, ProcessError, type To } from '../../process/index.js'
import { Atom, type Pid, type Sendable, type Term } from '../../term/index.js'

/** `{global, Name}`: a name that all nodes of the cluster know. Any term; a string is a binary there. */
export interface GlobalName {
  readonly global: Sendable
}

/** What names a server: its pid, a name on this node, a name on any, or one of the whole cluster. */
export type ServerName = Pid | string | Atom | { readonly name: string | Atom; readonly node: string | Atom } | GlobalName

/** Whom a call or a cast may go to */
export type Server = To | GlobalName

export const isGlobalName = (server: unknown): server is GlobalName => typeof server === 'object' && server !== null && 'global' in server

/** What nobody can be registered as: a call to it ends with `noproc`. */
const nobody = 'undefined'

/** Who it is now. A cluster's name that nobody has is nobody, and no error. */
export function located(processes: Processes, server: Server): To {
  if (!isGlobalName(server)) return server
  return whereis(processes, server) ?? { name: nobody, node: processes.table.node }
}

export const whereis = (processes: Processes, { global: name }: GlobalName): Pid | undefined =>
  processes.clusterNames?.whereis(processes.copy(name))

/** Gives a process that is starting its name. @throws ProcessError ERR_NAME_TAKEN */
export async function claim(self: Process, name: Term): Promise<void> {
  if (await self.host.clusterNames?.register(self, name)) return
  throw nameTaken()
}

export const nameTaken = (): ProcessError =>
  new ProcessError('ERR_NAME_TAKEN', 'The name belongs to another process of the cluster: unregister that first.')

/** Does it live on this node, as far as its name tells? */
export function isHere(processes: Processes, server: Server): boolean {
  const at = addressOf(located(processes, server), processes.table.node)
  return at.node === processes.table.node
}

/** As errors say it */
export function textOf(server: Server): string {
  if (typeof server === 'string') return `'${server}'`
  if (isGlobalName(server)) return `the global name ${String(server.global)}`
  if (server instanceof Atom || !('name' in server)) return String(server)
  return `${String(server.name)} on ${String(server.node)}`
}
