import t from 'tap'
import { atom, format, type Term } from '../../src/index.js'
import { fails } from './beamlet.js'
import { machine } from './peers.js'

t.test('send', async t => {
  const here = await machine(t)
  const node = await here.node('peer', { floats: 'exact' })
  const got: Term[] = []
  node.spawn(
    async self => {
      for await (const message of self) got.push(message)
    },
    { name: 'in box' },
  )
  const send = (...args: string[]) => here.run(['send', node.name, ...args])
  const sent = async (...args: string[]): Promise<string[]> => {
    t.match(await send('in box', ...args), { code: 0, signal: null, stdout: '', stderr: '' })
    return got.splice(0).map(term => format(term))
  }

  t.strictSame(await sent('{hello, <<"world">>, [1.0 | 1]}'), ['{hello,<<"world">>,[1.0|1]}'], 'it is there when the command ends')
  t.strictSame(await sent('-5'), ['-5'])
  t.strictSame(await sent('-16#ff'), ['-255'])
  t.strictSame(await sent('"quoted"'), ['"quoted"'])
  t.strictSame(await sent('-1.0e3'), ['-1.0e3'])
  t.strictSame(await sent('ok', '--json'), ['ok'])

  fails(t, await send('nobody', 'ok'), 1, 'CLI_NO_PROCESS', /No process is registered as 'nobody' on peer@127\.0\.0\.1/)
  fails(t, await send('in box', '{'), 2, 'ERR_TERM_SYNTAX', /./)

  node.spawn(self => self.receive(), { name: 'dies' })
  t.match(await send('dies', 'now'), { code: 0, stderr: '' }, 'a process that ends with the message has got it')
  t.equal(node.whereis('dies'), undefined)

  await node.unregister('net_kernel')
  fails(t, await send('in box', 'ok'), 1, 'ERR_EXIT', /noproc/)
  t.strictSame(got, [atom('ok')], 'it came, but nobody said so')
})
