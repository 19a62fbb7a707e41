import t from 'tap'
import { atom } from '../../src/term/index.js'

t.equal(atom('ok'), atom('ok'))
t.equal(atom('true'), true)
