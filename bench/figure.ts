/** A figure: rows that need the same nodes. */
import { randomBytes } from 'node:crypto'
import { env, pid } from 'node:process'
import { Node, type NodeOptions, type NodeProcess, type Sendable } from '../src/index.js'
import { type Beam, startBeam } from '../src/interop/index.js'
import { type Effort, measure, type Measured, perSecond, type Result, type Row } from './harness.js'

export interface Figure {
  readonly name: string
  /** A sentence under the name */
  readonly about: string
  rows(stage: Stage): Promise<readonly Row[]>
}

export const otp = Number(env['OTP'] ?? 27)

/** The name of the BEAM among the peers */
export const beamName = `BEAM ${otp}`

/** The nodes of one figure: they share a cookie, and end together. */
export class Stage {
  readonly #cookie = randomBytes(8).toString('hex')
  readonly #beams: Beam[] = []
  readonly #nodes: Node[] = []
  readonly #deferred: (() => Promise<unknown>)[] = []

  /** @param args more arguments of erl */
  async beam(code: string, args: readonly string[] = []): Promise<Beam> {
    const beam = await startBeam({ otp, cookie: this.#cookie, code, args })
    this.#beams.push(beam)
    return beam
  }

  async node(options: Partial<NodeOptions> = {}): Promise<Node> {
    const node = await Node.start({ name: `bench-${pid}-${this.#nodes.length}@127.0.0.1`, cookie: this.#cookie, ...options })
    this.#nodes.push(node)
    return node
  }

  /** Does this at the end of the figure. */
  defer(end: () => Promise<unknown>): void {
    this.#deferred.push(end)
  }

  async close(): Promise<void> {
    for (const end of this.#deferred) await end()
    for (const node of this.#nodes) await node.close()
    for (const beam of this.#beams) await beam.stop()
  }
}

export async function take(figure: Figure, effort: Effort, progress: (row: string) => void = () => {}): Promise<Result[]> {
  const stage = new Stage()
  try {
    const results: Result[] = []
    for (const row of await figure.rows(stage)) {
      progress(row.name)
      results.push(...(await measure(row, effort)))
    }
    return results
  } finally {
    await stage.close()
  }
}

/** Runs `work` in a process of its own. */
export const inProcess = <T>(node: Node, work: (self: NodeProcess) => Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    node.spawn(async self => {
      await work(self).then(resolve, reject)
    })
  })

/** Milliseconds that `source`, which has to give nanoseconds, took on the BEAM by its own clock. `N` is bound, and what else is given. */
export async function nanoseconds(beam: Beam, source: string, bindings: Readonly<Record<string, Sendable>>): Promise<number> {
  return ((await beam.eval(source, { bindings, timeout: 120_000 })) as number) / 1e6
}

/** A contender on the BEAM: `source` does `N` operations and gives the nanoseconds. */
export const onBeam = (beam: Beam, source: string, bindings: Readonly<Record<string, Sendable>> = {}, name = beamName) => ({
  name,
  run: async (n: number): Promise<Measured> => perSecond(n, await nanoseconds(beam, source, { ...bindings, N: n })),
})

/** A contender in a TypeScript process: `work` does `n` operations. */
export const onNode = (node: Node, work: (self: NodeProcess, n: number) => Promise<unknown>, name = 'Beamlet') => ({
  name,
  run: (n: number): Promise<Measured> => inProcess(node, self => timed(n, () => work(self, n))),
})

export async function timed(n: number, work: () => Promise<unknown>): Promise<Measured> {
  const start = performance.now()
  await work()
  return perSecond(n, performance.now() - start)
}
