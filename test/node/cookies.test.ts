import t from 'tap'
import { Cookies } from '../../src/node/cookies.js'

const ours = { value: 'ours', from: 'a test' }

t.test('a cookie for one peer, and one for all others', async t => {
  const cookies = new Cookies(ours, { 'a@host': 'other' })
  t.equal(cookies.of('a@host'), 'other')
  t.equal(cookies.of('b@host'), 'ours')
  cookies.set('b@host', 'third', 'self@host')
  t.equal(cookies.of('b@host'), 'third')
  cookies.set('self@host', 'new', 'self@host')
  t.same([cookies.own, cookies.of('c@host'), cookies.of('a@host')], ['new', 'new', 'other'])
})

t.test('what cannot be one', async t => {
  t.throws(() => new Cookies(ours, { 'no name': 'x' }), { code: /^NAME_/ })
  t.throws(() => new Cookies(ours, { 'a@host': 'two\nlines' }), { code: 'COOKIE_FORMAT', message: /a@host/ })
  const cookies = new Cookies(ours)
  t.throws(() => cookies.set('a@host', '', 'self@host'), { code: 'COOKIE_FORMAT' })
  t.equal(cookies.of('a@host'), 'ours')
})
