import { execFile, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { env, execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Node } from '../src/index.js'
import { programOf } from '../src/interop/release.js'
import { beamName, type Figure, inProcess, otp } from './figure.js'
import type { Contender, Measured, Row } from './harness.js'
import { residentMemory } from './os-process.js'
import { said } from './programs.js'

const MiB = 2 ** 20
const first = new URL('./placed/first.mjs', import.meta.url)
const importing = new URL('./placed/import.mjs', import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))

/** Without what this program was told: loaders, say */
const plain = Object.fromEntries(Object.entries(env).filter(([name]) => !/^(NODE_|TS_NODE_|TAP)/.test(name)))

let started = 0

/** Starts a program that sends to a process of this node, and ends it: the time until that came, and its memory then */
const starts = (name: string, node: Node, program: string, argumentsOf: (name: string, to: string) => string[]): Contender => ({
  name,
  run: () =>
    inProcess(node, async self => {
      const to = `first_${++started}`
      await self.register(to)
      const start = performance.now()
      const child = spawn(program, argumentsOf(`bench-${to}-${process.pid}@127.0.0.1`, to), {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: plain,
      })
      const exit = once(child, 'exit')
      const ended = exit.then(([code]) => Promise.reject(new Error(`${program} ended: ${code}`)))
      await Promise.race([self.receive(), ended])
      return gone(child, exit, performance.now() - start)
    }),
})

/** … that prints */
const prints = (name: string, program: string, args: readonly string[]): Contender => ({
  name,
  run: async () => {
    const start = performance.now()
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: plain })
    const exit = once(child, 'exit')
    await once(child.stdout, 'data')
    return gone(child, exit, performance.now() - start)
  },
})

async function gone(child: ReturnType<typeof spawn>, exit: Promise<unknown>, ms: number): Promise<Measured> {
  const memory = residentMemory(child.pid as number)
  child.kill('SIGKILL')
  await exit.catch(() => {})
  return { ms, value: ms, also: [memory / MiB] }
}

async function imports(): Promise<Measured> {
  const child = fork(importing, { execArgv: [], env: plain })
  const exit = once(child, 'exit')
  const ms = (await said(child)) as number
  child.disconnect()
  await exit
  return { ms, value: ms }
}

/** What npm would send: nothing is written. */
async function packs(): Promise<Measured> {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root })
  const [{ size, unpackedSize }] = JSON.parse(stdout) as [{ size: number; unpackedSize: number }]
  return { ms: Infinity, value: size, also: [unpackedSize] }
}

const alone = (row: Pick<Row, 'name' | 'unit' | 'also'>, run: () => Promise<Measured>): Row => ({
  ...row,
  better: 'less',
  size: 1,
  ours: { name: 'Beamlet', run },
  peers: [],
})

export const start: Figure = {
  name: 'start',
  about: 'from the start of a program until the first message from it came to another node, and what there is to load',

  async rows(stage) {
    const node = await stage.node()
    const { name, cookie } = node
    const erl = (own: string, to: string): string[] => [
      ...['-noinput', '-boot', 'no_dot_erlang', '-name', own, '-setcookie', cookie],
      ...['-eval', `{${to}, '${name}'} ! here.`],
    ]
    const bare = 'setInterval(() => {}, 1e9), console.log(1)'
    return [
      {
        name: 'start to first message',
        unit: 'ms',
        better: 'less',
        also: [{ name: '  resident memory then', unit: 'MiB', better: 'less' }],
        size: 1,
        ours: starts('Beamlet', node, execPath, (own, to) => [fileURLToPath(first), own, cookie, to, name]),
        peers: [starts(beamName, node, programOf('erl', otp), erl), prints('a bare Node.js', execPath, ['-e', bare])],
      },
      alone({ name: 'import of beamlet', unit: 'ms' }, imports),
      { ...alone({ name: 'npm package', unit: 'bytes', also: [{ name: '  unpacked', unit: 'bytes', better: 'less' }] }, packs), rounds: 1 },
    ]
  },
}
