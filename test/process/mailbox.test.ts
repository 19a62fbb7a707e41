import t from 'tap'
import { Mailbox } from '../../src/process/mailbox.js'

t.test('what came before a reference was made is not looked at for it', async t => {
  const mailbox = new Mailbox()
  t.equal(mailbox.before(1), 0, 'nothing came')
  mailbox.push(1, 0)
  mailbox.push(2, 4)
  mailbox.push(3, 5)
  mailbox.push(4, 5)
  t.equal(mailbox.before(1), 1)
  t.equal(mailbox.before(5), 2)
  t.equal(mailbox.before(6), 4, 'nothing came since')

  const seen: unknown[] = []
  mailbox.take(term => seen.push(term) > 0 && term === 4, mailbox.before(5))
  t.strictSame(seen, [3, 4])
  t.equal(mailbox.before(6), 3)
})
