/**
 * Who takes part in an upgrade: this place, and the others, which are asked.
 *
 *   main → place    prepare(Name, Url, Source, Extra, Vsns, Change)   ok
 *                   hold(Name, all | [Pid], Ms)               [Pid]: those that still handle something
 *                   release(Name)                             ok
 *                   change(Name, Ms)                          ok, or {Code, Pid, Why}
 *                   commit(Name, Url, Source, Extra, Vsns, Change)    [Pid]: those that moved
 *                   discard(Name)                             ok
 */
import type { PlacedCode } from '../../node/places/placed-code.js'
import { late } from '../../node/places/inquiry.js'
import { type Atom, atom, type Pid, type Sendable, type Term, text, Tuple, tuple } from '../../term/index.js'
import { placedServer } from '../gen/placed-server.js'
import type { Moving, Refusal, Target } from './moving.js'

/** Null in place of a pid: a place that does not answer, and may have servers */
export interface Part {
  prepare(ms: number): Promise<readonly (Pid | null)[]>
  hold(pids: readonly Pid[] | null, ms: number): Promise<readonly (Pid | null)[]>
  release(): void
  change(ms: number): Promise<Refusal | null>
  commit(): Promise<Pid[]>
  discard(): void
}

/** What belongs to this place */
export class Here implements Part {
  readonly #moving: Moving
  readonly #over: () => void

  constructor(moving: Moving, over: () => void) {
    this.#moving = moving
    this.#over = over
  }

  /** It has been imported already. */
  async prepare(): Promise<[]> {
    return []
  }

  hold(pids: readonly Pid[] | null, ms: number): Promise<Pid[]> {
    return this.#moving.hold(pids, ms)
  }

  release(): void {
    this.#moving.release()
  }

  change(ms: number): Promise<Refusal | null> {
    return this.#moving.change(ms)
  }

  async commit(): Promise<Pid[]> {
    const moved = this.#moving.commit() ?? []
    this.#over()
    return moved
  }

  discard(): void {
    this.#moving.release()
    this.#over()
  }
}

/** How much longer than it may take itself a place has to answer, in milliseconds */
const grace = 2000

/** What belongs to another place */
export class Elsewhere implements Part {
  readonly #places: PlacedCode
  readonly #number: number
  readonly #target: Target
  /** It did not answer when it was asked, and has no servers that are known: it moves when it comes round. */
  #isLate = false

  constructor(places: PlacedCode, number: number, target: Target) {
    this.#places = places
    this.#number = number
    this.#target = target
  }

  async prepare(ms: number): Promise<readonly (Pid | null)[]> {
    const answer = await this.#places.ask(this.#number, ms, 'upgrade', atom('prepare'), ...targetTerms(this.#target))
    return answer === late ? this.#silent() : []
  }

  async hold(pids: readonly Pid[] | null, ms: number): Promise<readonly (Pid | null)[]> {
    const stuck = await this.#ask(ms, 'hold', pids ?? atom('all'), ms)
    return stuck === late ? this.#silent() : ((stuck ?? []) as Pid[])
  }

  release(): void {
    this.#tell('release')
  }

  async change(ms: number): Promise<Refusal | null> {
    const refusal = await this.#ask(ms, 'change', ms)
    if (refusal === late) {
      const silent = this.#silent()
      return silent.length > 0 ? { code: 'ERR_CODE_SUSPEND', server: silent[0] ?? null, why: [] } : null
    }
    if (!(refusal instanceof Tuple)) return null
    const [code, server, why] = refusal.elements as readonly [Atom, Pid | Atom, Term]
    return { code: code.name as Refusal['code'], server: server === atom('undefined') ? null : (server as Pid), why }
  }

  async commit(): Promise<Pid[]> {
    // It has answered until now; a place that does not, will, or ends.
    const moved = this.#places.ask(this.#number, grace, 'upgrade', atom('commit'), ...targetTerms(this.#target))
    if (this.#isLate) return []
    const pids = await moved
    return Array.isArray(pids) ? (pids as Pid[]) : []
  }

  discard(): void {
    this.#tell('discard')
  }

  async #ask(ms: number, what: string, ...args: readonly Sendable[]): Promise<Term | typeof late | undefined> {
    if (this.#isLate) return undefined
    return this.#places.ask(this.#number, ms + grace, 'upgrade', atom(what), this.#target.name, ...args)
  }

  #tell(what: string): void {
    void this.#places.ask(this.#number, grace, 'upgrade', atom(what), this.#target.name)
  }

  #silent(): readonly (Pid | null)[] {
    const servers = this.#places.residents(this.#number, placedServer)
    this.#isLate = servers.length === 0
    return servers
  }
}

/** Has a place that could not be asked move by itself. */
export function moveLater(places: PlacedCode, number: number, target: Target): void {
  void places.ask(number, grace, 'upgrade', atom('commit'), ...targetTerms(target))
}

const targetTerms = ({ name, url, source, extra, vsns, change }: Target): Sendable[] => [
  name,
  url,
  source,
  extra,
  vsns.map(([each, vsn]) => tuple(each, vsn)),
  atom(change),
]

/** What `targetTerms` made */
export function targetFrom([name, url, source, extra, vsns, how]: readonly Term[]): Target {
  const pairs = (vsns as readonly Tuple<[Term, Term]>[]).map(({ elements: [each, vsn] }) => [text(each), vsn] as const)
  const change = (how as Atom).name as Target['change']
  return { name: name as Atom, url: text(url as Term), source: text(source as Term), extra: extra as Sendable, vsns: pairs, change }
}
