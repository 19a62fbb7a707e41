/** What ends an alias of each mode: the same for a TypeScript process to which Erlang sends, and for an Erlang process to which TypeScript does. */
import t, { type Test } from 'tap'
import { atom, type Atom, match, type Pid, type Reference, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, eachWay, heard, info, next, order, type Pair, tell } from './support/pair.js'

t.test('aliases', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: actor })
    await eachWay(t, beam, ofTypeScript)
    await eachWay(t, beam, ofErlang)
  })
})

type Mode = 'explicit_unalias' | 'reply' | 'demonitor' | 'reply_demonitor'
type Happening = 'unalias' | 'message' | 'demonitor' | 'DOWN'

const cases: [happening: Happening, mode: Mode, ended: boolean][] = [
  ['unalias', 'explicit_unalias', true],
  ['unalias', 'reply', true],
  ['unalias', 'demonitor', true],
  ['unalias', 'reply_demonitor', true],
  ['message', 'explicit_unalias', false],
  ['message', 'reply', true],
  ['message', 'demonitor', false],
  ['message', 'reply_demonitor', true],
  ['demonitor', 'explicit_unalias', false],
  ['demonitor', 'demonitor', true],
  ['demonitor', 'reply_demonitor', true],
  ['DOWN', 'explicit_unalias', false],
  ['DOWN', 'demonitor', true],
  ['DOWN', 'reply_demonitor', true],
]

const [first, late, bye] = [atom('first'), atom('late'), atom('bye')]

async function ofTypeScript(t: Test, { node, evaluate }: Pair): Promise<void> {
  await t.test('what ends an alias of TypeScript', async t => {
    const sender = (await evaluate('actor:start().')) as Pid
    for (const [happening, mode, ended] of cases) {
      await node.run(async self => {
        const watched = (await evaluate('actor:start().')) as Pid
        const ref = mode === 'reply' ? self.alias({ reply: true }) : self.monitor(watched, { alias: mode })
        const sent = async (message: Atom): Promise<boolean> => {
          await tell(self, sender, 'erlang', 'send', ref, message)
          return self.poll(match(message)) === message
        }
        if (happening === 'unalias') t.equal(self.unalias(ref), true)
        else if (happening === 'message') t.equal(await sent(first), true)
        else if (happening === 'demonitor') t.equal(self.demonitor(ref), true)
        else {
          order(self, watched, 'erlang', 'exit', bye)
          await next(self)
        }
        t.equal(await sent(late), !ended, `${happening} ends ${mode}: ${ended}`)
        t.equal(self.unalias(ref), !ended)
        self.exit(watched, atom('kill'))
      })
      t.equal(node.stats().aliases, 0)
    }
    const gone = await node.run(async self => self.alias())
    await node.run(async self => {
      await tell(self, sender, 'erlang', 'send', gone, late)
      t.equal(self.poll(), undefined, 'nobody has it after its process')
      order(self, sender, 'erlang', 'exit', atom('normal'))
    })
  })
}

async function ofErlang(t: Test, { node, evaluate }: Pair): Promise<void> {
  await t.test('what ends an alias of Erlang', async t => {
    for (const [happening, mode, ended] of cases) {
      await node.run(async self => {
        const holder = (await evaluate('actor:start().')) as Pid
        const watched = self.spawn(child => child.receive())
        const options = [tuple(atom('alias'), atom(mode))]
        const made =
          mode === 'reply'
            ? tell(self, holder, 'erlang', 'alias', [atom('reply')])
            : tell(self, holder, 'erlang', 'monitor', atom('process'), watched, options)
        const ref = (await made) as Reference
        const sent = async (message: Atom): Promise<boolean> => {
          self.send(ref, message)
          if ((await info(self, holder, 'message_queue_len')) === 0) return false
          t.equal(await heard(self, holder), message)
          return true
        }
        if (happening === 'unalias') t.equal(await tell(self, holder, 'erlang', 'unalias', ref), true)
        else if (happening === 'message') t.equal(await sent(first), true)
        else if (happening === 'demonitor') t.equal(await tell(self, holder, 'erlang', 'demonitor', ref), true)
        else {
          self.exit(watched, bye)
          await heard(self, holder)
        }
        t.equal(await sent(late), !ended, `${happening} ends ${mode}: ${ended}`)
        t.equal(await tell(self, holder, 'erlang', 'unalias', ref), !ended)
        self.exit(watched, bye)
        self.exit(holder, atom('kill'))
      })
    }
  })
}
