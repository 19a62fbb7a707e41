/** The whole node on the newest Node.js, which takes TypeScript as it is: here, no loader is there to help. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { atom, format } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp, type Real } from './support/each-otp.js'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const program = path('support/newest.ts')
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|TS_NODE_|TAP)/.test(name)))

t.test('on the newest Node.js', async t => {
  const newest = execFileSync(path('../scripts/newest'), ['ensure'], { encoding: 'utf8' }).trim()
  t.test('a node whose modules are TypeScript serves from every place', async t => {
    const suite = async (t: Test, { start }: Real<Beam>): Promise<void> => {
      const beam = await start()
      const name = `ts-${process.pid}-newest@127.0.0.1`
      const node = spawn(newest, [program, name, beam.cookie], { stdio: ['pipe', 'pipe', 'inherit'], env: environment })
      const ended = once(node, 'exit')
      const [line] = (await Promise.race([once(createInterface(node.stdout), 'line'), ended])) as [string | number | null]
      const { version, places } = JSON.parse(String(line))
      t.match(version, /^v2[6-9]\./)
      t.strictSame(places, [0, 1, 2], 'each server where it was placed')
      const ask = `pong = net_adm:ping(Ts),
        Sums = [gen_server:call({Name, Ts}, {add, N}) || {Name, N} <- [{sum_main, 1}, {sum_pool, 2}, {sum_isolated, 3}]],
        Pid = rpc:call(Ts, erlang, whereis, [sum_isolated]), Ref = monitor(process, Pid), exit(Pid, kill),
        {Sums, erpc:call(Ts, typed, double, [21]), receive {'DOWN', Ref, process, Pid, Why} -> Why end}.`
      t.equal(format(await beam.eval(ask, { bindings: { Ts: atom(name) }, timeout: 60_000 })), '{[1,2,3],42,killed}')
      node.stdin.end()
      t.strictSame(await ended, [0, null], 'it ends when it is told to')
    }
    await eachOtp<Beam>(t, suite, startBeam)
  })
})
