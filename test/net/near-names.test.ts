import t from 'tap'
import { nearNames } from '../../src/net/near-names.js'

t.test('names that may have been meant, closest first', async t => {
  const names = ['shop', 'shop2', 'calc', 'Shop', 'pohs', 'workshop']
  t.strictSame(nearNames('shop', names), ['shop', 'Shop', 'shop2'])
  t.strictSame(nearNames('sho', names), ['shop', 'Shop'])
  t.strictSame(nearNames('warehouse', ['warehosue', 'whse', 'house']), ['warehosue'])
  t.strictSame(nearNames('x', ['y', 'xyz']), ['y'])
  t.strictSame(nearNames('shop', []), [])
})
