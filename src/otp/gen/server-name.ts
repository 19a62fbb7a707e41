/** What names a server, and whom it stands for. Source: gen.erl (where, register_name, name). */
import {
  addressOf,
  atomOf,
  ErlangError,
  ExitError,
  type GlobalName,
  isFarName,
  type Process,
  type Processes,
  ProcessError,
  type To,
  type ViaName,
} from '../../process/index.js'
import type { Tuple } from '../../term/index.js'
import { Atom, atom, type Pid, type Sendable, type Term, tuple } from '../../term/index.js'

/** What a process that is started may be called */
export type StartName = string | Atom | GlobalName | ViaName

/** What names a server: its pid, a name on this node, a name on any, one of the whole cluster, or one that a module keeps. */
export type ServerName = Pid | string | Atom | { readonly name: string | Atom; readonly node: string | Atom } | GlobalName | ViaName

/** Whom a call or a cast may go to */
export type Server = To | GlobalName | ViaName

/** `{global, Name}` or `{via, Module, Name}` */
export type FarName = Tuple<[Atom, Term]> | Tuple<[Atom, Atom, Term]>

const [global, via] = [atom('global') as Atom, atom('via') as Atom]

const isViaName = (server: unknown): server is ViaName => isFarName(server) && 'via' in server

/** As Erlang has it. @throws ProcessError ERR_NAME, ERR_BADARG; EtfError */
export function farName(processes: Processes, name: GlobalName | ViaName): FarName {
  if (!isViaName(name)) return tuple(global, processes.copy(name.global))
  const given: readonly unknown[] = Array.isArray(name.via) ? name.via : []
  if (given.length !== 2) throw new ProcessError('ERR_BADARG', 'A name that a module keeps is { via: [module, name] }.')
  return tuple(via, atomOf(given[0] as string | Atom), processes.copy(given[1] as Sendable))
}

/** What nobody can be registered as: a call to it ends with `noproc`. */
const nobody = 'undefined'

/** Who it is now. A name that nobody has is nobody, and no error. @throws ProcessError ERR_VIA; what the module throws */
export function located(self: Process, server: Server): To {
  if (!isFarName(server)) return server
  return whereis(self, server) ?? { name: nobody, node: self.host.table.node }
}

/** @throws as `located` */
export const whereis = (self: Process, name: GlobalName | ViaName): Pid | undefined => whereisFar(self, farName(self.host, name))

function whereisFar(self: Process, { elements }: FarName): Pid | undefined {
  const { host } = self
  if (elements.length === 2) return host.clusterNames?.whereis(elements[1])
  return host.viaNames?.whereis(self, elements[1], elements[2])
}

/** Gives a process that is starting its name. @throws ProcessError ERR_NAME_TAKEN, ERR_VIA; what the module throws */
export async function claim(self: Process, name: FarName): Promise<void> {
  const { clusterNames, viaNames } = self.host
  const { elements } = name
  if (elements.length === 2 && (await clusterNames?.register(self, elements[1]))) return
  if (elements.length === 3 && !whereisFar(self, name) && (await viaNames?.register(self, elements[1], elements[2]))) return
  throw nameTaken()
}

/** Its init did not succeed. What `global` keeps goes with the process. @throws as `claim` */
export function disclaim(self: Process, { elements }: FarName): unknown {
  return elements.length === 3 ? self.host.viaNames?.unregister(self, elements[1], elements[2]) : undefined
}

export const nameTaken = (): ProcessError =>
  new ProcessError('ERR_NAME_TAKEN', 'The name belongs to another process: unregister that first, or choose another name.')

/** Sends a message to whoever has the name. A module that keeps names does so itself. @throws ProcessError ERR_NOT_REGISTERED, ERR_VIA; what the module throws */
export function sendNamed(self: Process, to: GlobalName | ViaName, message: Sendable): void {
  if (isViaName(to)) {
    const [, module, name] = farName(self.host, to).elements as readonly [Atom, Atom, Term]
    return self.host.viaNames?.send(self, module, name, message)
  }
  const pid = whereis(self, to)
  if (!pid) throw new ProcessError('ERR_NOT_REGISTERED', `No process is known here that has ${textOf(to)}.`)
  self.send(pid, message)
}

/** Sends a message, without a word when nobody has the name, as a cast in OTP. A module that has a fault is told. */
export function castTo(self: Process, server: Server, message: Sendable): void {
  if (!isViaName(server)) return void self.send(addressed(self, located(self, server)), message)
  try {
    sendNamed(self, server, message)
  } catch (error) {
    // What is no fault of the module says that nobody has the name: `send` of OTP's modules exits then.
    if (error instanceof Error && !(error instanceof ExitError || error instanceof ErlangError)) throw error
  }
}

/** A name of this node with its node: that nobody has it is no error then. */
export const addressed = (self: Process, to: To): To =>
  typeof to === 'string' || to instanceof Atom ? { name: to, node: self.pid.node } : to

/** Does it live on this node, as far as its name tells? */
export function isHere(self: Process, server: Server): boolean {
  const at = addressOf(located(self, server), self.host.table.node)
  return at.node === self.host.table.node
}

/** As errors say it */
export function textOf(server: Server): string {
  if (typeof server === 'string') return `'${server}'`
  if (isViaName(server)) return `the name ${String(server.via[1])} that '${String(server.via[0])}' keeps`
  if (isFarName(server)) return `the global name ${String(server.global)}`
  if (server instanceof Atom || !('name' in server)) return String(server)
  return `${String(server.name)} on ${String(server.node)}`
}
