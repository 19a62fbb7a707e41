/** What `self.node` does in places that are not main. */
import t, { type Test } from 'tap'
import { any, atom, format, match, Node, type NodeProcess, type Pid, type Term } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp, type Real } from './support/each-otp.js'

const places = ['pool', 'isolated'] as const
const from = async (self: NodeProcess, pid: Pid): Promise<Term> => (await self.receive(match([pid, any]))).elements[1] as Term

async function start(cookie: string): Promise<Node> {
  const name = `ts-${process.pid}-node@127.0.0.1`
  const node = await Node.start({ name, cookie, hidden: true, netTickTime: 8, schedulers: { count: 1, execArgv: [] } })
  await node.code.load('node', new URL('./support/placed/node.mjs', import.meta.url))
  return node
}

t.test('a process in a place sets a cookie, connects, looks around and disconnects', async t => {
  const suite = async (t: Test, { start: startPeer }: Real<Beam>): Promise<void> => {
    const beam = await startPeer()
    beam.expectLog(/rejected\. Invalid challenge reply/)
    for (const on of places) {
      await using node = await start('of nobody else')
      const told = await node.run(async self =>
        from(self, self.spawn({ module: 'node', fun: 'visit', args: [self.pid, atom(beam.name), beam.cookie] }, { on })),
      )
      t.equal(format(told), `['DIST_BAD_COOKIE',[true,true,true,false],[true,{nodedown,'${beam.name}'}]]`, on)
    }
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

t.test('what is wrong is told where it is said, and what only main knows is said to be so', async t => {
  await using node = await start('secret')
  for (const on of places) {
    const told = await node.run(async self => from(self, self.spawn({ module: 'node', fun: 'look', args: [self.pid] }, { on })))
    const { epmd, port } = node
    const onlyMain = Array.from({ length: 3 }, () => 'ERR_ONLY_MAIN').join("','")
    const known = `[${port},8,true,${epmd.port},${String(epmd.mode)}]`
    t.equal(format(told), `[${known},['NAME_FORMAT','COOKIE_FORMAT','NAME_FORMAT','${onlyMain}']]`, on)
  }
  t.strictSame(node.allowed(), ['friend@host', 'other'])
})
