/**
 * `node.pg` and `self.pg`: OTP's process groups. A group has members on many nodes; every node knows them all, and each joins its own.
 *
 * @example
 * ```ts
 * import { Node } from 'beamlet'
 * import assert from 'node:assert/strict'
 *
 * await using node = await Node.start({ name: 'pg-docs@127.0.0.1', cookie: 'secret' })
 * const worker = node.spawn(async self => {
 *   for await (const _ of self);
 * })
 * node.pg.join('workers', worker)
 * assert.deepEqual(node.pg.members('workers'), [worker])
 * assert.equal(node.pg.leave('workers', worker), true)
 * ```
 */
import { flags } from '../../dist/flags.js'
import type { Kernel } from '../../node/kernel.js'
import { atomOf, type Process, ProcessError, type Processes } from '../../process/index.js'
import { type Atom, atom, equals, Pid, type Reference, type Sendable, type Term, type TermMap, Tuple, tuple } from '../../term/index.js'
import { call } from '../gen/gen.js'
import { PgGroups } from './groups.js'
import { PgScope } from './scope.js'

/** The scope that every node has */
const defaultScope = atom('pg') as Atom

/**
 * The scopes of a node: main has them, and each other place a copy of who is in which group.
 *
 *   main → place    pg_changed, Scope, Group, Add, Remove
 *                   pg_over, Scope
 */
export class PgScopes {
  readonly processes: Processes
  /** null elsewhere than in main */
  readonly #scopes: Map<Atom, PgScope> | null
  readonly #kernel: Kernel<any>
  #drains = false
  /** Elsewhere than in main: the members of all nodes, as main has told */
  readonly #copies = new Map<Atom, PgGroups>()

