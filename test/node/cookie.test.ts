import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CookieError, findCookie } from '../../src/node/cookie.js'

const file = (home: string): string => join(home, '.erlang.cookie')

function write(path: string, text: string, mode = 0o400): void {
  writeFileSync(path, text)
  chmodSync(path, mode)
}

void t.test('the option goes before the environment, and that before the file', async t => {
  const home = t.testdir()
  write(file(home), 'FILE')
  const env = { BEAMLET_COOKIE: 'BEAMLET', RELEASE_COOKIE: 'RELEASE' }
  t.same(await findCookie({ cookie: 'OPTION', env, home }), { value: 'OPTION', from: 'the cookie option' })
  t.same(await findCookie({ env, home }), { value: 'BEAMLET', from: 'BEAMLET_COOKIE' })
  t.same(await findCookie({ env: { RELEASE_COOKIE: 'RELEASE' }, home }), { value: 'RELEASE', from: 'RELEASE_COOKIE' })
  t.same(await findCookie({ env: { BEAMLET_COOKIE: '' }, home }), { value: 'FILE', from: file(home) }, 'an empty variable is none')
})

void t.test('HOME says where the file is, then XDG_CONFIG_HOME, then ~/.config', async t => {
  const home = t.testdir({ config: { erlang: {} }, '.config': { erlang: {} } })
  write(join(home, '.config', 'erlang', '.erlang.cookie'), 'DEFAULT')
  t.equal((await findCookie({ env: { HOME: home } })).value, 'DEFAULT')
  write(join(home, 'config', 'erlang', '.erlang.cookie'), 'XDG')
  t.equal((await findCookie({ env: { HOME: home, XDG_CONFIG_HOME: join(home, 'config') } })).value, 'XDG')
  write(file(home), 'HOME')
  t.equal((await findCookie({ env: { HOME: home, XDG_CONFIG_HOME: join(home, 'config') } })).value, 'HOME')
})

void t.test('newlines and what else erl allows behind the cookie are trimmed', async t => {
  const texts: [string, string][] = [
    ['SECRET', 'SECRET'],
    ['SECRET\n', 'SECRET'],
    ['SECRET\r\n\n \n', 'SECRET'],
    ['with blanks in it\n', 'with blanks in it'],
    ['~! ', '~! '],
  ]
  for (const [text, value] of texts) {
    const home = t.testdir()
    write(file(home), text)
    t.equal((await findCookie({ env: {}, home })).value, value, JSON.stringify(text))
  }
})

void t.test('what is no cookie is COOKIE_FORMAT', async t => {
  for (const text of ['', '\n', ' \n x', 'a\nb', 'a\tb', 'å', 'x'.repeat(256), 'x'.repeat(5000)]) {
    const home = t.testdir()
    write(file(home), text)
    await t.rejects(findCookie({ env: {}, home }), { code: 'COOKIE_FORMAT', message: file(home) }, JSON.stringify(text.slice(0, 9)))
  }
  for (const cookie of ['', 'newline\n', 'x'.repeat(256), '日'])
    await t.rejects(findCookie({ cookie }), { code: 'COOKIE_FORMAT', message: /the cookie option/ }, JSON.stringify(cookie.slice(0, 9)))
  await t.rejects(findCookie({ env: { BEAMLET_COOKIE: 'a\n' } }), { code: 'COOKIE_FORMAT', message: /BEAMLET_COOKIE/ })
  t.equal((await findCookie({ cookie: 'å b' })).value, 'å b', 'Latin-1 is fine where erl takes it too: -setcookie')
})

void t.test('an error never shows the cookie', async t => {
  const error = await findCookie({ cookie: 'TELLNOBODY\n' }).catch((error: unknown) => error)
  t.type(error, CookieError)
  t.notMatch(String(error), /TELLNOBODY/)
})

void t.test('a file that others can use is refused', { skip: process.platform === 'win32' }, async t => {
  const home = t.testdir()
  for (const mode of [0o440, 0o404, 0o600 | 0o020, 0o401]) {
    write(file(home), 'SECRET', mode)
    await t.rejects(findCookie({ env: {}, home }), { code: 'COOKIE_PERMISSIONS', message: /chmod 400/ }, mode.toString(8))
  }
  chmodSync(file(home), 0o700)
  t.equal((await findCookie({ env: {}, home })).value, 'SECRET')
})

void t.test('a folder is no cookie file; a link to a file is one', async t => {
  const home = t.testdir({ '.erlang.cookie': {} })
  await t.rejects(findCookie({ env: {}, home }), { code: 'COOKIE_UNREADABLE' })
  const other = t.testdir({ linked: {} })
  write(join(other, 'real'), 'LINKED')
  symlinkSync(join(other, 'real'), file(join(other, 'linked')))
  t.equal((await findCookie({ env: {}, home: join(other, 'linked') })).value, 'LINKED')
})

void t.test('without any cookie the sentence says where one may be put', async t => {
  const home = t.testdir()
  await t.rejects(findCookie({ env: {}, home }), { code: 'COOKIE_NONE', message: /--cookie.*BEAMLET_COOKIE.*\.erlang\.cookie/ })
})

void t.test('a cookie is created only when asked for, as erl makes it', async t => {
  const home = t.testdir()
  const made = await findCookie({ env: {}, home, create: true })
  t.match(made, { value: /^[A-Z]{20}$/, from: file(home) })
  t.equal(readFileSync(file(home), 'latin1'), made.value)
  t.equal(statSync(file(home)).mode & 0o777, 0o400)
  t.same(await findCookie({ env: {}, home, create: true }), made, 'and only once')
})

void t.test('of two that create it at once, both have the same', async t => {
  const home = t.testdir()
  const found = await Promise.all(Array.from({ length: 8 }, () => findCookie({ env: {}, home, create: true })))
  t.equal(new Set(found.map(({ value }) => value)).size, 1)
})

void t.test('a folder that cannot be written is COOKIE_CREATE', async t => {
  const home = join(t.testdir(), 'missing')
  await t.rejects(findCookie({ env: {}, home, create: true }), { code: 'COOKIE_CREATE', message: /ENOENT/ })
  mkdirSync(home)
  t.match(await findCookie({ env: {}, home, create: true }), { from: file(home) })
})
