/**
 * Loaded code: the only functions that other nodes can call or spawn here. Joining a cluster hands it no shell.
 *
 * A function is called with `this` = the process it runs in, and with the arguments as terms. As on the BEAM, a module that is loaded again is there
 * twice: calls and spawns get the current version, and who runs the old one stays in it until it ends, or goes on in the current one.
 *
 * Source: the Erlang reference manual, "Code Loading"; code.erl.
 */
import { type LocalProcess, type Process, reason } from '../process/index.js'
import { type Atom, NodeError, type Pid } from '../term/index.js'
import { Callable, type Loaded } from './callable.js'
import { CodeError, codeName } from './code-error.js'
import { fileOf, nextOf } from './code-file.js'
import { importing, textOfImport } from './code-imports.js'
import type { Age, Change, CodeHost, LoadOptions, MoveOptions, Mover, Upgraded, UpgradeOptions, VersionInfo } from './code-types.js'
import { type Fun, type Functions, Version } from './code-version.js'
import type { Placement } from './outside.js'

export { CodeError, UpgradeError } from './code-error.js'
export type { Age, Change, CodeHost, Fun, Functions, LoadOptions, MoveOptions, Mover, Upgraded, UpgradeOptions, VersionInfo }

/** `P` is the process that the functions get as `this`: all processes of one node are of one class. */
export class Code<P extends Process = any> extends Callable<P> {
  readonly #upgrading = new Set<Atom>()
  #turn: Promise<void> = Promise.resolve()
  /** The URLs that were imported here */
  readonly #seen = new Set<string>()
  /** @internal Null: there is nobody to move servers */
  mover: Mover | null = null
  readonly #host: () => CodeHost

  constructor(host: () => CodeHost) {
    super()
    this.#host = host
  }

  /**
   * Makes functions callable from other nodes, under a module's name. A URL is imported, and every function that it exports counts; one that was imported
   * before is read anew, with those of its own files that have changed since. Loaded again, the version that was current becomes the old one, and the old one before it goes: see
   * `purge` and `softPurge`. When anything fails, all is as it was.
   *
   * @throws CodeError ERR_CODE_MODULE when the import fails or holds no function, ERR_CODE_NAME for what cannot name a module,
   * ERR_CODE_RESERVED for one of Beamlet's own, ERR_CODE_IN_USE with `purge: 'soft'`, ERR_NOT_PORTABLE for functions that shall run elsewhere than on main.
   */
  async load(module: string | Atom, source: Functions<P> | URL | string, { on, purge = 'kill' }: LoadOptions = {}): Promise<void> {
    const name = this.#settled(this.#free(module))
    const url = typeof source === 'string' || source instanceof URL ? String(source) : null
    if (url === null && on !== undefined && on !== 'main') {
      const remedy = 'load it from a URL'
      throw new CodeError('ERR_NOT_PORTABLE', `The functions of '${name.name}' share main's heap, so they cannot run '${on}': ${remedy}.`)
    }
    // Functions of this thread are there at once, as long as nobody has to make room for them.
    const fresh = url === null ? null : this.#fresh(url)
    const exported = fresh === null ? (source as Functions<P>) : await this.#import(fresh)
    const version = this.#version(name, exported, fresh, url)
    if (this.modules.get(name)?.old) await this.#makeRoom(name, purge)
    const wasElsewhere = typeof this.modules.get(name)?.current?.url === 'string'
    this.#set(name, version, on)
    if (fresh !== null || wasElsewhere) await this.#host().elsewhere?.load(name.name, fresh)
  }

  /**
   * Loads a module once more from where it came, as `c:l(Module)` does.
   *
   * @throws CodeError as `load`; ERR_CODE_NO_FILE when it was loaded as functions, or not at all.
   */
  async reload(module: string | Atom, options: Pick<LoadOptions, 'purge'> = {}): Promise<void> {
    const name = codeName(module)
    const { current, on } = this.modules.get(name) ?? {}
    if (typeof current?.source === 'string') return this.load(name, current.source, { ...options, on })
    throw new CodeError('ERR_CODE_NO_FILE', `The module '${name.name}' came from no file: load it from a URL first.`)
  }