  constructor(kernel: Kernel<any>) {
    this.#kernel = kernel
    this.processes = kernel.processes
    this.#scopes = kernel.uplink ? null : new Map()
    if (!this.#scopes) {
      kernel.notices.set('pg_changed', (scope: Atom, group: Term, add: Pid[], remove: Pid[]) => this.#changed(scope, group, add, remove))
      kernel.notices.set('pg_over', (scope: Atom) => this.#copies.delete(scope))
      return
    }
    kernel.greetings.push(() => this.#members())
    kernel.on('nodeup', name => {
      for (const scope of this.#scopes?.values() ?? []) this.#discover(scope, name)
    })
    this.scope(defaultScope)
  }

  /** Is there, or is started. null elsewhere than in main. @throws ProcessError ERR_NAME_TAKEN */
  scope(name: Atom): PgScope | null {
    return this.#scopes && (this.#scopes.get(name) ?? this.#start(name, this.#scopes))
  }

  /** The members of all nodes, as they are known here; null: there is no such scope. In main it is started. */
  groups(name: Atom): PgGroups | null {
    return this.#scopes ? (this.scope(name)?.all ?? null) : (this.#copies.get(name) ?? null)
  }

  #changed(scope: Atom, group: Term, add: readonly Pid[], remove: readonly Pid[]): void {
    const groups = this.#copies.get(scope) ?? new PgGroups()
    this.#copies.set(scope, groups)
    groups.add(group, add)
    groups.remove(group, remove)
  }

  #members(): [what: string, ...args: Sendable[]][] {
    const scopes = [...(this.#scopes ?? [])]
    return scopes.flatMap(([name, { all }]) =>
      all.entries().map(([group, pids]) => ['pg_changed', name, group, pids, []] as [string, ...Sendable[]]),
    )
  }

  /** null: there is none, and none is started. */
  known(name: Atom): PgScope | null {
    return this.#scopes?.get(name) ?? null
  }

  /** All members of this node leave their groups: see PgScope.drain. @returns how many memberships there were */
  async drain(): Promise<number> {
    this.#drains = true
    const left = await Promise.all([...(this.#scopes?.values() ?? [])].map(scope => scope.drain()))
    return left.reduce((sum, count) => sum + count, 0)
  }

  #start(name: Atom, scopes: Map<Atom, PgScope>): PgScope {
    const peers = this.#kernel.main?.peers
    const self = this.processes.spawn(
      async self => {
        try {
          for await (const message of self) scope.onMessage(message)
        } finally {
          // Somebody has ended it: the next use starts another, without the members of this one, as in OTP.
          if (scopes.get(name) === scope) {
            scopes.delete(name)
            this.#kernel.tellPlaces('pg_over', name)
          }
        }
      },
      { name },
    )
    const isConnected = (node: Atom): boolean => (peers?.connectionTo(node.name) ?? null) !== null
    const changed = (group: Term, add: readonly Pid[], remove: readonly Pid[]): void =>
      this.#kernel.tellPlaces('pg_changed', name, group, add, remove)
    const scope = new PgScope(self, name, { isConnected, changed })
    scopes.set(name, scope)
    if (this.#drains) void scope.drain() // it has no members, and takes none
    for (const node of this.#kernel.nodes('connected')) this.#discover(scope, node)
    return scope
  }

  /** A C node, which spawns nothing, would take it for the answer that it waits for: erl_call does. */
  #discover(scope: PgScope, node: string): void {
    const { theirFlags } = this.#kernel.main?.peers.connectionTo(node)?.peer ?? {}
    if (theirFlags !== undefined && theirFlags & flags.SPAWN) scope.discover(atom(node) as Atom)
  }
}

/** One scope, as `node.pg`: see each method. Elsewhere than in main, `join` and `leave` ask main, and their effect shows a moment later. */
export class Pg {
  protected readonly scopes: PgScopes
  protected readonly name: Atom

  /** @internal */
  constructor(scopes: PgScopes, name: Atom = defaultScope) {
    this.scopes = scopes
    this.name = name
  }

  /**
   * Another scope, with groups of its own: `pg:start(Scope)`. It begins with its first use, and knows the other nodes' members when these
   * have answered.
   *
   * @throws ProcessError ERR_NAME, and ERR_NAME_TAKEN when a process that is no scope has that name.
   */
  scope(name: string | Atom): Pg {
    const scope = atomOf(name)
    this.scopes.scope(scope)
    return new Pg(this.scopes, scope)
  }

  /**
   * `pg:join/3`: processes of this node join a group. Who joins twice is a member twice. All are out of it when they end.
   *
   * @param group any term; a string is a binary there
   * @throws ProcessError ERR_NOLOCAL when one of them is no process of this node; EtfError for a group that is no term.
   */
  join(group: Sendable, pids: Pid | readonly Pid[]): void {
    const scope = this.#here()
    const [name, members] = [this.scopes.processes.copy(group), this.#own(pids)]
    if (scope) scope.join(name, members)
    else this.#ask(tuple(atom('join_local'), name, members))
  }

  /** `pg:leave/3`. False: none of them was in the group; elsewhere than in main that is not known, and it is true. @throws as `join` */
  leave(group: Sendable, pids: Pid | readonly Pid[]): boolean {
    const scope = this.#here()
    const [name, members] = [this.scopes.processes.copy(group), this.#own(pids)]
    if (scope) return scope.leave(name, members)
    this.#ask(tuple(atom('leave_local'), name, members))
    return true
  }

  /** `pg:get_members/2`: those of all nodes, as far as they are known here */
  members(group: Sendable): Pid[] {
    return [...(this.#groups()?.members(this.scopes.processes.copy(group)) ?? [])]
  }

  /** `pg:get_local_members/2`: those of this node */
  localMembers(group: Sendable): Pid[] {
    return this.members(group).filter(pid => this.#isLocal(pid))
  }

  /** `pg:which_groups/1`: those that have members */
  whichGroups(): Term[] {
    return this.#groups()?.names() ?? []
  }

  /** `pg:which_local_groups/1`: those that have members on this node */
  whichLocalGroups(): Term[] {
    const groups = this.#groups()?.entries() ?? []
    return groups.flatMap(([group, pids]) => (pids.some(pid => this.#isLocal(pid)) ? [group] : []))
  }

  #here(): PgScope | null {
    return this.scopes.scope(this.name)
  }

  #groups(): PgGroups | null {
    return this.scopes.groups(this.name)
  }

  #isLocal(pid: Pid): boolean {
    return pid.node === this.scopes.processes.table.node
  }

  #own(pids: Pid | readonly Pid[]): readonly Pid[] {
    const all = pids instanceof Pid ? [pids] : pids
    const stranger = all.find(pid => !(pid instanceof Pid) || !this.scopes.processes.table.owns(pid))
    if (stranger === undefined) return all
    throw new ProcessError('ERR_NOLOCAL', `${String(stranger)} is no process of this node: processes join on their own node.`)
  }

  /** The answer says nothing that is not known: it comes to the process of the node itself, which takes nothing. */
  #ask(request: Sendable): void {
    const { processes } = this.scopes
    const from = tuple(processes.init.pid, processes.table.makeRef())
    processes.send(processes.init, this.name, tuple(atom('$gen_call'), from, request))
  }
}

/** `self.pg`: as `node.pg`, and this process can be told of changes. */
export class ProcessPg extends Pg {
  readonly #self: Process

  /** @internal */
  constructor(scopes: PgScopes, self: Process, name?: Atom) {
    super(scopes, name)
    this.#self = self
  }

  override scope(name: string | Atom): ProcessPg {
    const scope = atomOf(name)
    this.scopes.scope(scope)
    return new ProcessPg(this.scopes, this.#self, scope)
  }

  /**
   * `pg:monitor/2`: the members of a group, and from now on a message {Ref, join | leave, Group, [Pid]} to this process for each change.
   *
   * @throws ExitError `noproc` when there is no such scope.
   */
  async monitor(group: Sendable): Promise<[ref: Reference, members: Pid[]]> {
    return this.#subscribe(tuple(atom('monitor'), group)) as Promise<[Reference, Pid[]]>
  }

  /** `pg:monitor_scope/1`: the groups and their members, and from now on messages as those of `monitor`, for all groups. */
  async monitorScope(): Promise<[ref: Reference, groups: TermMap]> {
    return this.#subscribe(atom('monitor')) as Promise<[Reference, TermMap]>
  }

  /** `pg:demonitor/2`: no more messages; those that wait are gone, too. False: there was no such monitor. */
  async demonitor(ref: Reference): Promise<boolean> {
    const found = (await call(this.#self, this.name, tuple(atom('demonitor'), ref), { timeout: Infinity })) === atom('ok')
    const told = (term: unknown): boolean => term instanceof Tuple && term.length === 4 && equals(term.elements[0], ref)
    if (found) while (this.#self.local.mailbox.take(told, 0) !== undefined) continue
    return found
  }

  async #subscribe(request: Sendable): Promise<[Reference, unknown]> {
    const answer = (await call(this.#self, this.name, request, { timeout: Infinity })) as Tuple<readonly any[]>
    return [answer.elements[0] as Reference, answer.elements[1]]
  }
}
