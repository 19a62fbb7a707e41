/**
 * Changes of tables, from Mnesia's own table events: on a node that has a copy a process of program.ts subscribes, and passes them on. When it goes, another
 * one takes its place, and whoever listens is told that changes may have been missed.
 */
import { type Atom, atom, type Term, type Tuple, tuple } from '../../term/index.js'
import type { Process } from '../../process/index.js'
import type { Codec } from '../codec.js'
import { StoreError } from '../errors.js'
import { Subscriptions } from '../subscriptions.js'
import type { Change, SubscribeOptions } from '../table.js'
import type { Cluster } from './cluster.js'
import { late, nodeDown } from './faults.js'
import type { Session } from './session.js'

/** Milliseconds before the next attempt, when no node with a copy was there: nobody tells when one is */
const AGAIN = 500

/** Transactions whose numbers are remembered: their changes come close together */
const REMEMBERED = 1000

interface Followed {
  /** Settles when changes are told, from then on */
  ready: Promise<void>
  session: Session | undefined
}

export class Events {
  readonly #cluster: Cluster
  readonly #codec: Codec
  readonly #subscriptions = new Subscriptions()
  readonly #followed = new Map<string, Followed>()
  readonly #asked = new Map<string, (answer: Term) => void>()
  readonly #relays = new WeakSet<Session>()
  readonly #commits = new Map<string, number>()
  #commit = 0
  #closed = false

  constructor(cluster: Cluster, codec: Codec) {
    this.#cluster = cluster
    this.#codec = codec
  }

  subscribe(table: string, to: ((change: Change<any, any>) => void) | Process, options: SubscribeOptions = {}): () => void {
    const end = this.#subscriptions.add(table, to, options)
    if (!this.#followed.has(table)) {
      const followed: Followed = { ready: Promise.resolve(), session: undefined }
      this.#followed.set(table, followed)
      followed.ready = this.#follow(table, followed)
    }
    return () => {
      end()
      this.#unfollow(table)
    }
  }

  /** Who writes waits until changes are told that it was promised to tell. */
  async ready(table: string): Promise<void> {
    await this.#followed.get(table)?.ready
  }

  close(): void {
    this.#closed = true
    this.#subscriptions.clear()
    this.#followed.clear()
  }

  #unfollow(table: string): void {
    if (this.#subscriptions.has(table)) return
    const followed = this.#followed.get(table)
    this.#followed.delete(table)
    followed?.session?.send(tuple(atom('relay'), tuple(atom('unsubscribe'), atom(table))) as unknown as Tuple)
  }

  /** Subscribes on a node that has a copy; when none is there, again later. */
  async #follow(table: string, followed: Followed): Promise<void> {
    try {
      const session = await this.#holder(table)
      if (!this.#relays.has(session)) {
        this.#relays.add(session)
        session.relay(what => this.#hear(session, what))
        session.onDown(() => this.#lost(session))
      }
      const answer = await this.#subscribed(session, table)
      if ((answer as Tuple).tag !== 'ok')
        throw new StoreError('STORE_NO_COPY', `${session.beam} tells of no changes of '${table}'.`, { reason: answer })
      followed.session = session
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      if (this.#closed || this.#followed.get(table) !== followed) return
      setTimeout(() => this.#retry(table, followed), AGAIN).unref()
    }
  }

  /** What Mnesia says of it. @throws StoreError STORE_NODE_DOWN */
  async #subscribed(session: Session, table: string): Promise<Term> {
    const { timeout } = this.#cluster.options
    const over = new AbortController()
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Term>((resolve, reject) => {
        this.#asked.set(`${session.beam} ${table}`, resolve)
        over.signal.addEventListener(
          'abort',
          session.onDown(() => reject(nodeDown(session.beam))),
        )
        timer = setTimeout(() => reject(late(session.beam, timeout)), timeout)
        session.send(tuple(atom('relay'), tuple(atom('subscribe'), atom(table))) as unknown as Tuple)
      })
    } finally {
      clearTimeout(timer)
      over.abort()
    }
  }

  #retry(table: string, followed: Followed): void {
    if (this.#closed || this.#followed.get(table) !== followed) return
    followed.ready = this.#follow(table, followed).then(() => {
      if (followed.session !== undefined) this.#subscriptions.lost(table)
    })
  }

  /** A session with a node that has a copy; the one that is asked anyhow, where that has. */
  async #holder(table: string): Promise<Session> {
    const session = await this.#cluster.session()
    const active = (await this.#cluster.call('table_info', [atom(table), atom('where_to_commit')], {
      beam: session.beam,
    })) as readonly Tuple[]
    const nodes = active.map(({ elements }) => (elements as readonly [Atom, Atom])[0].name)
    if (nodes.includes(session.beam)) return session
    for (const beam of this.#cluster.options.nodes) if (nodes.includes(beam)) return this.#cluster.with(beam)
    throw new StoreError('STORE_NO_COPY', `None of the store's nodes has a copy of '${table}': only there are changes told.`)
  }

  #hear(session: Session, what: Tuple): void {
    if (what.tag === 'subscribed') {
      const [, table, answer] = what.elements as readonly [Atom, Atom, Term]
      const name = `${session.beam} ${table.name}`
      this.#asked.get(name)?.(answer)
      this.#asked.delete(name)
    } else if (what.tag === 'unsubscribed') this.#lost(session)
    else if (what.tag === 'event') this.#tell(session, what)
  }

  #lost(session: Session): void {
    for (const [table, followed] of this.#followed) {
      if (followed.session !== session) continue
      followed.session = undefined
      this.#retry(table, followed)
    }
  }

  #tell({ beam }: Session, event: Tuple): void {
    const [, table, row, olds, which] = event.elements as readonly [
      Atom,
      Atom,
      Tuple<[Buffer, Buffer | Atom]>,
      readonly Buffer[],
      number | Atom,
    ]
    const [key, value] = row.elements
    this.#subscriptions.tell({
      table: table.name,
      commit: this.#commitOf(beam, which),
      key: () => this.#codec.key(key),
      value: () => (Buffer.isBuffer(value) ? this.#codec.value(value) : undefined),
      old: () => (olds[0] === undefined ? undefined : this.#codec.value(olds[0])),
    })
  }

  /** Changes of one transaction have one number; a dirty one has its own. */
  #commitOf(beam: string, which: number | Atom): number {
    if (typeof which !== 'number') return ++this.#commit
    const name = `${beam} ${which}`
    const known = this.#commits.get(name)
    if (known !== undefined) return known
    this.#commits.set(name, ++this.#commit)
    if (this.#commits.size > REMEMBERED) this.#commits.delete(this.#commits.keys().next().value!)
    return this.#commit
  }
}