  /**
   * Loads a new version and moves all servers, event handlers and supervisors of this module to it, in all places: each comes to the end of what it
   * handles, `codeChange(oldVsn, state, extra)` of the new version makes its state, and it goes on; messages wait meanwhile, and none is lost. One without
   * `codeChange` keeps its state as it is. When anything fails, all go on in the old version with their old states, and the new one is gone.
   *
   * Servers are found by `module: import.meta.url` in their definitions, and are what has the same name among the exports of the new version. A module that
   * the program itself has imported need not be loaded first.
   *
   * @throws UpgradeError (with the server and the reason): ERR_CODE_CHANGE when a `codeChange` threw, ERR_CODE_SUSPEND when a server was not done in time,
   * ERR_CODE_SERVER when the new version does not define one that runs. CodeError as `load`; ERR_CODE_UPGRADING while another upgrade of this module is
   * under way. NodeError ERR_ONLY_MAIN in another place.
   */
  async upgrade(module: string | Atom, source: URL | string, options: UpgradeOptions = {}): Promise<Upgraded> {
    return this.change(module, source, options)
  }

  /** @internal As `upgrade`; `soft` asks no `codeChange`. @throws as `upgrade` */
  async change(module: string | Atom, source: URL | string, options: UpgradeOptions, how: 'up' | 'soft' = 'up'): Promise<Upgraded> {
    const name = this.#settled(this.#free(module))
    const { purge = 'kill', on = this.placementOf(name) } = options
    const url = String(source)
    let adopted = false
    try {
      return await this.#move(name, on, async mover => {
        adopted = await this.#adopt(name, url)
        if (purge === 'soft' && (await this.#users(name, 'old')) > 0) throw inUse(name)
        const fresh = this.#fresh(url)
        await this.prepare(name, fresh, url)
        return mover.move(name, { url: fresh, source: url }, { ...options, change: how })
      })
    } catch (error) {
      if (adopted) this.#forget(name)
      throw error
    }
  }

