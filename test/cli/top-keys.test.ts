/** The keys of `beamlet top`, on a terminal: `script` of util-linux, which every Debian has, gives it one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type Machine, machine } from './peers.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const frameStart = '\u001b[H\u001b[J'

/** A terminal in which it runs, and after it a command that says how it left the terminal. */
class Terminal {
  readonly process: ChildProcess
  /** Resolves when the shell has ended, to all that was shown. */
  readonly closed: Promise<string>
  #said = ''

  constructor(t: Test, { epmdPort }: Machine, target: string, ...options: string[]) {
    const shell = `stty rows 12 cols 100; '${execPath}' '${main}' top ${target} ${options.join(' ')}; echo "ended with $?"; stty -a`
    this.process = spawn('script', ['-qfc', shell, '/dev/null'], {
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', SHELL: '/bin/sh', ERL_EPMD_PORT: String(epmdPort), BEAMLET_COOKIE: 'secret' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#said += text))
    this.closed = once(this.process, 'close').then(() => this.#said)
    t.teardown(() => this.process.kill('SIGKILL'))
  }

  press(keys: string): void {
    this.process.stdin?.write(keys)
  }

  /** All frames, as soon as there are so many, each whole: what follows it has begun, or it has all its lines. */
  async frames(count: number): Promise<string[]> {
    for (;;) {
      const [, ...frames] = this.#said.split(frameStart)
      const last = frames.at(-1) ?? ''
      if (frames.length > count || (frames.length === count && last.split('\n').length > 5)) return frames
      await this.#more()
    }
  }

  async #more(): Promise<void> {
    const ended = this.closed.then(() => Promise.reject(new Error(`It ended: ${this.#said}`)))
    await Promise.race([once(this.process.stdout!, 'data'), ended])
  }
}

/** What a frame is sorted by, by the star at its column */
const sortOf = (frame: string | undefined): string | undefined => /(\w+)\*/.exec(frame ?? '')?.[1]

t.test('keys', async t => {
  const here = await machine(t)
  const node = await here.node('watched')
  for (let count = 0; count < 20; count++) node.spawn(async self => void (await self.receive()))

  await t.test('r, m and u sort, each at once; other keys do nothing; q quits', async t => {
    const terminal = new Terminal(t, here, node.name, '--interval', '3600')
    t.equal(sortOf((await terminal.frames(1))[0]), 'reductions')
    const sorts = []
    for (const [index, key] of ['m', 'u', 'r', 'xUm', 'xu'].entries()) {
      terminal.press(key)
      sorts.push(sortOf((await terminal.frames(index + 2)).at(-1)))
    }
    t.strictSame(sorts, ['memory', 'queue', 'reductions', 'memory', 'queue'])
    terminal.press('q')
    const said = await terminal.closed
    t.match(said, /ended with 0\r\n/)
    t.match(said.slice(said.lastIndexOf('ended with')), /(?<!-)\bicanon\b[^]*(?<!-)\becho\b/, 'the terminal is as it was')
    const frames = said.split(frameStart).slice(1)
    t.equal(frames.length, 6, 'what is no key brings no frame')
    for (const frame of frames.slice(0, -1)) {
      const lines = frame.trimEnd().split(/\r?\n/)
      t.equal(lines.length, 11, 'what fits on the terminal, and no more')
      t.ok(lines.every(line => line.length <= 100))
    }
  })

  await t.test('Ctrl-C quits as well, and keys that come together are taken one after the other', async t => {
    for (const keys of ['\u0003', 'mq', 'xxu\u0003']) {
      const terminal = new Terminal(t, here, node.name, '--interval', '3600')
      await terminal.frames(1)
      terminal.press(keys)
      t.match(await terminal.closed, /ended with 0\r\n/, JSON.stringify(keys))
    }
  })

  await t.test('it begins with the sort of the option', async t => {
    const terminal = new Terminal(t, here, node.name, '--interval', '3600', '--sort', 'queue')
    t.equal(sortOf((await terminal.frames(1))[0]), 'queue')
    terminal.press('m')
    t.equal(sortOf((await terminal.frames(2)).at(-1)), 'memory')
    terminal.press('q')
    t.match(await terminal.closed, /ended with 0\r\n/)
  })
})
