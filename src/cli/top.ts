/**
 * `beamlet top NODE`: which processes of a node work most, take most memory or let most messages wait, looked at again and again.
 *
 * On a terminal each frame takes the place of the one before, and keys sort (r, m, u) and quit (q). Elsewhere frames follow each other.
 */
import { stdin, stdout } from 'node:process'
import type { Node } from '../index.js'
import { connected } from './client.js'
import type { CommonOptions } from './options.js'
import { result } from './output.js'
import { type Row, sample, withInitialCalls } from './top-sample.js'
import { inJson, inText, leaders, type Sort } from './top-text.js'
import { untilTold } from './until-told.js'

export interface Top extends CommonOptions {
  readonly once: boolean
  /** Seconds */
  readonly interval: number
  readonly lines?: number | undefined
  readonly sort: Sort
  /** Processes that are asked of at most */
  readonly most: number
}

const keys: Readonly<Record<string, Sort>> = { r: 'reductions', m: 'memory', u: 'queue' }
/** Lines of a frame that are no processes */
const head = 5

export async function top(target: string, options: Top): Promise<void> {
  await connected(target, options, node => (options.once ? once(node, target, options) : live(node, target, options)))
}

async function once(node: Node, target: string, options: Top): Promise<void> {
  await show(node, target, options, options.sort, null)
}

async function live(node: Node, target: string, options: Top): Promise<void> {
  const screen = new Screen(options.sort)
  let before: ReadonlyMap<string, Row> | null = null
  try {
    while (!screen.over) {
      before = await show(node, target, options, screen.begin(), before, screen.clear)
      await screen.wait(options.interval * 1000)
    }
  } finally {
    screen.close()
  }
}

/** What the next frame's reductions count from */
async function show(
  node: Node,
  target: string,
  options: Top,
  sort: Sort,
  before: ReadonlyMap<string, Row> | null,
  clear = '',
): Promise<ReadonlyMap<string, Row>> {
  const seen = await sample(node, target, options)
  const count = options.lines ?? (stdout.isTTY && stdout.rows > head ? stdout.rows - head : 20)
  const first = await withInitialCalls(node, target, leaders(seen, before, sort, count), seen, options.timeout)
  result(
    options.json
      ? inJson(target, seen, first)
      : clear + inText(target, seen, first, sort, stdout.isTTY && stdout.columns > 0 ? stdout.columns : 200),
  )
  return new Map(seen.rows.map(row => [row.pid, row]))
}

/** The person in front of it, if there is one */
class Screen {
  over = false
  #sort: Sort
  readonly clear: string
  readonly #isTerminal = stdin.isTTY && stdout.isTTY
  /** A key was pressed since the last frame began: the next one waits for nothing. */
  #pressed = false
  #wake = (): void => {}

  constructor(sort: Sort) {
    this.#sort = sort
    this.clear = stdout.isTTY ? '\u001b[H\u001b[J' : ''
    void untilTold().then(this.#quit)
    if (!this.#isTerminal) return
    stdin.setRawMode(true).setEncoding('utf8').on('data', this.#onKey)
  }

  /** A frame begins: what it is sorted by. */
  begin(): Sort {
    this.#pressed = false
    return this.#sort
  }

  /** So many milliseconds, or until a key is pressed */
  wait(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      if (this.over || this.#pressed) this.#wake()
    })
  }

  close(): void {
    if (this.#isTerminal) stdin.setRawMode(false).off('data', this.#onKey).pause()
  }

  readonly #quit = (): void => {
    this.over = true
    this.#wake()
  }

  /** What is typed quickly comes at once. */
  readonly #onKey = (typed: string): void => {
    for (const key of typed) {
      // In this mode Ctrl-C is a key, too.
      if (key === 'q' || key === '\u0003') return this.#quit()
      const sort = keys[key]
      if (sort === undefined) continue
      this.#sort = sort
      this.#pressed = true
    }
    if (this.#pressed) this.#wake()
  }
}