  /**
   * @internal Goes back to the old version, which becomes the current one, and so moves its servers: the `codeChange` of the version that they leave makes
   * their states, and is given `{down, Vsn}`. Nobody is killed. @throws as `upgrade`; CodeError ERR_CODE_NO_FILE when there is no old version.
   */
  async downgrade(module: string | Atom, options: UpgradeOptions, how: 'down' | 'soft' = 'down'): Promise<Upgraded> {
    const name = this.#settled(this.#free(module))
    const old = this.modules.get(name)?.old
    const { url, source } = old ?? {}
    if (typeof url !== 'string' || typeof source !== 'string')
      throw new CodeError('ERR_CODE_NO_FILE', `The module '${name.name}' has no old version from a URL to go back to.`)
    return this.#move(name, options.on ?? this.placementOf(name), async mover => {
      await this.prepare(name, url, source)
      return mover.move(name, { url, source }, { ...options, change: how })
    })
  }

  async #move(name: Atom, on: Placement | undefined, work: (mover: Mover) => Promise<Pid[]>): Promise<Upgraded> {
    const { mover } = this
    if (!mover || !this.#host().elsewhere)
      throw new NodeError('ERR_ONLY_MAIN', 'Only main can move the servers of all places: have a process there do it.')
    this.#upgrading.add(name)
    let servers: Pid[] = []
    try {
      servers = await work(mover)
    } catch (error) {
      this.discard(name)
      throw error
    } finally {
      this.#upgrading.delete(name)
    }
    const loaded = this.modules.get(name) as Loaded<P>
    loaded.on = on
    const { number, vsn, url } = loaded.current as Version<P>
    return { number, vsn, url, servers }
  }

  /** @internal What was current before the last load, or before `delete`, is it again; who runs the other version goes on in that. */
  async restore(module: string | Atom): Promise<void> {
    const name = this.#settled(this.#free(module))
    const loaded = this.modules.get(name)
    if (!loaded?.old) return
    const { url } = loaded.old
    swap(loaded)
    if (url !== null) await this.#host().elsewhere?.restore(name.name, url)
  }

  /** @internal The same in another place, which may have begun after that version was current. */
  async restoreHere(name: Atom, url: string): Promise<void> {
    const loaded = this.modules.get(name)
    if (loaded?.old?.url === url) swap(loaded)
    else if (loaded?.current?.url !== url) await this.load(name, url)
  }

  /** @internal For what main tells another place: one after the other, for an import takes its time. Rejects as the work does. */
  inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    // What failed is told to who asked; the next begins anew.
    this.#turn = done.then(
      () => {},
      () => {},
    )
    return done
  }

  /** @internal Imports a version that nobody runs yet, unless it is the old one. @throws CodeError ERR_CODE_MODULE */
  async prepare(name: Atom, url: string, source: string): Promise<void> {
    const old = this.modules.get(name)?.old
    const version = old?.url === url ? old : this.#version(name, await this.#import(url), url, source)
    const loaded = this.modules.get(name) ?? this.#none()
    this.modules.set(name, loaded)
    loaded.next = version
    this.files.set(fileOf(source), name)
  }

  /** @internal What was prepared becomes the current version, and who still runs the one before the last is killed. */
  commit(name: Atom): void {
    const loaded = this.modules.get(name)
    if (!loaded?.next) return
    if (loaded.next === loaded.old) swap(loaded)
    else {
      this.purgeHere(name)
      this.#set(name, loaded.next, loaded.on)
    }
    // Nobody is anywhere else any more.
    const { url, vsn } = loaded.next
    loaded.vsns = new Map([[url as string, vsn]])
    loaded.next = null
  }

  /** @internal What was prepared is given up. */
  discard(name: Atom): void {
    const loaded = this.modules.get(name)
    if (loaded) loaded.next = null
    if (loaded?.count === 0) this.#forget(name)
  }

  /**
   * `code:delete/1`: nobody can call or spawn it any more; who runs it goes on in what is now its old version. False when there was none, or when an old
   * version is there already (`purge` it first).
   */
  delete(module: string | Atom): boolean {
    const loaded = this.modules.get(codeName(module))
    if (!loaded?.current || loaded.reserved || loaded.old || loaded.next) return false
    const { url, module: name } = loaded.current
    loaded.old = loaded.current
    loaded.current = null
    loaded.on = undefined
    if (url !== null) void this.#host().elsewhere?.load(name.name, null)
    return true
  }

  /** `code:purge/1`: the old version goes, and who still runs it is killed. True when somebody was. */
  async purge(module: string | Atom): Promise<boolean> {
    const name = codeName(module)
    const used = (await this.#users(name, 'old')) > 0
    await this.#purge(name)
    return used
  }

  /** `code:soft_purge/1`: the old version goes, unless somebody runs it: then nothing happens, and it is false. */
  async softPurge(module: string | Atom): Promise<boolean> {
    const name = codeName(module)
    if ((await this.#users(name, 'old')) > 0) return false
    await this.#purge(name)
    return true
  }

  /** The versions that are there, the current one first. */
  async versions(module: string | Atom): Promise<VersionInfo[]> {
    const name = codeName(module)
    const infos = (['current', 'old'] as const).map(async age => {
      const version = this.modules.get(name)?.[age]
      if (!version) return []
      const { number, vsn, url } = version
      const [processes, definitions] = await Promise.all([this.#users(name, age), url === null ? 0 : (this.mover?.users(url) ?? 0)])
      return [{ number, vsn, url, current: age === 'current', processes, definitions, bytes: url === null ? 0 : textOfImport(url) }]
    })
    return (await Promise.all(infos)).flat()
  }

  /** @internal How many processes of this place run it? */
  usersHere(module: Atom, age: Age): number {
    return this.#usersOf(this.modules.get(module)?.[age]).length
  }

  /** @internal Ends those of this place that run the old version. */
  purgeHere(module: Atom): void {
    const loaded = this.modules.get(module)
    if (!loaded?.old) return
    const { processes } = this.#host()
    for (const process of this.#usersOf(loaded.old)) processes.exit(process, reason.killed)
    loaded.old = null
  }

  #usersOf(version: Version<P> | null | undefined): LocalProcess[] {
    return version ? [...this.#host().processes.table].filter(process => version.runsIn(process)) : []
  }

  async #users(name: Atom, age: Age): Promise<number> {
    return this.usersHere(name, age) + ((await this.#host().elsewhere?.users(name.name, age)) ?? 0)
  }

  async #purge(name: Atom): Promise<void> {
    await this.#host().elsewhere?.purge(name.name, this.current(name)?.number ?? Infinity)
    this.purgeHere(name)
  }

  async #makeRoom(name: Atom, purge: 'kill' | 'soft'): Promise<void> {
    if (purge === 'kill') return this.#purge(name)
    if (!(await this.softPurge(name))) throw inUse(name)
  }

  /** @throws CodeError ERR_CODE_UPGRADING */
  #settled(name: Atom): Atom {
    if (!this.#upgrading.has(name)) return name
    throw new CodeError('ERR_CODE_UPGRADING', `The servers of '${name.name}' are about to move to another version: wait until they have.`)
  }

  /** What the program itself has imported counts as the version before. */
  async #adopt(name: Atom, url: string): Promise<boolean> {
    if (this.modules.get(name)?.current || !this.mover?.knows(url)) return false
    this.#seen.add(url)
    this.#set(name, this.#version(name, await this.#import(url), url, url), undefined)
    return true
  }

  #forget(name: Atom): void {
    this.modules.delete(name)
    for (const [file, owner] of this.files) if (owner === name) this.files.delete(file)
  }

  /** @throws CodeError ERR_CODE_MODULE */
  async #import(url: string): Promise<Functions<P>> {
    const exported = await importFrom(url, this.mover?.since(fileOf(url)))
    await this.mover?.arrived(url, exported)
    return exported
  }

  #free(module: string | Atom): Atom {
    const name = codeName(module)
    if (!this.isReserved(name)) return name
    throw new CodeError('ERR_CODE_RESERVED', `The module '${name.name}' is Beamlet's own: choose another name.`)
  }

  /** What imports it anew */
  #fresh(url: string): string {
    if (!this.#seen.has(url)) {
      this.#seen.add(url)
      return url
    }
    return nextOf(url)
  }

  #version(name: Atom, exported: Functions<P>, url: string | null, source: string | null): Version<P> {
    const version = new Version<P>(name, (this.modules.get(name)?.count ?? 0) + 1, exported, url, source)
    if (version.size > 0 || (url !== null && this.mover?.knows(url))) return version
    const remedy = 'give { name: function } or a URL'
    throw new CodeError('ERR_CODE_MODULE', `The module '${name.name}' holds no function, and defines no server: ${remedy}.`)
  }

  #set(name: Atom, version: Version<P>, on: Placement | undefined): void {
    const loaded = this.modules.get(name) ?? this.#none()
    this.modules.set(name, loaded)
    loaded.old = loaded.current ?? loaded.old
    loaded.current = version
    loaded.count = version.number
    loaded.on = on
    const { url, source, vsn } = version
    if (url === null) return
    loaded.vsns.set(url, vsn)
    this.files.set(fileOf(source ?? url), name)
  }

  #none(): Loaded<P> {
    return { current: null, old: null, next: null, vsns: new Map(), count: 0, on: undefined, reserved: false }
  }
}

/** @throws CodeError ERR_CODE_MODULE */
async function importFrom(url: string, since?: number): Promise<Functions<any>> {
  try {
    const done = importing(url, since)
    const exported = (await import(url)) as Functions<any>
    done()
    return exported
  } catch (cause) {
    throw new CodeError('ERR_CODE_MODULE', `The module at ${url} does not load: ${String(cause)}.`, { cause })
  }
}

/** The old version is the current one, and the other way round. */
function swap<P extends Process>(loaded: Loaded<P>): void {
  const { current, old } = loaded
  loaded.current = old
  loaded.old = current
}

function inUse(name: Atom): CodeError {
  const remedy = 'purge them, or wait until they have ended'
  return new CodeError('ERR_CODE_IN_USE', `Processes still run the version of '${name.name}' before the current one: ${remedy}.`)
}
